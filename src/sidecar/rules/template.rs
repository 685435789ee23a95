//! Text with parameters of the request in it.

use super::braces::{Piece, pieces};
use super::parameters::Parameters;

/// A text in which `{name}` stands for the value of a parameter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The parameter's place among all of them.
    Value(usize),
}

impl Template {
    /// # Errors
    /// What is wrong, for the author of the text.
    pub(super) fn parse(text: &str, names: &Parameters) -> Result<Self, String> {
        let part = |piece| match piece {
            Piece::Text(text) => Ok(Part::Text(text)),
            Piece::Name(name) => names.place(&name).map(Part::Value),
            Piece::Rest(name) => Err(format!("has {{*{name}}}; the * is for the path alone")),
        };
        pieces(text)?.into_iter().map(part).collect::<Result<_, _>>().map(Self)
    }

    /// Whether it is the same for every path.
    pub(super) fn is_fixed(&self) -> bool {
        self.places().next().is_none()
    }

    /// The parameters in it, by their places in the path.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Value(place) => Some(*place),
        })
    }

    /// The text that is the same for every path.
    pub(super) fn text(&self) -> String {
        self.0.iter().fold(String::new(), |mut all, part| {
            if let Part::Text(text) = part {
                all.push_str(text);
            }
            all
        })
    }

    /// The text with the values of the path's parameters, `None` where one of them is empty.
    pub(super) fn fill(&self, values: &[&str]) -> Option<String> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Value(place) => {
                    filled.push_str(values.get(*place).filter(|value| !value.is_empty())?);
                }
            }
        }
        Some(filled)
    }
}
