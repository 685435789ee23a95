//! Whole systems end to end: the tokens that they issue, before the layer and before the sidecar.

mod entrypage;
mod stage;
/// A part of it is used here.
#[path = "../sidecar/support/mod.rs"]
#[allow(dead_code, unused_imports)]
mod support;
mod wristband;
