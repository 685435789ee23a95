//! Rejections as gRPC statuses.

use http::HeaderMap;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use crate::rejection::Rejection;

impl From<&Rejection> for Status {
    /// The status that a layer would have answered with: code, message, and the challenge as
    /// `www-authenticate` metadata.
    fn from(rejection: &Rejection) -> Self {
        let mut metadata = HeaderMap::new();
        rejection.add_metadata(&mut metadata);
        Self::with_metadata(
            Code::from_i32(rejection.grpc_code().into()),
            rejection.description(),
            MetadataMap::from_headers(metadata),
        )
    }
}

impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        (&rejection).into()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::rejection_kind::RejectionKind;

    #[test]
    fn grpc_03_grpc_05_a_status_says_what_the_rejection_does() {
        for kind in RejectionKind::all() {
            let challenge = HeaderValue::from_static("Bearer realm=\"rs\"");
            let rejection = Rejection::new(kind).with_challenge(Some(challenge.clone()));
            let status = Status::from(rejection.clone());
            assert_eq!(status.code() as u8, rejection.grpc_code());
            assert_eq!(status.message(), rejection.description());
            let headers = status.metadata().clone().into_headers();
            assert_eq!(headers.get("www-authenticate"), Some(&challenge));
            let is_unavailable = rejection.status() == 503;
            assert_eq!(headers.contains_key("retry-after"), is_unavailable);
        }
    }
}
