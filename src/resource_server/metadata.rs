//! The resource identifier and the address of its metadata document (RFC 9728 §1.2, §3.1).

use url::Url;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The address to name in challenges, or what is wrong with the identifier.
pub(super) fn address(resource: &str) -> Result<String, &'static str> {
    let url = Url::parse(resource).map_err(|_| "is not an absolute URL")?;
    // The parser would mend `https:host` and `https:///host`; clients compare the text.
    let has_host = resource.strip_prefix("https://").is_some_and(|rest| !rest.starts_with('/'));
    if url.scheme() != "https" || !has_host {
        return Err("must be an https URL");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or password");
    }
    if url.fragment().is_some() {
        return Err("must not have a fragment");
    }
    if !resource.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte)) {
        return Err("holds characters that a URL cannot hold");
    }
    // Text, not the parsed URL: clients compare byte for byte (§3.3).
    let authority = "https://".len();
    let (head, rest) = resource
        .get(authority..)
        .and_then(|rest| rest.find(['/', '?']))
        .and_then(|end| resource.split_at_checked(authority + end))
        .unwrap_or((resource, ""));
    let rest = rest
        .strip_prefix('/')
        .filter(|rest| rest.is_empty() || rest.starts_with('?'))
        .unwrap_or(rest);
    Ok(format!("{head}{WELL_KNOWN}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prm_01_the_well_known_string_goes_between_host_and_path() {
        for (resource, expected) in [
            ("https://rs.example", "https://rs.example/.well-known/oauth-protected-resource"),
            ("https://rs.example/", "https://rs.example/.well-known/oauth-protected-resource"),
            (
                "https://rs.example/mcp",
                "https://rs.example/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "https://rs.example/a?x=1",
                "https://rs.example/.well-known/oauth-protected-resource/a?x=1",
            ),
        ] {
            assert_eq!(address(resource).as_deref(), Ok(expected), "{resource}");
        }
    }

    #[test]
    fn prm_04_the_identifier_is_https_without_fragment() {
        for bad in [
            "http://rs.example",
            "https://rs.example#f",
            "rs.example",
            "",
            "https://rs.example/\"x",
            "https:rs.example",
            "https:///rs.example",
            "https://u:p@rs.example",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
