//! One API behind two fronts, so that a system is asked of both alike.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use portcullis::{AccessToken, Requirement, ResourceServer};
use tokio::net::TcpListener;

use crate::sidecar_support::{Settings, Sidecar, Upstream};

/// The layer and the sidecar, each with the same routes.
pub(crate) struct Fronts {
    layer: SocketAddr,
    sidecar: Sidecar,
    _upstream: Upstream,
}

/// What a client sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) error: Option<String>,
    pub(crate) scope: Option<String>,
    challenge: Option<String>,
    body: String,
}

impl Answer {
    /// Whether anything of it has this in it.
    pub(crate) fn holds(&self, text: &str) -> bool {
        self.body.contains(text) || self.challenge.as_ref().is_some_and(|all| all.contains(text))
    }
}

impl Fronts {
    /// `routes` are for the layer what `rules` are for the sidecar.
    pub(crate) async fn start(
        api: &ResourceServer,
        routes: &[(&str, Requirement)],
        issuer: &str,
        variables: &[(&str, &str)],
        rules: &str,
    ) -> Self {
        async fn who(token: AccessToken) -> String {
            token.subject().to_string()
        }
        let mut app = Router::new();
        for (path, needed) in routes {
            app = app.route(path, get(who).route_layer(api.require(needed.clone())));
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let layer = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });

        let upstream = Upstream::start().await;
        let settings = variables.iter().fold(
            Sidecar::trusting(issuer, upstream.address()),
            |settings: Settings, (name, value)| settings.with(name, value),
        );
        let sidecar = settings.rules(rules).start();
        Self { layer, sidecar, _upstream: upstream }
    }

    /// What both of them say, which is the same.
    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        let layer = ask(self.layer, path, token).await;
        let mut sidecar = ask(self.sidecar.address(), path, token).await;
        if layer.status == 200 {
            // The handler's, and the upstream's.
            sidecar.body.clone_from(&layer.body);
        }
        assert_eq!(layer, sidecar, "{path}");
        layer
    }

    #[track_caller]
    pub(crate) fn allows(&self, path: &str, token: &str) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move { assert_eq!(self.get(path, token).await.status, 200, "{path} at {place}") }
    }

    #[track_caller]
    pub(crate) fn refuses(
        &self,
        path: &str,
        token: &str,
        status: u16,
        error: Option<&str>,
    ) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let answer = self.get(path, token).await;
            let told = (answer.status, answer.error.as_deref());
            assert_eq!(told, (status, error), "{path} at {place}: {answer:?}");
        }
    }
}

async fn ask(address: SocketAddr, path: &str, token: &str) -> Answer {
    let request = reqwest::Client::new().get(format!("http://{address}{path}")).bearer_auth(token);
    let response = request.send().await.unwrap();
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
    let parameter = |name: &str| {
        let (_, rest) = challenge.as_ref()?.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let (error, scope) = (parameter("error"), parameter("scope"));
    let status = response.status().as_u16();
    Answer { status, error, scope, challenge, body: response.text().await.unwrap() }
}
