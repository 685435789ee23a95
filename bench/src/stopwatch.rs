//! Time on a machine that others use too: everybody in turn within each round, so that a slow
//! moment is everybody's, and medians over the rounds.

use std::hint::black_box;
use std::time::Instant;

use crate::contender::Contender;

#[derive(Clone, Copy)]
pub struct Plan {
    pub rounds: usize,
    /// Requests of one contender in one round.
    pub batch: usize,
}

impl Plan {
    pub fn requests(self) -> usize {
        self.rounds * self.batch
    }
}

/// Nanoseconds per request, one median for each contender. Requests are numbered from `first`.
pub fn medians(contenders: &mut [Contender], plan: Plan, first: usize) -> Vec<f64> {
    medians_at(contenders, plan, |round| first + round * plan.batch)
}

/// The same, where each round begins with a request of its own.
pub fn medians_at(
    contenders: &mut [Contender],
    plan: Plan,
    first: impl Fn(usize) -> usize,
) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(plan.rounds); contenders.len()];
    for round in 0..plan.rounds {
        let numbers = first(round)..first(round) + plan.batch;
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            let start = Instant::now();
            contender.answer_all(numbers.clone());
            times.push(start.elapsed().as_nanos() as f64 / plan.batch as f64);
        }
    }
    times.into_iter().map(median).collect()
}

/// Nanoseconds of one request.
pub fn time(contender: &mut Contender, number: usize) -> f64 {
    let start = Instant::now();
    black_box(contender.answer(number));
    start.elapsed().as_nanos() as f64
}

pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
