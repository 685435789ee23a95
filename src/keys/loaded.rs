//! One good answer: a key set, and what helps to ask for the next one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use url::Url;

use super::discovery::Metadata;
use super::{LoadError, lifetime};
use crate::fetch::{self, HttpClient};
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
    /// What led to the address, where it was discovered.
    pub(super) metadata: Option<Metadata>,
    /// Why the metadata is that of an earlier time.
    pub(super) trouble: Option<Arc<LoadError>>,
}

impl Loaded {
    /// The key set that is published at `address`. `known` is the one that was there before.
    pub(super) async fn fetch(
        client: &HttpClient,
        address: Url,
        algorithms: &[Algorithm],
        known: Option<&Self>,
    ) -> Result<Self, LoadError> {
        let known = known.filter(|known| known.address.as_ref() == Some(&address));
        let etag = known.and_then(|known| known.etag.as_ref());
        let answer = match fetch::get(client, &address, MAX_BYTES, etag).await {
            Ok(answer) => answer,
            Err(error) => return Err(LoadError::Fetch { address, error }),
        };
        // Judged by content: many servers send key sets as something else than application/json.
        let mut loaded = match (&answer.body, known) {
            (None, Some(known)) => known.clone(),
            (Some(document), _) => {
                Self::parse(document, algorithms, KeyOrigin::Fetched, known, &address)?
            }
            (None, None) => return Err(LoadError::NoAddress),
        };
        loaded.lifetime = lifetime::of(&answer.headers);
        loaded.etag = answer.etag().or(loaded.etag.filter(|_| answer.body.is_none()));
        loaded.address = Some(address);
        Ok(loaded)
    }

    /// Whether these are the same keys as in `other`, however old.
    pub(super) fn has_set_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.set, &other.set)
    }

    /// Keys are built anew only where the document is another one than before.
    pub(super) fn parse(
        document: &Bytes,
        algorithms: &[Algorithm],
        keys: KeyOrigin,
        known: Option<&Self>,
        origin: &impl ToString,
    ) -> Result<Self, LoadError> {
        let set = match known.filter(|known| known.document == *document) {
            Some(known) => Arc::clone(&known.set),
            None => JwkSet::parse(document, algorithms, keys)
                .map(Arc::new)
                .map_err(|error| LoadError::Set { origin: origin.to_string(), error })?,
        };
        Ok(Self {
            set,
            document: document.clone(),
            lifetime: Duration::MAX,
            address: None,
            etag: None,
            metadata: None,
            trouble: None,
        })
    }
}
