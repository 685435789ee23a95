//! Scopes that imply others.

use super::Scope;

/// Declared implications, such as `admin` implies `read`, with all that follows from them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hierarchy {
    /// Transitively closed pairs of the wider scope and one that it implies.
    pairs: Box<[(Scope, Scope)]>,
}

impl Hierarchy {
    /// The hierarchy that follows from each scope and those it implies. Cycles make equals.
    pub(crate) fn new(declared: impl IntoIterator<Item = (Scope, Vec<Scope>)>) -> Self {
        let declared: Vec<(Scope, Scope)> = declared
            .into_iter()
            .flat_map(|(wider, implied)| implied.into_iter().map(move |i| (wider.clone(), i)))
            .collect();
        let mut pairs = declared.clone();
        let mut next = 0;
        // The list grows while it is walked, and never holds a pair twice.
        while let Some((wider, reached)) = pairs.get(next).cloned() {
            for (_, implied) in declared.iter().filter(|(scope, _)| *scope == reached) {
                let pair = (wider.clone(), implied.clone());
                if !pairs.contains(&pair) {
                    pairs.push(pair);
                }
            }
            next += 1;
        }
        Self { pairs: pairs.into() }
    }

    /// Each pair of a wider scope and one that it implies.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(wider, implied)| (wider.as_str(), implied.as_str()))
    }
}
