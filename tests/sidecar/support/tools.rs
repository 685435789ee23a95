//! Programs of others that tests use where they are installed.

use std::env;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

/// Says that a test is skipped for want of a program; a panic where nothing may be skipped, which
/// is where `CI` is `true`.
pub(crate) fn is_missing(program: &str, version: &str) -> bool {
    let found =
        Command::new(program).arg(version).stderr(Stdio::null()).stdout(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return false;
    }
    let notice = format!("skipped: there is no {program}");
    assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "in CI, {notice}");
    // Not eprintln!, which the test harness swallows when the test passes.
    io::stderr().write_all(format!("{notice}\n").as_bytes()).unwrap();
    true
}
