//! The configuration as it counts, for the log at the start and the status page. Nothing secret can
//! be in it: values of variables that may hold secrets are told by where they are from.

use super::{LogFormat, Mode, Pem, Settings};
use crate::env::{Origin, Read, Source, variables};
use crate::fetch::shown;

/// What the engine was told, as it was told. Of what is secret, or may hold secret keys, only the
/// origin is named.
pub(super) fn of_engine(source: &mut Source) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for variable in variables::engine() {
        let value = match source.origin(variable) {
            Read::Value(Origin::File(path)) => format!("from the file {}", path.display()),
            Read::Value(Origin::Value(_)) if variables::is_secret(variable) => "given".to_owned(),
            Read::Value(Origin::Value(text)) => {
                text.split_ascii_whitespace().map(shown).collect::<Vec<_>>().join(" ")
            }
            Read::Unset | Read::Unusable => continue,
        };
        lines.push((variable.to_owned(), value));
    }
    lines
}

/// All of it, defaults included.
pub(super) fn of(mut lines: Vec<(String, String)>, settings: &Settings) -> Vec<(String, String)> {
    let on = |on| if on { "on" } else { "off" }.to_owned();
    let or = |text: Option<String>, default: &str| text.unwrap_or_else(|| default.to_owned());
    let joined = |words: &mut dyn Iterator<Item = String>| words.collect::<Vec<_>>().join(" ");
    let pem = |pem: &Pem| match pem {
        Pem::Text(_) => "given".to_owned(),
        Pem::File(path) => format!("from the file {}", path.display()),
    };
    let mut line = |variable: &str, value: String| lines.push((variable.to_owned(), value));
    if let Mode::Proxy(upstream) = &settings.mode {
        line(variables::UPSTREAM, upstream.to_string());
    }
    line(variables::LISTEN, settings.listen.to_string());
    line(variables::ADMIN_LISTEN, or(settings.admin_listen.map(|at| at.to_string()), "off"));
    line(variables::MODE, settings.mode.name().to_owned());
    line(
        variables::RULES,
        or(settings.rules.as_ref().map(|path| path.display().to_string()), "none"),
    );
    line(variables::FORWARD_TOKEN, on(settings.forward_token));
    line(
        variables::CLAIM_HEADERS,
        joined(
            &mut settings.claim_headers.iter().map(|one| format!("{}={}", one.header, one.claim)),
        ),
    );
    let networks = joined(&mut settings.trusted_proxies.iter().map(ToString::to_string));
    line(variables::TRUSTED_PROXIES, or(Some(networks).filter(|text| !text.is_empty()), "none"));
    if let Some(tls) = &settings.tls {
        line(variables::TLS_CERT, pem(&tls.certificate));
        line(variables::TLS_KEY, pem(&tls.key));
    }
    line(variables::DRAIN_TIMEOUT, format!("{:?}", settings.drain_timeout));
    line(variables::LOG, settings.log.filter.to_string());
    line(
        variables::LOG_FORMAT,
        match settings.log.format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        }
        .to_owned(),
    );
    lines
}
