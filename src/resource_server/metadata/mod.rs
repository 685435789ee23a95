//! Protected resource metadata (RFC 9728): where a client finds out who gives tokens for this
//! resource.

mod identifier;
mod settings;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE,
};
use http::{HeaderValue, Method, Response, StatusCode, Uri};
use serde::Serialize;

pub(crate) use identifier::ResourceIdentifier;
pub(super) use settings::{Advertised, Checked};

/// How long clients and caches may keep the document, and browsers what they found out about it.
const CACHING: HeaderValue = HeaderValue::from_static("public, max-age=3600");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// The metadata document of a resource (RFC 9728 §3.2), and where it is served.
///
/// It is public: it is answered without a token, to scripts of every origin, and may be cached for an
/// hour. [`ResourceServer::metadata_layer`](crate::ResourceServer::metadata_layer) serves it, and so
/// does the router of the feature `axum`; this is for everything else.
///
/// ```
/// use portcullis::{Issuer, ResourceServer};
///
/// let api = ResourceServer::builder()
///     .issuer(Issuer::discover("https://login.example.com"))
///     .resource("https://api.example.com/v1")
///     .build()?;
/// let metadata = api.metadata().unwrap();
/// assert_eq!(
///     metadata.url(),
///     "https://api.example.com/.well-known/oauth-protected-resource/v1",
/// );
/// assert_eq!(
///     metadata.json(),
///     r#"{"resource":"https://api.example.com/v1","authorization_servers":["https://login.example.com"],"bearer_methods_supported":["header"]}"#,
/// );
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ResourceMetadata {
    url: String,
    json: Bytes,
    targets: Vec<Target>,
}

/// Where the document is, in the words of requests.
#[derive(Debug, Clone)]
struct Target {
    path: String,
    query: Option<String>,
}

/// The members of the document, in its order. Those that would be empty are left out (§3.2).
#[derive(Serialize)]
struct Document<'a> {
    resource: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    authorization_servers: &'a [&'a str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    scopes_supported: &'a [&'a str],
    bearer_methods_supported: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_documentation: Option<&'a str>,
}

impl ResourceMetadata {
    /// `at_root` serves the document of a resource with a path also where that of the host would be.
    fn new(
        identifier: &ResourceIdentifier,
        document: &Document<'_>,
        at_root: bool,
    ) -> Result<Self, serde_json::Error> {
        let root = identifier.root_target().filter(|_| at_root);
        let targets = [identifier.target()].into_iter().chain(root.map(str::to_owned));
        Ok(Self {
            url: identifier.document(),
            json: serde_json::to_vec(document)?.into(),
            targets: targets.map(Target::new).collect(),
        })
    }

    /// The address that challenges name (§5.1).
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The document.
    pub fn json(&self) -> &str {
        std::str::from_utf8(&self.json).unwrap_or_default()
    }

    /// The paths at which it is served.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().map(|target| target.path.as_str())
    }

    /// The answer to a request for the document, `None` if it is one for something else. A query
    /// matters where the resource identifier has one.
    pub fn answer(&self, method: &Method, uri: &Uri) -> Option<Response<Bytes>> {
        self.targets.iter().any(|target| target.is(uri)).then(|| self.response(method))
    }

    fn response(&self, method: &Method) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
        match *method {
            Method::GET | Method::HEAD => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                headers.insert(CACHE_CONTROL, CACHING);
                // RFC 9110 §9.3.2.
                headers.insert(CONTENT_LENGTH, self.json.len().into());
                if *method == Method::GET {
                    *response.body_mut() = self.json.clone();
                }
            }
            // Clients of the Model Context Protocol send a field of their own, so browsers ask first.
            Method::OPTIONS => {
                headers.insert(ALLOW, METHODS);
                headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ANY);
                headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
                *response.status_mut() = StatusCode::NO_CONTENT;
            }
            _ => {
                headers.insert(ALLOW, METHODS);
                *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            }
        }
        response
    }
}

impl Target {
    fn new(text: String) -> Self {
        match text.split_once('?') {
            Some((path, query)) => Self { path: path.to_owned(), query: Some(query.to_owned()) },
            None => Self { path: text, query: None },
        }
    }

    fn is(&self, uri: &Uri) -> bool {
        uri.path() == self.path
            && self.query.as_deref().is_none_or(|query| uri.query() == Some(query))
    }
}
