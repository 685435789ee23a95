//! What the system says about this process.

use std::fs;

/// Memory that is in use and not swapped out, in bytes; `None` where the system does not tell.
pub(in crate::sidecar) fn resident_bytes() -> Option<u64> {
    // Not `statm`, which counts in pages, whose size only the C library tells.
    resident(&fs::read_to_string("/proc/self/status").ok()?)
}

fn resident(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found_or_nothing_is_said() {
        let status = "Name:\tportcullis\nVmHWM:\t   20000 kB\nVmRSS:\t   12345 kB\nThreads:\t3\n";
        assert_eq!(resident(status), Some(12345 * 1024));
        for status in ["", "VmRSS:", "VmRSS: 1", "VmRSS: x kB", "VmRSS: 18446744073709551615 kB"] {
            assert_eq!(resident(status), None, "{status}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_takes_some_memory() {
        assert!(resident_bytes().is_some_and(|bytes| bytes > 1 << 20));
    }
}
