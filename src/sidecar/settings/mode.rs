//! What the sidecar does with requests, and what each mode needs.

use super::addresses::{self, UpstreamAddress};
use crate::env::{Source, values, variables};

/// What the sidecar is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sidecar) enum Mode {
    /// A proxy before this service.
    Proxy(UpstreamAddress),
    /// Envoy asks it about requests, over gRPC.
    ExtAuthz,
}

/// A mode as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Proxy,
    ForwardAuth,
    ExtAuthz,
}

impl Mode {
    /// As the variable has it.
    pub(in crate::sidecar) fn name(&self) -> &'static str {
        match self {
            Self::Proxy(_) => "proxy",
            Self::ExtAuthz => "ext-authz",
        }
    }

    pub(in crate::sidecar) fn upstream(&self) -> Option<&UpstreamAddress> {
        match self {
            Self::Proxy(upstream) => Some(upstream),
            Self::ExtAuthz => None,
        }
    }
}

pub(super) fn read(source: &mut Source) -> Mode {
    let kinds = [
        ("proxy", Kind::Proxy),
        ("forward-auth", Kind::ForwardAuth),
        ("ext-authz", Kind::ExtAuthz),
    ];
    let kind = source.read(variables::MODE, |text| values::choice(text, &kinds)).value();
    match kind.unwrap_or(Kind::Proxy) {
        Kind::Proxy => {}
        Kind::ForwardAuth => source.fault(variables::MODE, "is not there yet: forward-auth"),
        Kind::ExtAuthz => {
            if !source.origin(variables::UPSTREAM).is_unset() {
                let problem =
                    "is of no use with PORTCULLIS_MODE=ext-authz: Envoy passes requests on";
                source.fault(variables::UPSTREAM, problem);
            }
            return Mode::ExtAuthz;
        }
    }
    let upstream = source.read_required(variables::UPSTREAM, addresses::upstream);
    Mode::Proxy(upstream.unwrap_or_else(UpstreamAddress::stand_in))
}
