//! Rejections as axum responses.

use std::fmt;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;

use crate::rejection::Rejection;
use crate::rejection_kind::RejectionKind;

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.to_response().map(Body::from)
    }
}

/// Why an extractor has nothing to give.
#[derive(Debug, Clone)]
pub struct ExtractionRejection(Reason);

#[derive(Debug, Clone)]
enum Reason {
    Refused(Rejection),
    MissingLayer,
}

impl ExtractionRejection {
    pub(super) fn refused(rejection: Rejection) -> Self {
        Self(Reason::Refused(rejection))
    }

    pub(super) fn missing_layer() -> Self {
        Self(Reason::MissingLayer)
    }

    pub(super) fn is_anonymous(&self) -> bool {
        match &self.0 {
            Reason::Refused(rejection) => rejection.kind() == RejectionKind::MissingCredentials,
            Reason::MissingLayer => false,
        }
    }

    /// The refusal that is sent; `None` where the layer is missing, which is answered with 500.
    pub fn rejection(&self) -> Option<&Rejection> {
        match &self.0 {
            Reason::Refused(rejection) => Some(rejection),
            Reason::MissingLayer => None,
        }
    }
}

impl fmt::Display for ExtractionRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::Refused(rejection) => rejection.fmt(f),
            Reason::MissingLayer => f.write_str(
                "the route has no portcullis layer: add \
                 `.route_layer(api.authenticate())` or `.route_layer(api.require(…))` to it",
            ),
        }
    }
}

impl std::error::Error for ExtractionRejection {}

impl IntoResponse for ExtractionRejection {
    fn into_response(self) -> Response {
        match &self.0 {
            Reason::Refused(rejection) => rejection.clone().into_response(),
            // A mistake of the programmer, who should see it at the first request.
            Reason::MissingLayer => {
                tracing::error!("{self}");
                (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
            }
        }
    }
}
