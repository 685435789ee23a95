//! Who may have how many of the files that the process may open.

/// Where the system does not say how many there are.
const USUAL: u64 = 1024;

/// For everything but connections of requests: keys, logs, the admin port with its 64 connections.
const RESERVED: u64 = 100;
/// A worker's runtime has files of its own.
const OF_WORKER: u64 = 4;

/// Connections at once. Together with what is reserved they find a file each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shares {
    /// Of clients.
    pub(super) clients: usize,
    /// To the upstream.
    pub(super) upstream: usize,
}

impl Shares {
    /// After the limit was raised as far as this process may raise it.
    pub(super) fn of_process(workers: usize) -> Self {
        Self::of(rlimit::increase_nofile_limit(u64::MAX).unwrap_or(USUAL), workers)
    }

    fn of(files: u64, workers: usize) -> Self {
        let workers = u64::try_from(workers).unwrap_or(u64::MAX);
        // Where there are next to none, something is left to requests all the same.
        let reserved = RESERVED.saturating_add(OF_WORKER.saturating_mul(workers)).min(files / 2);
        // Most requests need a connection of either kind.
        let each = files.saturating_sub(reserved) / 2;
        let each = usize::try_from(each).unwrap_or(usize::MAX).clamp(1, Self::MOST);
        Self { clients: each, upstream: each }
    }

    /// What a semaphore can count.
    const MOST: usize = tokio::sync::Semaphore::MAX_PERMITS;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_are_shared_out() {
        for (files, workers, each) in [
            (1024, 2, 458),
            (1024, 64, 334),
            (200, 2, 50),
            (64, 2, 16),
            (2, 2, 1),
            (0, 1, 1),
            (u64::MAX, 2, Shares::MOST),
        ] {
            let shares = Shares { clients: each, upstream: each };
            assert_eq!(Shares::of(files, workers), shares, "{files} files, {workers} workers");
        }
    }

    proptest! {
        #[test]
        fn never_more_than_there_are(files in 4..100_000_u64, workers in 1..512_usize) {
            let shares = Shares::of(files, workers);
            let given = u64::try_from(shares.clients + shares.upstream).unwrap();
            let wanted = RESERVED + OF_WORKER * u64::try_from(workers).unwrap();
            prop_assert!(given + wanted.min(files / 2) <= files);
        }
    }
}
