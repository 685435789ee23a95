//! From an issuer to the address of its keys (RFC 8414, OpenID Connect Discovery 1.0).

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use url::Url;

use super::LoadError;
use crate::fetch::{self, AllowHttp, Document, HttpClient};
use crate::jose::json;

/// Metadata documents are a few kilobytes. Bytes.
const MAX_BYTES: usize = 256 * 1024;

/// The part of the metadata that matters here (RFC 8414 §2).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// Asks the well-known addresses of `issuer` in order for its `jwks_uri`.
pub(super) async fn jwks_uri(
    client: &HttpClient,
    issuer: &str,
    allow_http: AllowHttp,
) -> Result<Url, LoadError> {
    let mut first_fault = None;
    for address in well_known(issuer) {
        let fault = match fetch::get(client, &address, MAX_BYTES).await {
            Ok(document) => match read(&document, issuer, allow_http) {
                Ok(jwks_uri) => return Ok(jwks_uri),
                Err(fault) => LoadError::Metadata { address, fault },
            },
            Err(error) => {
                let unreachable = error.is_unreachable();
                let fault = LoadError::Fetch { address, error };
                if unreachable {
                    return Err(fault);
                }
                fault
            }
        };
        // A document that is wrong says more than one that is not there.
        if first_fault.is_none() || matches!(fault, LoadError::Metadata { .. }) {
            first_fault = Some(fault);
        }
    }
    Err(first_fault.unwrap_or(LoadError::NoAddress))
}

fn read(document: &Document, issuer: &str, allow_http: AllowHttp) -> Result<Url, &'static str> {
    if !is_json(document.headers.get(CONTENT_TYPE)) {
        return Err("is not application/json");
    }
    let metadata = parse(&document.body)
        .ok_or("is not a JSON object with the strings \"issuer\" and \"jwks_uri\"")?;
    // RFC 8414 §3.3: identical, or nothing in the document may be used.
    if metadata.issuer != issuer {
        return Err("names another issuer than the configured one");
    }
    let jwks_uri =
        allow_http.check(&metadata.jwks_uri).map_err(|_| "has a jwks_uri that is not https")?;
    // Loopback is for issuers of this machine; no other has a say in what is asked here.
    if jwks_uri.scheme() == "http"
        && issuer.starts_with("https://")
        && allow_http == AllowHttp::Loopback
    {
        return Err("has a jwks_uri that is not https");
    }
    Ok(jwks_uri)
}

fn parse(document: &[u8]) -> Option<Metadata> {
    serde_json::from_str(json::object_text(document).ok()?).ok()
}

fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let value = content_type.map(HeaderValue::as_bytes).unwrap_or_default();
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// RFC 8414 §3.1 first, then its §5 for OpenID Connect, then OpenID Connect's own place.
fn well_known(issuer: &str) -> Vec<Url> {
    const OAUTH: &str = "/.well-known/oauth-authorization-server";
    const OPENID: &str = "/.well-known/openid-configuration";
    let Ok(issuer) = Url::parse(issuer) else { return Vec::new() };
    let path = issuer.path().trim_end_matches('/').to_owned();
    let mut addresses = Vec::new();
    for path in [format!("{OAUTH}{path}"), format!("{OPENID}{path}"), format!("{path}{OPENID}")] {
        let mut address = issuer.clone();
        address.set_path(&path);
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(issuer: &str) -> Vec<String> {
        well_known(issuer).into_iter().map(Into::into).collect()
    }

    #[test]
    fn disc_01_disc_02_where_the_metadata_is_looked_for() {
        for issuer in ["https://h", "https://h/"] {
            assert_eq!(
                addresses(issuer),
                [
                    "https://h/.well-known/oauth-authorization-server",
                    "https://h/.well-known/openid-configuration",
                ]
            );
        }
        for issuer in ["https://h:8443/t", "https://h:8443/t/"] {
            assert_eq!(
                addresses(issuer),
                [
                    "https://h:8443/.well-known/oauth-authorization-server/t",
                    "https://h:8443/.well-known/openid-configuration/t",
                    "https://h:8443/t/.well-known/openid-configuration",
                ]
            );
        }
    }

    #[test]
    fn disc_04_the_document_is_an_object() {
        let good = r#" {"x":[[1]],"issuer":"https://h","jwks_uri":"https://h/k"} "#;
        assert!(parse(good.as_bytes()).is_some_and(|metadata| metadata.issuer == "https://h"));
        let bad: [&[u8]; 6] = [
            b"",
            br#"["https://h","https://h/k"]"#,
            br#"{"issuer":"https://h","jwks_uri":7}"#,
            br#"{"issuer":"https://h","jwks_uri":"https://h/k","issuer":"https://h"}"#,
            br#"{"issuer":"https://h","jwks_uri":"https://h/k"}{}"#,
            b"{\"issuer\":\"https://h\",\"jwks_uri\":\"https://h/k\",\"x\":\"\xFF\"}",
        ];
        for document in bad {
            assert!(parse(document).is_none(), "{document:?}");
        }
    }

    #[test]
    fn disc_04_the_media_type_is_json() {
        let json = |value| is_json(Some(&HeaderValue::from_static(value)));
        assert!(json("application/json"));
        assert!(json("Application/JSON ; charset=utf-8"));
        assert!(!json("text/html"));
        assert!(!json("application/jsonp"));
        assert!(!is_json(None));
    }
}
