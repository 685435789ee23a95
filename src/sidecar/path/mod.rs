//! One canonical path: what rules are matched against is what is forwarded.
//!
//! A gate that reads a path in another way than the server behind it is no gate. So a path that
//! servers are known to read in different ways is refused, and of the spellings that mean the same
//! (RFC 3986 §6.2.2) one alone goes on. Nothing is decoded twice, nothing is resolved.

mod ambiguous;

use std::borrow::Cow;

pub(in crate::sidecar) use ambiguous::Ambiguous;

/// The canonical form of the path of a request, without its query.
///
/// Escaped unreserved characters (RFC 3986 §2.3) stand for themselves, other escapes have upper
/// case digits, and what may not stand in a path is escaped. The canonical form of the result is
/// the result. Paths that are canonical already are not copied.
///
/// # Errors
/// The reason why the path could mean different things to different servers.
pub(in crate::sidecar) fn canonical(path: &str) -> Result<Cow<'_, str>, Ambiguous> {
    let segments = path.as_bytes().strip_prefix(b"/").ok_or(Ambiguous::NotAbsolute)?;
    let mut is_plain = true;
    // By bytes: it is done for every request.
    let mut segments = segments.split(|byte| *byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        check_segment(segment, segments.peek().is_none())?;
        is_plain &= segment.iter().copied().all(is_plain_byte);
    }
    if is_plain { Ok(Cow::Borrowed(path)) } else { rewrite(path).map(Cow::Owned) }
}

/// What a canonical path means: its segments once decoded, with the slashes between them. There is
/// no other slash, as escaped ones are refused.
pub(in crate::sidecar) fn decoded(canonical: &str) -> Cow<'_, str> {
    if !canonical.as_bytes().contains(&b'%') {
        return Cow::Borrowed(canonical);
    }
    let bytes = decode(canonical);
    // Never lossy: that it is UTF-8 is part of being canonical.
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a part of a path in the configuration means, which may hold escapes or not.
///
/// # Errors
/// As [`canonical`]; empty segments and dot segments are for [`check_segment`] to find.
pub(in crate::sidecar) fn meaning(part: &str) -> Result<String, Ambiguous> {
    rewrite(part).map(|canonical| decoded(&canonical).into_owned())
}

/// Whether a segment is one that servers remove or resolve. Only the last one may be empty.
///
/// # Errors
/// Which of them it is.
pub(in crate::sidecar) fn check_segment(segment: &[u8], is_last: bool) -> Result<(), Ambiguous> {
    match segment {
        b"" if !is_last => Err(Ambiguous::EmptySegment),
        b"." | b".." => Err(Ambiguous::DotSegment),
        _ => Ok(()),
    }
}

fn rewrite(path: &str) -> Result<String, Ambiguous> {
    let mut canonical = String::with_capacity(path.len() + 16);
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let is_escape = byte == b'%';
        let byte = if is_escape { escaped(&mut bytes)? } else { byte };
        match byte {
            b'/' if is_escape => return Err(Ambiguous::EncodedSlash),
            b'.' if is_escape => return Err(Ambiguous::EncodedDot),
            b'\\' => return Err(Ambiguous::Backslash),
            b';' => return Err(Ambiguous::Semicolon),
            b'\0'..=b'\x1F' | b'\x7F' => return Err(Ambiguous::Control),
            _ if is_unreserved(byte) => canonical.push(byte.into()),
            b'/' => canonical.push('/'),
            _ if !is_escape && is_plain_byte(byte) => canonical.push(byte.into()),
            _ => push_escape(&mut canonical, byte),
        }
    }
    let decoded = String::from_utf8(decode(&canonical)).map_err(|_| Ambiguous::NotUtf8)?;
    ambiguous::check_characters(&decoded)?;
    Ok(canonical)
}

/// The byte that an escape stands for, from what follows its `%`.
///
/// # Errors
/// That it is none.
pub(in crate::sidecar) fn escaped(bytes: &mut impl Iterator<Item = u8>) -> Result<u8, Ambiguous> {
    let mut digit = || char::from(bytes.next()?).to_digit(16).and_then(|d| u8::try_from(d).ok());
    match (digit(), digit()) {
        (Some(high), Some(low)) => Ok(high << 4 | low),
        _ => Err(Ambiguous::BadEscape),
    }
}

fn push_escape(text: &mut String, byte: u8) {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0').to_ascii_uppercase();
    text.extend(['%', digit(byte >> 4), digit(byte & 0xF)]);
}

fn decode(canonical: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(canonical.len());
    let mut bytes = canonical.bytes();
    while let Some(byte) = bytes.next() {
        // Every `%` of a canonical path begins an escape.
        decoded.push(if byte == b'%' { escaped(&mut bytes).unwrap_or(byte) } else { byte });
    }
    decoded
}

/// `pchar` (RFC 3986 §3.3) without `%`, which needs a closer look, and `;`, which is refused.
fn is_plain_byte(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'!' | b'$' | b'&'..=b',' | b'=' | b':' | b'@')
}

/// RFC 3986 §2.3.
fn is_unreserved(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests;
