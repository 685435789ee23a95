//! What a front is started with.

use std::collections::BTreeMap;

use portcullis::testing::{Authority, ManualClock, Outage};
use portcullis::{ResourceServer, ResourceServerBuilder};

use super::scripted_as::ScriptedAs;
use super::spoken::Spoken;
use super::{Reachable, Rule, Table};

/// An authorization server and how the front before it is configured.
pub struct Stage {
    pub authority: Authority,
    /// Whether it answers nothing, so that a front never gets ready.
    pub is_down: bool,
    /// `PORTCULLIS_*`, with the issuer.
    pub variables: BTreeMap<String, String>,
    pub rules: Vec<Rule>,
    /// Who is asked about tokens that are no JWTs, if anybody is.
    _asked: Option<ScriptedAs>,
}

impl Stage {
    pub(super) async fn new(table: &Table, reachable: Reachable) -> Self {
        let is_down = reachable == Reachable::Down;
        let resource = &table.server["PORTCULLIS_RESOURCE"];
        let authority = Authority::builder().audience(resource).clock(ManualClock::running());
        let authority = authority.serve().await.unwrap();
        if is_down {
            authority.set_outage(Outage::Everything);
        }
        let mut variables = table.server.clone();
        variables.insert("PORTCULLIS_ISSUER".to_owned(), authority.issuer_url().to_owned());
        // The suite is run without remembered tokens too, and has to say the same.
        if let Ok(tokens) = std::env::var("TEST_TOKEN_CACHE") {
            variables.insert("PORTCULLIS_TOKEN_CACHE".to_owned(), tokens);
        }
        let mut asked = None;
        if reachable == Reachable::Asked {
            let server = asked.insert(Spoken::serve().await);
            let at = format!("{}/introspect", server.origin);
            for (name, value) in [
                ("PORTCULLIS_INTROSPECTION_URI", at.as_str()),
                ("PORTCULLIS_INTROSPECTED_TOKENS", "opaque"),
                ("PORTCULLIS_CLIENT_ID", "rs"),
                ("PORTCULLIS_CLIENT_SECRET", "rs-secret"),
            ] {
                variables.insert(name.to_owned(), value.to_owned());
            }
        }
        Self { authority, is_down, variables, rules: table.rules.clone(), _asked: asked }
    }

    /// The resource server that the variables describe.
    pub fn server(&self) -> ResourceServer {
        ResourceServerBuilder::from_vars(&self.variables).unwrap().build().unwrap()
    }

    /// The rules file.
    pub fn rules_file(&self) -> String {
        self.rules.iter().map(Rule::toml).collect::<Vec<_>>().join("\n")
    }
}
