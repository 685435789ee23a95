//! One good answer: a key set, and what helps to ask for the next one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use url::Url;

use super::{LoadError, lifetime};
use crate::fetch::{self, HttpClient, shown};
use crate::jose::jwk_set::MAX_BYTES;
use crate::jose::{Algorithm, JwkSet, KeyOrigin};

/// A key set that was loaded.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// The same one as before, as a pointer, where the document has not changed.
    pub(crate) set: Arc<JwkSet>,
    pub(super) document: Bytes,
    pub(super) lifetime: Duration,
    /// Where the document is published, unless it is local.
    pub(super) address: Option<Url>,
    pub(super) etag: Option<HeaderValue>,
}

/// What an attempt starts from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// The keys that are there.
    pub(super) keys: Option<&'a Loaded>,
    /// Whether the server's word that they have not changed will do.
    pub(super) ask_for_changes_only: bool,
}

impl Loaded {
    /// The key set that is published at `address`.
    pub(super) async fn fetch(
        client: &HttpClient,
        address: Url,
        algorithms: &[Algorithm],
        known: Known<'_>,
    ) -> Result<Self, LoadError> {
        let keys = known.keys.filter(|keys| keys.address.as_ref() == Some(&address));
        let etag = keys.filter(|_| known.ask_for_changes_only).and_then(|keys| keys.etag.as_ref());
        let answer = match fetch::get(client, &address, MAX_BYTES, etag).await {
            Ok(answer) => answer,
            Err(error) => return Err(LoadError::Fetch { address, error }),
        };
        // Judged by content: many servers send key sets as something else than application/json.
        let mut loaded = match (&answer.body, keys) {
            (None, Some(keys)) => keys.clone(),
            (Some(document), _) => Self::parse(
                document,
                algorithms,
                KeyOrigin::Fetched,
                keys,
                &shown(address.as_str()),
            )?,
            (None, None) => return Err(LoadError::NoAddress),
        };
        loaded.lifetime = lifetime::of(&answer.headers);
        loaded.etag = answer.etag().or(loaded.etag.filter(|_| answer.body.is_none()));
        loaded.address = Some(address);
        Ok(loaded)
    }

    /// No keys, where none are needed.
    #[cfg(feature = "introspection")]
    pub(super) fn none() -> Self {
        let (set, document) = (Arc::default(), Bytes::new());
        Self { set, document, lifetime: Duration::MAX, address: None, etag: None }
    }

    /// Whether these are the same keys as in `other`, however old.
    pub(super) fn has_set_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.set, &other.set)
    }

    /// Keys are built anew only where the document is another one than before.
    pub(super) fn parse(
        document: &Bytes,
        algorithms: &[Algorithm],
        origin: KeyOrigin,
        known: Option<&Self>,
        place: &impl ToString,
    ) -> Result<Self, LoadError> {
        let set = match known.filter(|known| known.document == *document) {
            Some(known) => Arc::clone(&known.set),
            None => JwkSet::parse(document, algorithms, origin)
                .map(Arc::new)
                .map_err(|error| LoadError::Set { origin: place.to_string(), error })?,
        };
        let document = document.clone();
        Ok(Self { set, document, lifetime: Duration::MAX, address: None, etag: None })
    }
}
