//! Text with names in braces, as matchit writes paths.

/// A part of such a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// `{name}`
    Name(String),
    /// `{*name}`
    Rest(String),
}

/// Cuts a text at its braces. `{{` and `}}` are braces that mean themselves.
///
/// # Errors
/// What is wrong, for the author of the text.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        literal.push_str(before);
        if let Some(after) = from.strip_prefix("{{") {
            literal.push('{');
            rest = after;
        } else if let Some(after) = from.strip_prefix("}}") {
            literal.push('}');
            rest = after;
        } else if let Some((inner, after)) =
            from.strip_prefix('{').and_then(|inner| inner.split_once('}'))
        {
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(name(inner)?);
            rest = after;
        } else {
            return Err("has a brace without its other; {{ and }} stand for braces".to_owned());
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

fn name(inner: &str) -> Result<Piece, String> {
    let (make, name): (fn(String) -> Piece, _) = match inner.strip_prefix('*') {
        Some(name) => (Piece::Rest, name),
        None => (Piece::Name, inner),
    };
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.is_empty() || !name.bytes().all(is_good) {
        return Err(format!(
            "has the parameter {{{}}}, whose name is not made of letters, digits, _ and -",
            inner.escape_debug()
        ));
    }
    Ok(make(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_hold_names_and_double_ones_are_themselves() {
        let text = |text: &str| Piece::Text(text.to_owned());
        let name = |name: &str| Piece::Name(name.to_owned());
        for (given, expected) in [
            ("", vec![]),
            ("abc", vec![text("abc")]),
            ("{id}", vec![name("id")]),
            ("a.{id}.b", vec![text("a."), name("id"), text(".b")]),
            ("{a}{b}", vec![name("a"), name("b")]),
            ("{*rest}", vec![Piece::Rest("rest".to_owned())]),
            ("{{id}}", vec![text("{id}")]),
            ("{{{id}}}", vec![text("{"), name("id"), text("}")]),
            ("a{{b", vec![text("a{b")]),
            ("{a-b_9}", vec![name("a-b_9")]),
        ] {
            assert_eq!(pieces(given), Ok(expected), "{given}");
        }
    }

    #[test]
    fn other_braces_are_faults() {
        for bad in ["{", "}", "a}b", "{id", "{}", "{*}", "{a b}", "{a/b}", "{{id}", "{id}}", "{ä}"]
        {
            assert!(pieces(bad).is_err(), "{bad}");
        }
    }
}
