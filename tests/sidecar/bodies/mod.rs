//! Bodies on their way, in both directions.

mod answers;
mod continue_100;
mod failures;
mod pooling;
mod streaming;
mod trailers;
