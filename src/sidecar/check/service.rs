//! What only the sidecar has: the service behind it, and its rules.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::page::Page;
use crate::sidecar::words::shown;

const PATIENCE: Duration = Duration::from_secs(3);

/// Whether the service takes connections. It may still be starting, so that it does not is a
/// warning. `authority` is `host:port`.
#[allow(dead_code, reason = "called as soon as there are settings that name an upstream")]
pub(super) async fn upstream(page: &mut Page, authority: &str) {
    page.heading(&format!("Upstream {}", shown(authority)));
    let fault = match timeout(PATIENCE, TcpStream::connect(authority)).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("no connection within {} s", PATIENCE.as_secs())),
    };
    match fault {
        None => page.row("connection", "good"),
        Some(fault) => {
            page.row("connection", &shown(&fault));
            let problem = "the upstream cannot be reached; until it can, requests get 502";
            page.warn(problem);
        }
    }
}

/// The rules of a file without faults, and what may not be meant in them.
#[allow(dead_code, reason = "called as soon as there are settings that name rules")]
pub(super) fn rules(page: &mut Page, path: &str, rules: usize, warnings: &[String]) {
    page.heading("Rules");
    page.row("file", &shown(path));
    page.row("rules", &rules.to_string());
    for warning in warnings {
        page.warn(warning.as_str());
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_upstream_that_is_not_there_is_a_warning() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
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
        let mut page = Page::default();
        rules(&mut page, "/etc/rules.toml", 2, &["rule 2 is never reached".to_owned()]);
        let text = page.to_string();
        assert!(text.contains("rules             2"), "{text}");
        assert!(text.contains("Warnings\n  rule 2"), "{text}");
    }
}
