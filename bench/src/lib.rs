//! What the benches share: tokens, services in front of which a layer stands, and how they are
//! driven. One thread, no server, no runtime: what is measured is the layer.

pub mod bare;
pub mod case;
pub mod contender;
pub mod ours;
#[cfg(feature = "peers")]
pub mod peers;
pub mod results;
pub mod sample;
pub mod scale;
pub mod stopwatch;

use case::Case;
use contender::{Contender, Presented};
use sample::Sample;

/// Everybody who can take part, for the tokens of one algorithm. The first two are the yardsticks.
pub fn contenders(sample: &Sample, case: Case, presented: &Presented) -> Vec<Contender> {
    let mut all = vec![contender::noop(presented)];
    all.extend(bare::verification(sample, case));
    all.push(ours::layer(sample, presented));
    #[cfg(feature = "peers")]
    all.extend(peers::all(sample, presented));
    all
}
