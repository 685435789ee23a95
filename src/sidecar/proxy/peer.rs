//! Who is at the other end of a connection.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http::HeaderValue;

use super::forwarded;
use super::last_token::LastToken;
use crate::sidecar::drain::Guest;
use crate::sidecar::pace::Pace;
use crate::sidecar::seat::Seat;
use crate::sidecar::settings::Networks;

/// One connection's other end, and what never changes about it.
pub(in crate::sidecar) struct Peer {
    pub(in crate::sidecar) address: IpAddr,
    /// Whether what it says about where requests come from is believed.
    pub(in crate::sidecar) trusted: bool,
    pub(super) scheme: &'static str,
    /// The address as logs and `X-Forwarded-For` have it.
    pub(super) text: Box<str>,
    pub(super) forwarded_for: Option<HeaderValue>,
    /// `Forwarded` for the host that was asked for last; most connections ask for one.
    forwarded: Mutex<Option<(HeaderValue, HeaderValue)>>,
    pub(super) last_token: LastToken,
    guest: Guest,
    pace: Arc<Pace>,
    _seat: Seat,
}

impl Peer {
    pub(in crate::sidecar) fn new(
        address: IpAddr,
        tls: bool,
        trusted: &Networks,
        guest: Guest,
        seat: Seat,
    ) -> Self {
        let address = address.to_canonical();
        let text = address.to_string().into_boxed_str();
        Self {
            address,
            trusted: trusted.contain(address),
            scheme: if tls { "https" } else { "http" },
            forwarded_for: HeaderValue::from_str(&text).ok(),
            text,
            forwarded: Mutex::new(None),
            last_token: LastToken::default(),
            guest,
            pace: Arc::new(Pace::new(Instant::now())),
            _seat: seat,
        }
    }

    pub(in crate::sidecar) fn guest(&self) -> &Guest {
        &self.guest
    }

    pub(in crate::sidecar) fn pace(&self) -> &Arc<Pace> {
        &self.pace
    }

    /// This hop in the words of RFC 7239.
    pub(super) fn forwarded(&self, host: &HeaderValue) -> Option<HeaderValue> {
        let mut known = self.forwarded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, element)) = &*known
            && of == host
        {
            return Some(element.clone());
        }
        let element = forwarded::element(self.address, host, self.scheme)?;
        *known = Some((host.clone(), element.clone()));
        Some(element)
    }
}
