//! One to a million distinct tokens in rotation. EdDSA, as they are quickly made.

use std::env;
use std::io;

use portcullis::{Algorithm, scope};
use serde::Serialize;
use tower_layer::Layer;

use crate::bare;
use crate::case::Case;
use crate::contender::{Contender, Noop, Presented, noop};
use crate::ours;
use crate::results::Results;
use crate::sample::{SCOPE, Sample};
use crate::stopwatch::{Plan, median, medians_at, time};

const MOST: usize = 1_000_000;
const PLAN: Plan = Plan { rounds: 101, batch: 100 };
/// Requests that are timed one by one to tell hits from misses.
const LOOKED_AT: usize = 5_000;

#[derive(Serialize)]
struct Line {
    bench: &'static str,
    tokens: usize,
    cache: Option<usize>,
    nanoseconds: f64,
    no_layer: f64,
    signature: f64,
    /// Requests that took less than half of what the signature alone takes: seen from outside, so
    /// that it means the same for every cache.
    hits: f64,
}

pub fn measure(results: &mut Results) -> io::Result<()> {
    let most = env::var("BENCH_TOKENS").map_or(MOST, |text| text.parse().expect("a number"));
    let mut sample = Sample::mint(Algorithm::EdDSA, most + 1);
    let all = Presented::of(sample.tokens.drain(1..).collect::<Vec<_>>());
    let mut signature = bare::verification(&sample, Case::Same).unwrap();
    let signature = median((0..1_000).map(|number| time(&mut signature, number)).collect());
    let counts = (0..).map(|exponent| 10_usize.pow(exponent)).take_while(|count| *count <= most);
    for tokens in counts {
        results.add(point(&sample, &all.first(tokens), signature))?;
    }
    Ok(())
}

fn point(sample: &Sample, presented: &Presented, signature: f64) -> Line {
    let service = ours::server(sample).require(scope(SCOPE)).layer(<Noop>::default());
    let mut layer = Contender::of_service("", service, presented);
    // Every token has been seen before anything is measured.
    (0..presented.len()).for_each(|number| assert_eq!(layer.answer(number), 200));
    // Some of each stretch of the rotation, as those that are remembered may stand in a row.
    let stretch = |part: usize, parts: usize| part * presented.len() / parts;
    let mut contenders = [noop(presented), layer];
    let times = medians_at(&mut contenders, PLAN, |round| stretch(round, PLAN.rounds));
    let hits = (0..LOOKED_AT)
        .filter(|request| time(&mut contenders[1], stretch(*request, LOOKED_AT)) < signature / 2.0);
    Line {
        bench: "tokens",
        tokens: presented.len(),
        cache: ours::cache_size(),
        nanoseconds: times[1],
        no_layer: times[0],
        signature,
        hits: hits.count() as f64 / LOOKED_AT as f64,
    }
}
