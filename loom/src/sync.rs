//! What flights are built from, as loom sees it: the counterpart of `src/keys/sync.rs`.

pub(super) use loom::sync::Mutex;
use loom::sync::MutexGuard;

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a model ends with its first panic")
}

/// As much of tokio's channel of that name as is used: one value, and waiting for it to change.
pub(super) mod watch {
    use std::sync::Arc;

    use loom::sync::Condvar;

    use super::{Mutex, lock};

    #[derive(Debug)]
    pub(crate) struct Sender<T>(Arc<Shared<T>>);

    #[derive(Debug)]
    pub(crate) struct Receiver<T>(Arc<Shared<T>>);

    #[derive(Debug)]
    struct Shared<T> {
        value: Mutex<T>,
        changed: Condvar,
    }

    impl<T> Sender<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Arc::new(Shared { value: Mutex::new(value), changed: Condvar::new() }))
        }

        pub(crate) fn send_if_modified(&self, modify: impl FnOnce(&mut T) -> bool) {
            if modify(&mut lock(&self.0.value)) {
                self.0.changed.notify_all();
            }
        }

        pub(crate) fn subscribe(&self) -> Receiver<T> {
            Receiver(Arc::clone(&self.0))
        }
    }

    impl<T: Copy> Receiver<T> {
        /// For the models alone.
        pub(crate) fn last(&self) -> T {
            *lock(&self.0.value)
        }

        /// Blocks where tokio's awaits; either looks at the value first.
        pub(crate) fn wait_for(&self, is_it: impl Fn(&T) -> bool) {
            let mut value = lock(&self.0.value);
            while !is_it(&value) {
                value = self.0.changed.wait(value).expect("a model ends with its first panic");
            }
        }
    }
}
