//! Throughput of two threads against one, warm: with tokens of their own, and with one token that
//! both present. Each thread has its own copy of the header's bytes, as the connections of a server
//! have.
//!
//! Two measures: requests per second, which on a machine that others use says as much about them as
//! about us, and processor time per request, which waiting for a processor does not touch and
//! waiting for a cache line does.

use std::hint::black_box;
use std::io;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use http::Request;
use portcullis::tower::Guard;
use portcullis::{Algorithm, scope};
use serde::Serialize;
use tower_layer::Layer;

use crate::contender::{NoBody, Noop, Presented, answer};
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
    one_thread: Rate,
    two_threads: Rate,
    /// Medians of the rounds' ratios; of processor time, the throughput that two processors of
    /// one's own would give.
    wall_ratio: f64,
    cpu_ratio: f64,
}

#[derive(Clone, Copy, Serialize)]
struct Rate {
    requests_per_second: f64,
    cpu_nanoseconds: f64,
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
    work: impl Fn(&[String]) -> Rate + Sync,
) -> Line {
    let rounds: Vec<_> =
        (0..ROUNDS).map(|_| (together(&loads[..1], &work), together(&loads, &work))).collect();
    let over_rounds = |figure: fn(&Rate, &Rate) -> f64| {
        median(rounds.iter().map(|(one, two)| figure(one, two)).collect())
    };
    Line {
        bench: "threads",
        tokens,
        layer,
        one_thread: Rate {
            requests_per_second: over_rounds(|one, _| one.requests_per_second),
            cpu_nanoseconds: over_rounds(|one, _| one.cpu_nanoseconds),
        },
        two_threads: Rate {
            requests_per_second: over_rounds(|_, two| two.requests_per_second),
            cpu_nanoseconds: over_rounds(|_, two| two.cpu_nanoseconds),
        },
        wall_ratio: over_rounds(|one, two| two.requests_per_second / one.requests_per_second),
        cpu_ratio: over_rounds(|one, two| 2.0 * one.cpu_nanoseconds / two.cpu_nanoseconds),
    }
}

/// Requests per second of all threads, processor time of the average one.
fn together(loads: &[&[String]], work: &(impl Fn(&[String]) -> Rate + Sync)) -> Rate {
    let barrier = Barrier::new(loads.len());
    let rates: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = loads
            .iter()
            .map(|load| {
                scope.spawn(|| {
                    barrier.wait();
                    work(load)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let sum = |figure: fn(&Rate) -> f64| rates.iter().map(figure).sum::<f64>();
    Rate {
        requests_per_second: sum(|rate| rate.requests_per_second),
        cpu_nanoseconds: sum(|rate| rate.cpu_nanoseconds) / rates.len() as f64,
    }
}

/// What one thread does.
fn work(load: &[String], mut answer: impl FnMut(Request<NoBody>) -> u16) -> Rate {
    let presented = Presented::of(load.iter().cloned());
    (0..load.len()).for_each(|number| assert_eq!(answer(presented.request(number)), 200));
    let (start, cpu_start) = (Instant::now(), ThreadTime::now());
    let mut requests = 0;
    while start.elapsed() < WINDOW {
        for _ in 0..50 {
            black_box(answer(presented.request(requests)));
            requests += 1;
        }
    }
    Rate {
        requests_per_second: requests as f64 / start.elapsed().as_secs_f64(),
        cpu_nanoseconds: cpu_start.elapsed().as_nanos() as f64 / requests as f64,
    }
}
