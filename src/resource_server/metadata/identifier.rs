//! The resource identifier and the address of its metadata document (RFC 9728 §1.2, §3.1).

use url::Url;

use crate::fetch::AllowHttp;

/// Where metadata documents are.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A resource identifier that was checked. Its text is kept, as clients compare byte by byte (§3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourceIdentifier {
    text: String,
    /// Where its path begins, or what is in place of one.
    path: usize,
}

impl ResourceIdentifier {
    /// # Errors
    /// What is wrong with the text.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte)) {
            return Err("holds characters that a URL cannot hold");
        }
        // For development: no request for it leaves the machine.
        let url = AllowHttp::Loopback.check(text)?;
        // The parser mends capitals in the scheme and slashes before the host; clients compare text.
        let start = text.find("://").map_or(0, |end| end + "://".len());
        let rest = text.get(start..).unwrap_or_default();
        if !text.starts_with(url.scheme()) || rest.starts_with('/') {
            return Err("must be an https URL");
        }
        let path = start + rest.find(['/', '?']).unwrap_or(rest.len());
        let identifier = Self { text: text.to_owned(), path };
        if identifier.is_read_otherwise(&url) {
            return Err(
                "has a path that clients would send in another form, such as one with dot \
                        segments",
            );
        }
        Ok(identifier)
    }

    /// As the Model Context Protocol writes it: scheme and host in lower case, no slash at the end.
    /// It is the same where there is nothing to change, or no way to tell.
    pub(crate) fn canonical(text: &str) -> String {
        let Ok(url) = Url::parse(text) else { return text.to_owned() };
        let Some(start) = authority(text) else { return text.to_owned() };
        let rest = text.get(start..).unwrap_or_default();
        let end = start + rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let Some((head, tail)) = text.split_at_checked(end) else { return text.to_owned() };
        let tail = if url.query().is_none() { tail.trim_end_matches('/') } else { tail };
        format!("{}{tail}", head.to_ascii_lowercase())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The address of the document (§3.1).
    pub(crate) fn document(&self) -> String {
        let (head, _) = self.text.split_at_checked(self.path).unwrap_or((&self.text, ""));
        format!("{head}{WELL_KNOWN}{}", self.tail())
    }

    /// Path and query of the document, as they stand in requests.
    pub(crate) fn target(&self) -> String {
        format!("{WELL_KNOWN}{}", self.tail())
    }

    /// Where documents of resources without a path are; `None` if this is one.
    pub(crate) fn root_target(&self) -> Option<&'static str> {
        self.tail().starts_with('/').then_some(WELL_KNOWN)
    }

    /// What follows the well-known string: path and query without the slash after the host.
    fn tail(&self) -> &str {
        let tail = self.text.get(self.path..).unwrap_or_default();
        let alone = |rest: &&str| rest.is_empty() || rest.starts_with('?');
        tail.strip_prefix('/').filter(alone).unwrap_or(tail)
    }

    fn is_read_otherwise(&self, url: &Url) -> bool {
        let written = self.text.get(self.path..).unwrap_or_default();
        let (path, query) = match written.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (written, None),
        };
        (!path.is_empty() && path != url.path()) || query != url.query()
    }
}

/// Where host and port begin.
fn authority(text: &str) -> Option<usize> {
    text.find("://").map(|end| end + "://".len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Result<String, &'static str> {
        ResourceIdentifier::parse(text).map(|identifier| identifier.document())
    }

    #[test]
    fn prm_01_the_well_known_string_goes_between_host_and_path() {
        for (resource, expected) in [
            ("https://rs.example", "https://rs.example/.well-known/oauth-protected-resource"),
            ("https://rs.example/", "https://rs.example/.well-known/oauth-protected-resource"),
            (
                "https://rs.example:8443/mcp",
                "https://rs.example:8443/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "https://rs.example/mcp/",
                "https://rs.example/.well-known/oauth-protected-resource/mcp/",
            ),
            (
                "https://rs.example/a?x=1",
                "https://rs.example/.well-known/oauth-protected-resource/a?x=1",
            ),
            (
                "https://rs.example?x=/1",
                "https://rs.example/.well-known/oauth-protected-resource?x=/1",
            ),
            (
                "https://rs.example/?x=1",
                "https://rs.example/.well-known/oauth-protected-resource?x=1",
            ),
        ] {
            assert_eq!(document(resource).as_deref(), Ok(expected), "{resource}");
            let identifier = ResourceIdentifier::parse(resource).unwrap();
            assert_eq!(identifier.as_str(), resource);
            assert!(expected.ends_with(&identifier.target()), "{resource}");
        }
    }

    #[test]
    fn prm_04_the_identifier_is_https_without_fragment() {
        for bad in [
            "http://rs.example",
            "https://rs.example#f",
            "https://rs.example#",
            "rs.example",
            "",
            "https://rs.example/\"x",
            "https:rs.example",
            "https:///rs.example",
            "https://u:p@rs.example",
            "https://u@rs.example",
            "https://rs.example/ä",
            "https://rs.example/a b",
            "https://rs.example/a/../b",
            "https://rs.example/./a",
            "https://rs.example/%2e%2e/a",
            "ftp://rs.example",
        ] {
            assert!(document(bad).is_err(), "{bad}");
        }
        for development in ["http://127.0.0.1:8080/mcp", "http://localhost:3000", "http://[::1]"] {
            assert!(document(development).is_ok(), "{development}");
        }
    }

    #[test]
    fn mcp_10_the_canonical_form_has_a_host_in_lower_case_and_no_slash_at_the_end() {
        for (text, expected) in [
            ("HTTPS://RS.example/mcp/", "https://rs.example/mcp"),
            ("https://rs.example/", "https://rs.example"),
            ("https://rs.example/MCP", "https://rs.example/MCP"),
            ("https://RS.example:8443", "https://rs.example:8443"),
            ("https://rs.example/a/?x=/", "https://rs.example/a/?x=/"),
            ("https://RS.example?X=Y", "https://rs.example?X=Y"),
            ("rs.example/", "rs.example/"),
        ] {
            assert_eq!(ResourceIdentifier::canonical(text), expected);
        }
    }
}
