//! One to a hundred issuers. EdDSA, whose signatures are the cheapest, so that a search for the
//! issuer would show.

use std::io;

use portcullis::testing::Authority;
use portcullis::{Algorithm, Issuer, scope};
use serde::Serialize;
use tower_layer::Layer;

use crate::contender::{Contender, Noop, Presented};
use crate::ours;
use crate::results::Results;
use crate::sample::{SCOPE, typical};
use crate::stopwatch::{Plan, medians};

const ISSUERS: [usize; 4] = [1, 10, 30, 100];
const PLAN: Plan = Plan { rounds: 151, batch: 100 };
/// In rotation, from all issuers alike.
const TOKENS: usize = 100;

#[derive(Serialize)]
struct Line {
    bench: &'static str,
    issuers: usize,
    nanoseconds: f64,
}

pub fn measure(results: &mut Results) -> io::Result<()> {
    let authorities: Vec<_> = (0..ISSUERS[3]).map(authority).collect();
    let mut servers: Vec<_> = ISSUERS.iter().map(|count| server(&authorities[..*count])).collect();
    for server in &mut servers {
        (0..TOKENS).for_each(|number| assert_eq!(server.answer(number), 200));
    }
    let times = medians(&mut servers, PLAN, 0);
    for (issuers, nanoseconds) in ISSUERS.into_iter().zip(times) {
        results.add(Line { bench: "issuers", issuers, nanoseconds })?;
    }
    Ok(())
}

fn authority(number: usize) -> Authority {
    Authority::builder()
        .issuer(format!("https://issuer-{number}.example"))
        .algorithms([Algorithm::EdDSA])
        .build()
        .unwrap()
}

fn server(authorities: &[Authority]) -> Contender {
    let trusted = authorities.iter().map(|authority| {
        Issuer::with_jwks(authority.issuer_url(), authority.jwks()).audience(authority.audience())
    });
    let server = trusted.fold(ours::builder(), |builder, issuer| builder.issuer(issuer));
    let tokens = authorities.iter().cycle().take(TOKENS).map(|authority| typical(authority).mint());
    let presented = Presented::of(tokens);
    let service = server.build().unwrap().require(scope(SCOPE)).layer(<Noop>::default());
    Contender::of_service("", service, &presented)
}
