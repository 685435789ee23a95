//! What only the sidecar has: the service behind it, and its rules.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::page::Page;
use crate::env::variables;
use crate::sidecar::rules::Rules;
use crate::sidecar::settings::{Networks, Protocol, UpstreamAddress};
use crate::sidecar::words::{enumerate, shown};

const PATIENCE: Duration = Duration::from_secs(3);

/// Whether the service takes connections. It may still be starting, so that it does not is a
/// warning.
pub(super) async fn upstream(page: &mut Page, address: &UpstreamAddress) {
    page.heading(&format!("Upstream {}", shown(&address.to_string())));
    let connection = TcpStream::connect((address.host.as_str(), address.port));
    let connected = match timeout(PATIENCE, connection).await {
        Ok(connected) => connected.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no connection within {} s", PATIENCE.as_secs())),
    };
    let fault = match connected {
        Ok(stream) => {
            page.row("connection", "good");
            if address.protocol == Protocol::H2c {
                protocol(page, stream).await;
            }
            None
        }
        Err(fault) => Some(fault),
    };
    match fault {
        None => {}
        Some(fault) => {
            page.row("connection", &shown(&fault));
            page.warn("the upstream cannot be reached; until it can, requests get 502 or 504");
        }
    }
}

/// Whether the service begins as HTTP/2 does (RFC 9113 §3.4), with `SETTINGS`.
async fn protocol(page: &mut Page, mut stream: TcpStream) {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let mut head = [0; 9];
    let settings = async {
        stream.write_all(PREFACE).await?;
        stream.read_exact(&mut head).await
    };
    let begun = timeout(PATIENCE, settings).await;
    if matches!(begun, Ok(Ok(_))) && matches!(head, [_, _, _, 4, 0, 0, 0, 0, 0]) {
        page.row("protocol", "HTTP/2");
    } else {
        page.row("protocol", "not HTTP/2");
        page.warn(
            "the upstream does not speak HTTP/2 with prior knowledge, as h2c:// asks for; write \
             http:// where it speaks HTTP/1.1",
        );
    }
}

/// Who may ask, where there is no service behind us but a gateway before us.
pub(super) fn gateways(page: &mut Page, trusted: &Networks) {
    page.heading("Gateways");
    page.row("believed", &enumerate(trusted.iter().map(ToString::to_string), " "));
}

/// The rules of a file without faults, and what may not be meant in them.
pub(super) fn rules(page: &mut Page, file: &Path, rules: &Rules) {
    page.heading("Rules");
    page.row("file", &shown(&file.display().to_string()));
    page.row("rules", &rules.len().to_string());
    for warning in rules.warnings() {
        page.warn(format!("{}: {warning}", variables::RULES));
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_upstream_that_is_not_there_is_a_warning() {
        let listener = TcpListener::bind("[::1]:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let address = UpstreamAddress { protocol: Protocol::Http1, host: "::1".to_owned(), port };
        let told = async || {
            let mut page = Page::default();
            upstream(&mut page, &address).await;
            page.to_string()
        };
        let good = told().await;
        assert!(good.contains("connection        good") && !good.contains("Warnings"), "{good}");
        drop(listener);
        let gone = told().await;
        assert!(gone.contains("refused") && gone.contains("Warnings\n  the upstream"), "{gone}");
    }

    #[tokio::test]
    async fn a_service_behind_h2c_has_to_speak_http2() {
        for (answer, row) in [
            (&b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64"[..], "HTTP/2"),
            (b"\0\0\0\x04\0\0\0\0\0", "HTTP/2"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not HTTP/2"),
            (b"\0\0\0\x07\0\0\0\0\0", "not HTTP/2"),
            (b"\0\0\0\x04\x01\0\0\0\0", "not HTTP/2"),
            (b"", "not HTTP/2"),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let host = "127.0.0.1".to_owned();
            let address = UpstreamAddress { protocol: Protocol::H2c, host, port };
            let service = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.read_exact(&mut [0; 33]).await.unwrap();
                stream.write_all(answer).await.unwrap();
            });
            let mut page = Page::default();
            upstream(&mut page, &address).await;
            service.await.unwrap();
            let text = page.to_string();
            assert!(text.contains(&format!("protocol          {row}\n")), "{answer:?} {text}");
            assert_eq!(text.contains("as h2c:// asks for"), row != "HTTP/2", "{text}");
        }
    }

    #[test]
    fn rules_are_counted_and_their_warnings_told() {
        let text = "[[rule]]\npath = \"/{*rest}\"\n[[rule]]\npath = \"/a\"\npublic = true\n";
        let mut page = Page::default();
        rules(&mut page, Path::new("/etc/rules.toml"), &Rules::parse(text).unwrap());
        let text = page.to_string();
        assert!(text.contains("rules             2"), "{text}");
        assert!(text.contains("Warnings\n  PORTCULLIS_RULES: "), "{text}");
    }
}
