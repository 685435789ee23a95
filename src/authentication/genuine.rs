//! Who shows the token: the last thing to know, and anew for every request.

use crate::access_token::AccessToken;
use crate::client_certificate::ClientCertificate;
use crate::rejection_kind::RejectionKind;

/// A token that its issuer has made for us, whoever shows it.
///
/// A binding is compared here and nowhere else, whether the token was verified just now, remembered or
/// asked about: there is no other way from this to an [`AccessToken`].
pub(crate) struct Genuine(AccessToken);

impl Genuine {
    pub(super) fn new(token: AccessToken) -> Self {
        Self(token)
    }

    /// The token, in the hands of whoever shows this certificate. It is not looked for where nothing
    /// depends on it.
    pub(crate) fn shown_with<'c>(
        self,
        certificate: impl FnOnce() -> Option<&'c ClientCertificate>,
    ) -> Result<AccessToken, RejectionKind> {
        if let Some(binding) = self.0.binding() {
            binding.check(certificate())?;
        }
        Ok(self.0)
    }
}
