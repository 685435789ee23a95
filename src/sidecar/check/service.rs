//! What only the sidecar has: the service behind it, and its rules.

use std::path::Path;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::page::Page;
use crate::env::variables;
use crate::sidecar::rules::Rules;
use crate::sidecar::settings::{Networks, UpstreamAddress};
use crate::sidecar::words::{enumerate, shown};

const PATIENCE: Duration = Duration::from_secs(3);

/// Whether the service takes connections. It may still be starting, so that it does not is a
/// warning.
pub(super) async fn upstream(page: &mut Page, address: &UpstreamAddress) {
    page.heading(&format!("Upstream {}", shown(&address.to_string())));
    let connection = TcpStream::connect((address.host.as_str(), address.port));
    let fault = match timeout(PATIENCE, connection).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("no connection within {} s", PATIENCE.as_secs())),
    };
    match fault {
        None => page.row("connection", "good"),
        Some(fault) => {
            page.row("connection", &shown(&fault));
            page.warn("the upstream cannot be reached; until it can, requests get 502 or 504");
        }
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
    use crate::sidecar::settings::Protocol;

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
