//! The meaning of `*`, as functions of text.
//!
//! A pattern is nothing but its text: cutting it at its stars costs less than keeping the pieces,
//! and so a token that grants patterns is no larger in memory than one that does not.

use memchr::memmem;

/// Whether `candidate` is one of the strings that `pattern` stands for. A star in the candidate
/// is an ordinary character.
///
/// Linear in both lengths: both ends are compared once, and the searches between them start each
/// where the one before ended, with [`memmem::find`], which is linear in whatever it is given.
pub(super) fn matches(pattern: &str, candidate: &str) -> bool {
    matches_with(pattern, candidate, memmem::find)
}

fn matches_with(
    pattern: &str,
    candidate: &str,
    mut find: impl FnMut(&[u8], &[u8]) -> Option<usize>,
) -> bool {
    let Some((prefix, middles, suffix)) = cut(pattern) else { return pattern == candidate };
    let Some(between) = candidate.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix))
    else {
        return false;
    };
    // Taking each piece at its leftmost place leaves the most room for those that follow, so
    // there is never a reason to go back.
    let mut room = between.as_bytes();
    middles.split('*').filter(|piece| !piece.is_empty()).all(|piece| {
        // Looking for a piece begins with work on the piece, for nothing where it cannot fit.
        let fits = piece.len() <= room.len();
        let found = if fits { find(room, piece.as_bytes()) } else { None };
        let after = found.and_then(|at| room.get(at + piece.len()..));
        room = after.unwrap_or_default();
        after.is_some()
    })
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
    match (cut(one), cut(other)) {
        (None, _) => matches(other, one),
        (_, None) => matches(one, other),
        (Some((start, _, end)), Some((other_start, _, other_end))) => {
            agree(start.bytes(), other_start.bytes())
                && agree(end.bytes().rev(), other_end.bytes().rev())
        }
    }
}

/// What stands before the first star, between the outermost two, and after the last; `None` for
/// text without a star. `**` is `*`, with an empty piece between.
fn cut(pattern: &str) -> Option<(&str, &str, &str)> {
    let (prefix, rest) = pattern.split_once('*')?;
    let (middles, suffix) = rest.rsplit_once('*').unwrap_or(("", rest));
    Some((prefix, middles, suffix))
}

/// Equal as far as the shorter reaches.
fn agree(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> bool {
    one.zip(other).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests;
