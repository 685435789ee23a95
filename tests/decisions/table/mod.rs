//! The decision table: requests, rules and what has to come of them, whatever front they go
//! through. `table.json` is the table; a front implements [`Front`] and calls [`check`].
//!
//! - `server` are the variables that every resource server of the table has, besides the issuer;
//!   `rules` is what the rules file says.
//! - A row has a `request` (`POST`, without a body), in whose path and headers `{token}` is the
//!   token that is minted for it, and a `host` if it says one. `"authority": "down"` means that keys
//!   were never to be had; `"asked"`, that the authority is asked about tokens that are no JWTs.
//! - The `certificate` of a request is what its client has shown in TLS.
//! - `expect` is the decision in neutral terms. Every challenge has the parameters of
//!   `every_challenge` besides its own.
//!
//! A module of several test crates, each of which uses a part of it.
#![allow(dead_code, unreachable_pub)]

mod answer;
#[path = "../../support/challenge.rs"]
mod challenge;
mod mint;
mod rules;
#[path = "../../support/scripted_as/mod.rs"]
mod scripted_as;
mod spoken;
mod stage;

use std::collections::BTreeMap;

use http::header::HOST;
use http::{HeaderName, HeaderValue, Method, Request};
use portcullis::ClientCertificate;
use portcullis::testing::Authority;
use serde::Deserialize;
use serde_json::{Map, Value};

pub use answer::{Answer, Refused};
pub use rules::Rule;
pub use stage::Stage;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub server: BTreeMap<String, String>,
    every_challenge: BTreeMap<String, String>,
    every_token: Map<String, Value>,
    pub rules: Vec<Rule>,
    pub rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub name: String,
    /// Rows and requirements of the specification.
    pub ids: Vec<String>,
    #[serde(default)]
    authority: Reachable,
    request: RequestText,
    token: Option<mint::Token>,
    pub expect: Expected,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Reachable {
    #[default]
    Up,
    Down,
    Asked,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestText {
    path: String,
    host: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    /// What the client shows in TLS: any text, for nobody looks into a certificate.
    certificate: Option<String>,
}

#[derive(Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    Allowed(Passed),
    Refused(ExpectedRefusal),
}

#[derive(Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(untagged)]
pub enum Passed {
    /// No token was looked at; the text is `public`.
    Public(Public),
    With {
        subject: String,
        scope: String,
    },
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Public {
    Public,
}

#[derive(Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ExpectedRefusal {
    /// The name of a `RejectionKind`.
    pub kind: String,
    pub status: u16,
    pub grpc: u8,
    /// Each with its scheme and its parameters.
    pub challenges: Vec<BTreeMap<String, String>>,
}

/// Whatever takes requests and lets them pass or refuses them.
pub trait Front {
    /// What becomes of a request. It has no body and no content type; a front of gRPC adds its own. The
    /// host, if it says one, is in the field of HTTP/1.1; [`host_of`] takes it out for fronts that are told
    /// in another way.
    fn ask(&self, request: Request<()>) -> impl Future<Output = Answer>;

    /// Whether clients can show a certificate to it: it has to be among the extensions of a request.
    /// Rows with a certificate are for such fronts alone.
    const SEES_CERTIFICATES: bool = false;

    /// What this front has to say, where it cannot say what the table does. Every use of it is a
    /// difference between fronts, and needs a reason.
    fn expects(&self, row: &Row) -> Expected {
        row.expect.clone()
    }
}

/// What a request says of its host, in the field of HTTP/1.1 no longer.
pub fn host_of(request: &mut Request<()>) -> Option<String> {
    let host = request.headers_mut().remove(HOST)?;
    Some(host.to_str().unwrap().to_owned())
}

impl Table {
    pub fn read() -> Self {
        let mut table: Self = serde_json::from_str(include_str!("table.json")).unwrap();
        for row in &mut table.rows {
            if let Expected::Refused(refusal) = &mut row.expect {
                for challenge in &mut refusal.challenges {
                    challenge.extend(table.every_challenge.clone());
                }
            }
        }
        table
    }

    fn request(&self, row: &Row, authority: &Authority) -> Request<()> {
        let token = row.token.as_ref().map(|token| token.mint(authority, &self.every_token));
        let fill = |text: &str| match &token {
            Some(token) => text.replace("{token}", token),
            None => text.to_owned(),
        };
        let uri = fill(&row.request.path);
        let mut request = Request::builder().method(Method::POST).uri(uri).body(()).unwrap();
        if let Some(host) = &row.request.host {
            request.headers_mut().insert(HOST, HeaderValue::from_str(host).unwrap());
        }
        for (name, value) in &row.request.headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, HeaderValue::from_str(&fill(value)).unwrap());
        }
        if let Some(certificate) = &row.request.certificate {
            request.extensions_mut().insert(ClientCertificate::from_der(certificate));
        }
        request
    }
}

/// Asks a front for every row and tells all differences. `start` makes a front of a stage: one
/// where the authority is there, one where it has never been, and one where it is asked about tokens.
pub async fn check<F: Front>(start: impl AsyncFn(&Stage) -> F) {
    let table = Table::read();
    let mut faults = Vec::new();
    for reachable in [Reachable::Up, Reachable::Down, Reachable::Asked] {
        let stage = Stage::new(&table, reachable).await;
        let front = start(&stage).await;
        let is_asked = |row: &&Row| {
            row.authority == reachable
                && (F::SEES_CERTIFICATES || row.request.certificate.is_none())
        };
        for row in table.rows.iter().filter(is_asked) {
            let answer = front.ask(table.request(row, &stage.authority)).await;
            let expected = front.expects(row);
            if let Err(fault) = answer.check(&expected) {
                faults.push(format!("{} {:?}: {fault}", row.name, row.ids));
            }
        }
    }
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
}
