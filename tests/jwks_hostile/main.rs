//! Broken and hostile authorization servers, on real sockets: none of them gets a token accepted
//! that a sound one would not, none takes good keys away, and the operator reads what is wrong.

mod answers;
mod discovery;
mod entries;
mod redirects;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;

use portcullis::{Issuer, KeyState, RejectionKind, ResourceServer};
use support::fixture::{Expected, Fixture, ISSUER, bearer, kind, send};
use support::scripted_as::{Reply, ScriptedAs};
use tokio::task::JoinSet;

const JWKS: &str = "/jwks";

/// A resource server that knows where the keys are.
fn server(fixture: &Fixture, fake: &ScriptedAs) -> ResourceServer {
    let issuer = Issuer::with_jwks_uri(ISSUER, format!("{}{JWKS}", fake.origin));
    fixture.builder_with(issuer).build().unwrap()
}

/// A server that answers like this to everything.
async fn always(reply: Reply) -> ScriptedAs {
    ScriptedAs::start(move |_| reply.clone()).await
}

fn good_set(fixture: &Fixture) -> Reply {
    Reply::json(fixture.key.jwks())
}

/// What `load_keys` says to the operator.
#[track_caller]
fn complaint(loaded: Result<(), portcullis::KeysUnavailable>, name: &str) -> String {
    loaded.expect_err(name).to_string()
}

/// One way to answer badly, and what the operator has to read about it.
struct Case {
    name: &'static str,
    reply: Reply,
    telling: &'static str,
}

impl Case {
    fn new(name: &'static str, reply: Reply, telling: &'static str) -> Self {
        Self { name, reply, telling }
    }

    /// Where there are no keys yet: no token can be judged, which is not the client's fault.
    async fn comes_first(self, fixture: Arc<Fixture>) {
        let Self { name, reply, telling } = self;
        let fake = always(reply).await;
        let server = server(&fixture, &fake);
        send(&server, bearer(&fixture.good())).await.is(Expected::Unavailable, name);
        let judged = kind(&server, &fixture.good()).await;
        assert_eq!(judged, Err(RejectionKind::KeysUnavailable), "{name}");
        let complaint = complaint(server.load_keys().await, name);
        assert!(complaint.contains(telling), "{name}: {complaint}");
        assert!(complaint.contains(&fake.origin), "{name}: {complaint}");
        assert_eq!(status(&server), (KeyState::Missing, 0, true), "{name}");
        assert!(fake.log().iter().all(|path| path == JWKS), "{name}: {:?}", fake.log());
        fake.idle().await;
    }

    /// Where there are good keys: they stay.
    async fn comes_later(self, fixture: Arc<Fixture>) {
        let Self { name, reply, telling } = self;
        let fake = always(good_set(&fixture)).await;
        let server = server(&fixture, &fake);
        server.load_keys().await.unwrap();
        fake.answer_with(move |_| reply.clone());
        let complaint = complaint(server.load_keys().await, name);
        assert!(complaint.contains(telling), "{name}: {complaint}");
        assert_eq!(status(&server), (KeyState::Fresh, 1, true), "{name}");
        send(&server, bearer(&fixture.good())).await.is(Expected::Ok, name);
        assert!(fake.log().iter().all(|path| path == JWKS), "{name}: {:?}", fake.log());
        fake.idle().await;
    }
}

/// What there is, and whether the last attempt failed.
fn status(server: &ResourceServer) -> (KeyState, usize, bool) {
    let status = server.keys().remove(0);
    (status.state, status.keys, status.last_error.is_some())
}

/// All at once, as some take their time.
async fn first_and_later(cases: impl Fn(&Fixture) -> Vec<Case>) {
    let fixture = Arc::new(Fixture::new());
    let mut running = JoinSet::new();
    for case in cases(&fixture) {
        running.spawn(case.comes_first(Arc::clone(&fixture)));
    }
    for case in cases(&fixture) {
        running.spawn(case.comes_later(Arc::clone(&fixture)));
    }
    running.join_all().await;
}
