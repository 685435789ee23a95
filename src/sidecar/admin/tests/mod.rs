mod browser;
mod pages;
mod port;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::authentication::Issuer;
use crate::jose::Algorithm;
use crate::rejection_kind::RejectionKind;
use crate::resource_server::ResourceServer;
use crate::sidecar::telemetry::{BadRequest, Outcome, UpstreamFailure, Watched};

const ISSUER: &str = "https://as.example";
/// RFC 8037 §A.2.
const JWKS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"2026-key",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

fn good_issuer() -> Issuer {
    Issuer::with_jwks(ISSUER, JWKS).algorithms([Algorithm::EdDSA]).audience("https://api.example")
}

/// One that nobody has asked for keys.
fn idle_issuer() -> Issuer {
    Issuer::discover("https://idle.example").audience("https://api.example")
}

fn server(issuers: impl IntoIterator<Item = Issuer>) -> ResourceServer {
    let builder = issuers.into_iter().fold(ResourceServer::builder(), |all, one| all.issuer(one));
    builder.build().unwrap()
}

fn admin_of(server: ResourceServer, reloads: Reloads) -> Admin {
    let configuration =
        [("PORTCULLIS_UPSTREAM", "http://127.0.0.1:3000"), ("PORTCULLIS_MODE", "proxy")];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Admin::new(
        Arc::new(Telemetry::new(server)),
        Arc::default(),
        Arc::new(reloads),
        configuration.map(owned).into(),
    )
}

fn admin() -> Admin {
    admin_of(server([good_issuer()]), Reloads::default())
}

/// An admin port on a real socket.
struct Port {
    address: SocketAddr,
    admin: Arc<Admin>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Port {
    async fn open(admin: Admin) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let admin = Arc::new(admin);
        let until = async { stopped.await.unwrap_or_default() };
        let serving = tokio::spawn(serve(listener, Arc::clone(&admin), until));
        Self { address, admin, stop, serving }
    }

    /// The answer to these bytes, up to the end of the connection.
    async fn send(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        Answer(answer)
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address)).await
    }
}

struct Answer(String);

impl Answer {
    fn head(&self) -> &str {
        self.0.split_once("\r\n\r\n").unwrap().0
    }

    fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").unwrap().1
    }

    fn status(&self) -> u16 {
        self.0.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head().lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }
}
