//! Throughput of two threads against one, warm: with tokens of their own, and with one token that
//! both present. Each thread has its own copy of the header's bytes, as the connections of a server
//! have.

use std::hint::black_box;
use std::io;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use http::Request;
use portcullis::tower::Guard;
use portcullis::{Algorithm, scope};
use serde::Serialize;
use tower_layer::Layer;

use crate::contender::{Noop, Presented, answer};
use crate::ours;
use crate::results::Results;
use crate::sample::{SCOPE, Sample};
use crate::stopwatch::median;

const ROUNDS: usize = 15;
const WINDOW: Duration = Duration::from_millis(200);
/// Of each thread.
const TOKENS: usize = 100;

#[derive(Serialize)]
struct Line {
    bench: &'static str,
    tokens: &'static str,
    layer: bool,
    one_thread: f64,
    two_threads: f64,
    ratio: f64,
}

pub fn measure(results: &mut Results) -> io::Result<()> {
    let sample = Sample::mint(Algorithm::RS256, 2 * TOKENS);
    let service = ours::server(&sample).require(scope(SCOPE)).layer(<Noop>::default());
    let (left, right) = sample.tokens.split_at(TOKENS);
    for (name, loads) in [("distinct", [left, right]), ("one hot", [&left[..1], &left[..1]])] {
        let guarded = |load: &[String]| {
            let mut service: Guard<Noop> = service.clone();
            work(load, move |request| answer(&mut service, request).as_u16())
        };
        results.add(compare(name, true, loads, guarded))?;
        // What the machine gives two threads that have nothing in common.
        let bare = |load: &[String]| {
            let mut service = <Noop>::default();
            work(load, move |request| answer(&mut service, request).as_u16())
        };
        results.add(compare(name, false, loads, bare))?;
    }
    Ok(())
}

/// Alternately, so that a slow moment is everybody's; the ratio is the median of the rounds'.
fn compare(
    tokens: &'static str,
    layer: bool,
    loads: [&[String]; 2],
    work: impl Fn(&[String]) -> f64 + Sync,
) -> Line {
    let (mut one, mut two, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(together(&loads[..1], &work));
        two.push(together(&loads, &work));
        ratios.push(two.last().unwrap() / one.last().unwrap());
    }
    let (one_thread, two_threads, ratio) = (median(one), median(two), median(ratios));
    Line { bench: "threads", tokens, layer, one_thread, two_threads, ratio }
}

/// Requests per second of all threads.
fn together(loads: &[&[String]], work: &(impl Fn(&[String]) -> f64 + Sync)) -> f64 {
    let barrier = Barrier::new(loads.len());
    thread::scope(|scope| {
        let threads: Vec<_> = loads
            .iter()
            .map(|load| {
                scope.spawn(|| {
                    barrier.wait();
                    work(load)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

/// Requests per second of one thread.
fn work(load: &[String], mut answer: impl FnMut(Request<()>) -> u16) -> f64 {
    let presented = Presented::of(load.iter().cloned());
    (0..load.len()).for_each(|number| assert_eq!(answer(presented.request(number)), 200));
    let start = Instant::now();
    let mut requests = 0;
    while start.elapsed() < WINDOW {
        for _ in 0..50 {
            black_box(answer(presented.request(requests)));
            requests += 1;
        }
    }
    requests as f64 / start.elapsed().as_secs_f64()
}
