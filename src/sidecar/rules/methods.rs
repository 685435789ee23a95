//! The methods that a rule covers.

use http::Method;

use crate::env::nearest;

/// Registered methods that APIs use (the IANA registry), and one that caches are told to forget with.
const KNOWN: [&str; 19] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "QUERY",
    "COPY",
    "LOCK",
    "MKCOL",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "REPORT",
    "UNLOCK",
    "PURGE",
];

/// All methods, or some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Methods {
    All,
    These(Vec<Method>),
}

impl Methods {
    /// `GET` brings `HEAD`, which servers answer with the same code: a rule that forgot it would
    /// leave it to a weaker one.
    pub(super) fn these(mut methods: Vec<Method>) -> Self {
        if methods.contains(&Method::GET) {
            methods.push(Method::HEAD);
        }
        methods.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        methods.dedup();
        Self::These(methods)
    }

    pub(super) fn cover(&self, method: &Method) -> bool {
        match self {
            Self::All => true,
            Self::These(methods) => methods.contains(method),
        }
    }
}

/// A method as it is written in the file, or where a request is described.
///
/// # Errors
/// What is wrong, for the author. A method that is not known and close to one that is counts as
/// misspelt: its rule would cover nothing, and leave what was meant to a weaker one.
pub(in crate::sidecar) fn method(text: &str) -> Result<Method, String> {
    let problem = if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        "methods are written in upper case"
    } else {
        match Method::from_bytes(text.as_bytes()) {
            Ok(method) if KNOWN.contains(&text) || nearest(text, KNOWN).is_none() => {
                return Ok(method);
            }
            Ok(_) => "is no known method",
            Err(_) => "is no method",
        }
    };
    Err(match nearest(text, KNOWN) {
        Some(known) => format!("{text:?}: {problem}; did you mean {known:?}?"),
        None => format!("{text:?}: {problem}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn get_covers_head() {
        let methods = Methods::these(vec![Method::POST, Method::GET]);
        assert!(methods.cover(&Method::HEAD) && methods.cover(&Method::GET));
        assert!(!methods.cover(&Method::PUT));
        assert!(!Methods::these(vec![Method::HEAD]).cover(&Method::GET));
        assert_eq!(methods, Methods::these(vec![Method::GET, Method::HEAD, Method::POST]));
    }

    #[test]
    fn misspelt_methods_are_faults() {
        for good in ["GET", "M-SEARCH", "SUBSCRIBE", "PURGE", "PROPFIND"] {
            assert!(method(good).is_ok(), "{good}");
        }
        for (bad, message) in [
            ("get", r#""get": methods are written in upper case; did you mean "GET"?"#),
            ("Post", r#""Post": methods are written in upper case; did you mean "POST"?"#),
            ("foo", r#""foo": methods are written in upper case"#),
            ("DELTE", r#""DELTE": is no known method; did you mean "DELETE"?"#),
            ("A B", r#""A B": is no method"#),
            ("", r#""": is no method"#),
        ] {
            assert_eq!(method(bad), Err(message.to_owned()), "{bad}");
        }
    }
}
