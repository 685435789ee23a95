//! A sidecar before a service of bytes, and who may use it.

use super::{Connection, RawUpstream, Sidecar, authority, bearer};

pub(crate) struct Stage {
    pub(crate) sidecar: Sidecar,
    pub(crate) upstream: RawUpstream,
    /// The header line with a good token.
    pub(crate) auth: String,
}

impl Stage {
    pub(crate) async fn before(upstream: RawUpstream) -> Self {
        let authority = authority().await;
        let sidecar = Sidecar::before_address(upstream.address(), &authority).start();
        Self { sidecar, upstream, auth: bearer(&authority.token()) }
    }

    /// Before a service that answers every request with these bytes, and says so in them where the
    /// connection ends with them.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::before(RawUpstream::serving(move |connection| {
            connection.send(&answer);
            !answer.windows(17).any(|window| window == b"Connection: close")
        }))
        .await
    }

    /// The head of a good request, to be ended with an empty line.
    pub(crate) fn head(&self, method: &str, lines: &str) -> String {
        format!("{method} /a HTTP/1.1\r\nHost: api.example\r\n{}{lines}\r\n", self.auth)
    }

    pub(crate) fn open(&self) -> Connection {
        Connection::open(self.sidecar.address())
    }

    /// A connection on which a good request has been sent.
    pub(crate) fn ask(&self, method: &str, lines: &str) -> Connection {
        let mut connection = self.open();
        connection.send(self.head(method, lines).as_bytes());
        connection
    }
}
