//! What a token waits for, and the verdict after that.

use tokio::time::Instant;

use super::{Authentication, Authenticator, Genuine, Refused};
use crate::keys::Refresh;

/// What there is no verdict without.
pub(crate) enum Wait {
    Keys(Refresh),
    /// What the authorization server says about the token.
    #[cfg(feature = "introspection")]
    Answer(super::introspected::Seat),
}

impl Authenticator {
    /// Waits until `deadline` at most, and judges.
    pub(crate) async fn authenticate_after(
        &self,
        wait: Wait,
        token: &[u8],
        deadline: Instant,
    ) -> Result<Genuine, Refused> {
        match wait {
            Wait::Keys(refresh) => self.authenticate_with_keys(refresh, token, deadline).await,
            #[cfg(feature = "introspection")]
            Wait::Answer(seat) => {
                self.take_answer(seat.landed_by(deadline).await).map(Genuine::new)
            }
        }
    }

    async fn authenticate_with_keys(
        &self,
        refresh: Refresh,
        token: &[u8],
        deadline: Instant,
    ) -> Result<Genuine, Refused> {
        refresh.wait_until(deadline).await;
        // A fetch that was under way when the token came may be older than its key; then another
        // one, for this key, is due.
        match self.authenticate(token) {
            Authentication::Done(result) => return result,
            Authentication::Wait(Wait::Keys(refresh)) => refresh.wait_until(deadline).await,
            // How a token is judged never changes.
            #[cfg(feature = "introspection")]
            Authentication::Wait(Wait::Answer(_)) => {}
        }
        self.authenticate_without_waiting(token)
    }
}
