//! From the start to the end of the process.

mod endings;
mod restarts;
mod starts;
