//! `portcullis check`: is the configuration good, and is everything there that it names?
//!
//! 1. Faults of the configuration end it at once, as they end the sidecar (exit code 78).
//! 2. Every issuer is asked for its keys now ([`issuers`]); one that gives none is not good (1).
//! 3. What every request needs, for comparison with what was meant ([`needs`]).
//! 4. What only the sidecar has, its upstream and its rules ([`service`]), and warnings.

mod issuers;
mod needs;
mod page;
mod service;

use std::process::ExitCode;

use tokio::runtime;

use self::page::Page;
use super::configured::Configured;
use super::settings::Mode;
use super::{Failure, say};
use crate::env::variables;
use crate::resource_server::ResourceServer;

/// Checks, tells, and ends with 0 where all is good.
pub(super) fn run() -> Result<ExitCode, Failure> {
    let Configured { engine, sidecar, warnings } = Configured::read()?;
    let server = engine.token_cache(0).build()?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let mut page = Page::default();
    warnings.into_iter().for_each(|warning| page.warn(warning));
    let good = runtime.block_on(check(&server, &mut page));
    match sidecar {
        Some((settings, rules)) => {
            match &settings.mode {
                Mode::Proxy(upstream) => runtime.block_on(service::upstream(&mut page, upstream)),
                Mode::ForwardAuth => service::gateways(&mut page, &settings.trusted_proxies),
                Mode::ExtAuthz => {}
            }
            if let Some(file) = &settings.rules {
                service::rules(&mut page, file, &rules);
            }
        }
        None => page.warn(format!(
            "{} is not set: what the sidecar needs besides was not checked",
            variables::UPSTREAM
        )),
    }
    page.conclude(if good {
        "good"
    } else {
        "not good: tokens of an issuer with an error get 503"
    });
    say(&page.to_string())?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether there are keys of every issuer.
async fn check(server: &ResourceServer, page: &mut Page) -> bool {
    let good = issuers::write(server, page).await;
    needs::write(server, page);
    good
}

#[cfg(test)]
mod tests;
