//! The one place in the testing kit that panics: in a test, the line at fault is worth more than
//! an error to pass on.

use std::fmt;

/// Ends the test that uses the kit wrongly.
#[track_caller]
#[expect(clippy::panic, reason = "documented under Panics wherever it can be reached")]
pub(super) fn misuse(what: fmt::Arguments<'_>) -> ! {
    panic!("portcullis::testing: {what}")
}

/// What cannot fail where the machine is sound.
#[track_caller]
pub(super) fn expect_sound<T>(result: Result<T, impl fmt::Display>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => misuse(format_args!("{error}")),
    }
}
