//! One parameter in a path, for requirements of layers. The sidecar's rules have paths of their own,
//! which are compared with decoded ones.

use crate::spelling::{is_segment, may_be_a_step};

/// A path with one segment that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathPattern {
    segments: Vec<Segment>,
    /// Whether any rest may follow.
    is_open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(Box<str>),
    Any,
    Wanted,
}

impl PathPattern {
    /// # Errors
    /// What is wrong, for the author of the text.
    pub(super) fn parse(text: &str, wanted: &str) -> Result<Self, String> {
        let segments = text.strip_prefix('/').ok_or("must begin with a slash")?;
        let mut pattern = Self { segments: Vec::new(), is_open: false };
        for segment in segments.split('/') {
            if pattern.is_open {
                return Err("must end with its {*parameter}".to_owned());
            }
            let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            match name {
                Some(name) if name == wanted => pattern.segments.push(Segment::Wanted),
                Some(name) if name.starts_with('*') => pattern.is_open = true,
                Some(_) => pattern.segments.push(Segment::Any),
                None if segment.contains(['{', '}']) => {
                    return Err("has a parameter that is not a whole segment".to_owned());
                }
                None => pattern.segments.push(Segment::Literal(segment.into())),
            }
        }
        match pattern.segments.iter().filter(|segment| **segment == Segment::Wanted).count() {
            1 => Ok(pattern),
            _ => Err(format!("has not {{{wanted}}} in it once")),
        }
    }

    /// The wanted segment of a path that matches. Only what has one spelling is taken: in another,
    /// the handler might read something else. Nor is a path that leads out of what it names, as whoever
    /// sends it on, or looks for a file by it, may go there.
    pub(super) fn value<'p>(&self, path: &'p str) -> Option<&'p str> {
        let mut given = path.strip_prefix('/')?.split('/');
        let mut found = None;
        for segment in &self.segments {
            let text = given.next()?;
            match segment {
                Segment::Literal(literal) if **literal == *text => {}
                Segment::Any if !text.is_empty() && !may_be_a_step(text) => {}
                Segment::Wanted if is_segment(text) => found = Some(text),
                Segment::Literal(_) | Segment::Any | Segment::Wanted => return None,
            }
        }
        let mut rest = given.peekable();
        let has_rest = rest.peek().is_some();
        if has_rest == self.is_open && !rest.any(may_be_a_step) { found } else { None }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_wanted_segment_is_found_where_all_others_fit() {
        let pattern = |text| PathPattern::parse(text, "tenant").unwrap();
        let open = pattern("/tenants/{tenant}/{*rest}");
        assert_eq!(open.value("/tenants/acme/orders/7"), Some("acme"));
        assert_eq!(open.value("/tenants/acme/"), Some("acme"));
        for other in [
            "/tenants/acme",
            "/tenants//orders",
            "/Tenants/acme/x",
            "/tenants/ac%6de/x",
            "/tenants/../x",
            "/tenants/./x",
            "/tenants/a;b/x",
            "//tenants/acme/x",
            "/x/tenants/acme/x",
            "/tenants/acme/..",
            "/tenants/acme/../globex/x",
            "/tenants/acme/x/%2e%2E/%2e./globex",
            "/tenants/acme/x%2f..%2f..%2fglobex",
            "/tenants/acme/..\\globex",
            "tenants/acme/x",
            "*",
        ] {
            assert_eq!(open.value(other), None, "{other}");
        }
        let closed = pattern("/{tenant}/orders/{id}");
        assert_eq!(closed.value("/acme/orders/7"), Some("acme"));
        assert_eq!(closed.value("/acme/orders/7/x"), None);
        assert_eq!(closed.value("/acme/orders/"), None);
        assert_eq!(closed.value("/acme/orders/.."), None);
        assert_eq!(open.value("/tenants/acme/a%2Fb/.well-known//..."), Some("acme"));
    }

    #[test]
    fn a_path_without_its_parameter_is_none() {
        for bad in [
            "",
            "/",
            "/tenants",
            "/{id}",
            "/{tenant}/{tenant}",
            "/x{tenant}",
            "/{*rest}/{tenant}",
            "/{*tenant}",
            "{tenant}",
        ] {
            assert!(PathPattern::parse(bad, "tenant").is_err(), "{bad}");
        }
    }

    proptest! {
        /// However often a path is decoded by whoever sends it on, and whatever it takes for a slash.
        #[test]
        fn a_path_of_a_tenant_leads_nowhere_else(
            rest in r"([a-z]|/|\\|;|\.|%2e|%2E|%2f|%5C|%3b){0,12}",
        ) {
            let pattern = PathPattern::parse("/tenants/{tenant}/{*rest}", "tenant").unwrap();
            let path = format!("/tenants/{rest}");
            if let Some(tenant) = pattern.value(&path) {
                let decoded = ["%2e.", "%2E.", "%2f/", "%5C/", "%3b;", "\\/"]
                    .iter()
                    .fold(path.clone(), |path, pair| path.replace(&pair[..pair.len() - 1], &pair[pair.len() - 1..]));
                for path in [&path, &decoded] {
                    let url = url::Url::parse(&format!("http://h{path}")).unwrap();
                    let below = format!("/tenants/{tenant}/");
                    prop_assert!(url.path().starts_with(&below), "{path}: {url}");
                }
            }
        }
    }
}
