//! What the host of a request says, label by label.

use http::header::HOST;
use http::{HeaderMap, HeaderValue, Uri};

use crate::spelling::is_label;

/// A host in which a label may be a parameter: `{tenant}.api.example.com`. Compared label by label,
/// never as text: a parameter is one whole label and takes no dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostPattern(Vec<Label>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Label {
    Literal(Box<str>),
    Parameter(Box<str>),
}

impl HostPattern {
    /// # Errors
    /// What is wrong, for the author of the text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut labels = Vec::new();
        for label in text.split('.') {
            let name = label.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            labels.push(match name {
                Some(name) if is_name(name) => Label::Parameter(name.into()),
                None if is_label(label) => Label::Literal(label.into()),
                _ => {
                    return Err("must be labels in lower case, without a port; {name} stands for \
                                one whole label"
                        .to_owned());
                }
            });
        }
        let pattern = Self(labels);
        let names: Vec<_> = pattern.names().collect();
        match names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|n| n == *name))
        {
            Some((_, name)) => Err(format!("has two parameters of the name {name}")),
            None if names.is_empty() => Err("has no parameter, as in {tenant}.example.com".into()),
            None => Ok(pattern),
        }
    }

    /// The names of the parameters, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|label| match label {
            Label::Literal(_) => None,
            Label::Parameter(name) => Some(&**name),
        })
    }

    /// The values of the parameters in a host, with or without a port; in lower case, as hosts are
    /// alike in any. `None` for a host that is not like this.
    pub(crate) fn values(&self, host: &str) -> Option<Vec<String>> {
        let mut values = Vec::new();
        let mut labels = without_port(host)?.split('.');
        for expected in &self.0 {
            let label = labels.next()?.to_ascii_lowercase();
            match expected {
                Label::Literal(literal) if **literal == *label => {}
                Label::Parameter(_) if is_label(&label) => values.push(label),
                Label::Literal(_) | Label::Parameter(_) => return None,
            }
        }
        labels.next().is_none().then_some(values)
    }
}

/// The one host that a request is for, in its client's words. `None` where it names none or several:
/// whoever routes it may go by another than we.
pub(crate) fn host_of<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let mut fields = headers.get_all(HOST).iter().map(HeaderValue::to_str);
    let field = fields.next().transpose().ok()?;
    if fields.next().is_some() {
        return None;
    }
    match (uri.authority().map(http::uri::Authority::as_str), field) {
        (Some(target), Some(field)) if !target.eq_ignore_ascii_case(field) => None,
        (Some(host), _) | (None, Some(host)) => Some(host),
        (None, None) => None,
    }
}

fn without_port(host: &str) -> Option<&str> {
    match host.split_once(':') {
        None => Some(host),
        Some((name, port)) => port.bytes().all(|byte| byte.is_ascii_digit()).then_some(name),
    }
}

fn is_name(text: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !text.is_empty() && text.bytes().all(is_good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_compared_one_by_one() {
        let pattern = HostPattern::parse("{tenant}.api.example.com").unwrap();
        let values = |host| pattern.values(host);
        let acme = Some(vec!["acme".to_owned()]);
        assert_eq!(values("acme.api.example.com"), acme);
        assert_eq!(values("ACME.api.Example.com:8443"), acme);
        for other in [
            "api.example.com",
            "a.b.api.example.com",
            "acme.api.example.com.evil.example",
            "acmexapi.example.com",
            ".api.example.com",
            "-x.api.example.com",
            "a_b.api.example.com",
            "acme.api.example.com.",
            "acme.api.example.com:x",
            "a%2Eb.api.example.com",
            "ä.api.example.com",
            "[::1]",
            "",
        ] {
            assert_eq!(values(other), None, "{other}");
        }
        let two = HostPattern::parse("{app}.{tenant}.example.com").unwrap();
        let both = vec!["shop".to_owned(), "acme".to_owned()];
        assert_eq!(two.values("shop.acme.example.com"), Some(both));
    }

    #[test]
    fn other_texts_are_no_patterns() {
        for bad in [
            "",
            "api.example.com",
            "{a}{b}.example.com",
            "x{a}.example.com",
            "{a}.example.com:8443",
            "{A b}.example.com",
            "{}.example.com",
            "{a}.Example.com",
            "{a}..com",
            "{a}.{a}.com",
            "*.example.com",
        ] {
            assert!(HostPattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn res_08_a_request_has_one_host_or_none_that_counts() {
        let host = |fields: &[&'static str], uri: &'static str| {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(HOST, HeaderValue::from_static(field));
            }
            host_of(&headers, &Uri::from_static(uri)).map(str::to_owned)
        };
        let a = Some("a.example".to_owned());
        assert_eq!(host(&["a.example"], "/x"), a);
        assert_eq!(host(&[], "http://a.example/x"), a);
        assert_eq!(host(&["A.example"], "http://a.example/x"), a);
        assert_eq!(host(&["b.example"], "http://a.example/x"), None);
        assert_eq!(host(&["a.example", "a.example"], "/x"), None);
        assert_eq!(host(&[], "/x"), None);
    }
}
