//! The meaning of `*`, as functions of text.
//!
//! A pattern is nothing but its text: cutting it at its stars costs less than keeping the pieces,
//! and so a token that grants patterns is no larger in memory than one that does not. Who compares
//! one with many candidates cuts it once.

use memchr::memmem;

/// A pattern, cut at its stars. `**` is `*`, with an empty piece between.
#[derive(Clone, Copy)]
pub(super) enum Cut<'a> {
    /// There is none.
    Nowhere(&'a str),
    /// What stands before the first star, between the outermost two, and after the last.
    AtStars(&'a str, &'a str, &'a str),
}

/// Whether `candidate` is one of the strings that `pattern` stands for. A star in the candidate
/// is an ordinary character.
pub(crate) fn matches(pattern: &str, candidate: &str) -> bool {
    Cut::of(pattern).matches(candidate)
}

impl<'a> Cut<'a> {
    pub(super) fn of(pattern: &'a str) -> Self {
        let Some((prefix, rest)) = pattern.split_once('*') else { return Self::Nowhere(pattern) };
        let (middles, suffix) = rest.rsplit_once('*').unwrap_or(("", rest));
        Self::AtStars(prefix, middles, suffix)
    }

    /// As [`matches`].
    ///
    /// Linear in both lengths: both ends are compared once, and the searches between them start
    /// each where the one before ended, with [`memmem::find`], which is linear in whatever it is
    /// given.
    pub(super) fn matches(self, candidate: &str) -> bool {
        self.matches_with(candidate, memmem::find)
    }

    fn matches_with(
        self,
        candidate: &str,
        mut find: impl FnMut(&[u8], &[u8]) -> Option<usize>,
    ) -> bool {
        let (prefix, middles, suffix) = match self {
            Self::Nowhere(text) => return text == candidate,
            Self::AtStars(prefix, middles, suffix) => (prefix, middles, suffix),
        };
        let candidate = candidate.as_bytes();
        let between = candidate
            .strip_suffix(suffix.as_bytes())
            .and_then(|rest| rest.strip_prefix(prefix.as_bytes()));
        let Some(between) = between else { return false };
        // Taking each piece at its leftmost place leaves the most room for those that follow, so
        // there is never a reason to go back.
        let mut room = between;
        middles.split('*').filter(|piece| !piece.is_empty()).all(|piece| {
            // Looking for a piece begins with work on the piece, for nothing where it cannot fit.
            let fits = piece.len() <= room.len();
            let found = if fits { find(room, piece.as_bytes()) } else { None };
            let after = found.and_then(|at| room.get(at + piece.len()..));
            room = after.unwrap_or_default();
            after.is_some()
        })
    }
}

/// Whether some string is matched by both.
///
/// With a star on each side only the ends can disagree: any two texts between them can follow one
/// another inside the common string. The same holds for three and more patterns as soon as each
/// two of them overlap: their prefixes are then beginnings of the longest prefix, their suffixes
/// ends of the longest suffix, and all that lies between goes in a row. And where one of them is
/// a literal, the common string can only be that one. So for any number of elements, stars or
/// not, asking them two by two is exact.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    match (Cut::of(one), Cut::of(other)) {
        (Cut::Nowhere(one), other) => other.matches(one),
        (one, Cut::Nowhere(other)) => one.matches(other),
        (Cut::AtStars(start, _, end), Cut::AtStars(other_start, _, other_end)) => {
            agree(start.bytes(), other_start.bytes())
                && agree(end.bytes().rev(), other_end.bytes().rev())
        }
    }
}

/// Equal as far as the shorter reaches.
fn agree(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> bool {
    one.zip(other).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests;
