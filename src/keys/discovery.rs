//! From an issuer to its keys (RFC 8414, OpenID Connect Discovery 1.0).

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use tokio::time::timeout;
use url::Url;

use super::loaded::Known;
use super::{LoadError, Loaded};
use crate::fetch::{self, AllowHttp, HttpClient, shown};
use crate::jose::{Algorithm, json};

/// Metadata documents are a few kilobytes. Bytes.
const MAX_BYTES: usize = 256 * 1024;

/// An issuer that is asked for its metadata.
#[derive(Debug, Clone)]
pub(crate) struct Discovery {
    pub(crate) client: HttpClient,
    pub(crate) issuer: String,
    pub(crate) allow_http: AllowHttp,
}

/// What a good metadata document said, and where it was.
#[derive(Debug, Clone)]
pub(super) struct Metadata {
    address: Url,
    etag: Option<HeaderValue>,
    pub(super) jwks_uri: Url,
}

/// The part of the document that matters here (RFC 8414 §2).
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

/// What became of the metadata in an attempt.
pub(super) enum Discovered {
    /// There was nothing to ask, or the attempt failed for it.
    Nothing,
    Metadata(Result<Metadata, LoadError>),
    /// It takes longer than the keys; the attempt is over without it.
    Late(LateMetadata),
}

pub(super) type LateMetadata = Pin<Box<dyn Future<Output = Result<Metadata, LoadError>> + Send>>;

/// How long keys at hand wait for metadata: a request may be waiting for them.
const GRACE: Duration = Duration::from_secs(1);

impl Discovery {
    /// One attempt. Where the address of the keys is known from `metadata` of an earlier attempt, or
    /// from the `known` keys, both are asked for at once: an address that metadata cannot confirm
    /// stays, one that has changed is followed.
    pub(super) async fn load(
        &self,
        algorithms: &[Algorithm],
        known: Known<'_>,
        metadata: Option<Arc<Metadata>>,
    ) -> (Result<Loaded, LoadError>, Discovered) {
        let place = metadata.as_ref().map(|metadata| &metadata.jwks_uri);
        let place = place.or_else(|| known.keys?.address.as_ref()).cloned();
        let asked = self.clone();
        let mut metadata: LateMetadata =
            Box::pin(async move { asked.metadata(metadata.as_deref()).await });
        let Some(address) = place else {
            return match metadata.await {
                Ok(metadata) => self.follow(metadata, algorithms, known).await,
                Err(error) => (Err(error), Discovered::Nothing),
            };
        };
        let keys = pin!(Loaded::fetch(&self.client, address.clone(), algorithms, known));
        let (keys, metadata) = match select(keys, &mut metadata).await {
            Either::Left((Ok(keys), _)) => match timeout(GRACE, &mut metadata).await {
                Ok(metadata) => (Ok(keys), metadata),
                Err(_) => return (Ok(keys), Discovered::Late(metadata)),
            },
            // Nothing is at hand that could wait: only the metadata can help now.
            Either::Left((Err(error), _)) => (Err(error), metadata.await),
            Either::Right((Ok(metadata), _)) if metadata.jwks_uri != address => {
                return self.follow(metadata, algorithms, known).await;
            }
            Either::Right((metadata, keys)) => (keys.await, metadata),
        };
        match metadata {
            Ok(metadata) if metadata.jwks_uri != address => {
                self.follow(metadata, algorithms, known).await
            }
            metadata => (keys, Discovered::Metadata(metadata)),
        }
    }

    /// Whether metadata of this issuer may name this address.
    pub(super) fn may_lead_to(&self, place: &Url) -> bool {
        keys_at(place.as_str(), &self.issuer, self.allow_http).is_ok()
    }

    async fn follow(
        &self,
        metadata: Metadata,
        algorithms: &[Algorithm],
        known: Known<'_>,
    ) -> (Result<Loaded, LoadError>, Discovered) {
        let address = metadata.jwks_uri.clone();
        let keys = Loaded::fetch(&self.client, address, algorithms, known).await;
        (keys, Discovered::Metadata(Ok(metadata)))
    }

    /// Asks where the metadata was before, else the well-known addresses in order.
    async fn metadata(&self, known: Option<&Metadata>) -> Result<Metadata, LoadError> {
        let elsewhere = well_known(&self.issuer)
            .into_iter()
            .filter(|address| known.is_none_or(|known| known.address != *address))
            .map(|address| (address, None));
        let known = known.map(|known| (known.address.clone(), Some(known)));
        let mut first_fault = None;
        for (address, known) in known.into_iter().chain(elsewhere) {
            let fault = match self.read_at(address, known).await {
                Ok(metadata) => return Ok(metadata),
                Err(fault) => fault,
            };
            if let LoadError::Fetch { error, .. } = &fault
                && error.is_unreachable()
            {
                return Err(fault);
            }
            // A document that is wrong says more than one that is not there.
            let says_more = matches!(fault, LoadError::Metadata { .. })
                && !matches!(first_fault, Some(LoadError::Metadata { .. }));
            if first_fault.is_none() || says_more {
                first_fault = Some(fault);
            }
        }
        Err(first_fault.unwrap_or(LoadError::NoAddress))
    }

    async fn read_at(&self, address: Url, known: Option<&Metadata>) -> Result<Metadata, LoadError> {
        let etag = known.and_then(|known| known.etag.as_ref());
        let answer = match fetch::get(&self.client, &address, MAX_BYTES, etag).await {
            Ok(answer) => answer,
            Err(error) => return Err(LoadError::Fetch { address, error }),
        };
        match (&answer.body, known) {
            (None, Some(known)) => Ok(known.clone()),
            (body, _) => {
                let body = body.as_ref().map(Bytes::as_ref).unwrap_or_default();
                match read(&answer.headers, body, &self.issuer, self.allow_http) {
                    Ok(jwks_uri) => Ok(Metadata { address, etag: answer.etag(), jwks_uri }),
                    Err(fault) => Err(LoadError::Metadata { address, fault }),
                }
            }
        }
    }
}

fn read(
    headers: &HeaderMap,
    body: &[u8],
    issuer: &str,
    allow_http: AllowHttp,
) -> Result<Url, String> {
    if !is_json(headers.get(CONTENT_TYPE)) {
        return Err("is not application/json".to_owned());
    }
    let metadata: Document = json::document(body).map_err(|problem| {
        let expected = "a JSON object with the strings \"issuer\" and \"jwks_uri\"";
        format!("is not {expected}: {problem}")
    })?;
    // RFC 8414 §3.3: identical, or nothing in the document may be used.
    if metadata.issuer != issuer {
        let named: String = shown(&metadata.issuer).chars().take(256).collect();
        return Err(format!("names another issuer than the configured one: {named:?}"));
    }
    keys_at(&metadata.jwks_uri, issuer, allow_http)
        .map_err(|problem| format!("cannot be used, for its jwks_uri {problem}"))
}

/// The address of an issuer's keys, if it may be one.
fn keys_at(jwks_uri: &str, issuer: &str, allow_http: AllowHttp) -> Result<Url, &'static str> {
    let jwks_uri = allow_http.check(jwks_uri)?;
    // Loopback is for issuers of this machine; no other has a say in what is asked here.
    let is_inward = jwks_uri.scheme() == "http"
        && issuer.starts_with("https://")
        && allow_http == AllowHttp::Loopback;
    if is_inward { Err("is on this machine, and the issuer is not") } else { Ok(jwks_uri) }
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
        let parse = |document| json::document::<Document>(document).ok();
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
