//! A token that counts in the hands of one client alone (RFC 8705 §3).

use crate::client_certificate::ClientCertificate;
use crate::rejection_kind::RejectionKind;

/// The certificate that has to be shown with a token.
pub(crate) struct Binding {
    certificate: ClientCertificate,
    /// What is judged after the binding, and was known before it (SPEC PIPE-01).
    rest: Result<(), RejectionKind>,
}

impl Binding {
    /// The verdict on a token of which all but `rest` is good: known at once where it is not bound, and
    /// for each request where it is.
    pub(crate) fn of(
        certificate: Option<ClientCertificate>,
        rest: Result<(), RejectionKind>,
    ) -> Result<Option<Box<Self>>, RejectionKind> {
        match certificate {
            None => rest.map(|()| None),
            Some(certificate) => Ok(Some(Box::new(Self { certificate, rest }))),
        }
    }

    /// Whether the token counts for a request with this certificate.
    pub(crate) fn check(&self, shown: Option<&ClientCertificate>) -> Result<(), RejectionKind> {
        if shown != Some(&self.certificate) {
            return Err(RejectionKind::SenderConstrained);
        }
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mtls_01_mtls_02_only_its_own_certificate_counts_and_then_the_rest() {
        let [own, other] = ["own", "other"].map(ClientCertificate::from_der);
        let bound = Err(RejectionKind::SenderConstrained);
        for rest in [Ok(()), Err(RejectionKind::RequiredClaimNotMet)] {
            let binding = Binding::of(Some(own.clone()), rest).unwrap().unwrap();
            assert_eq!(binding.check(Some(&own)), rest);
            assert_eq!(binding.check(Some(&other)), bound);
            assert_eq!(binding.check(None), bound);
            assert_eq!(
                Binding::of(None, rest).map(|binding| binding.is_some()),
                rest.map(|()| false)
            );
        }
    }
}
