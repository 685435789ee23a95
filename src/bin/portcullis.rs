//! The `portcullis` binary; all of it is in `portcullis::sidecar`.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis::sidecar::main()
}
