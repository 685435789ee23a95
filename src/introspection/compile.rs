//! From what was configured to what can be asked: every check, every fault.

use std::sync::Arc;

use http::HeaderValue;
use tokio::sync::Semaphore;
use url::Url;

use super::Introspector;
use super::alarm::Alarm;
use super::assertion::Assertions;
use super::client_auth::{ClientAuth, basic};
use super::introspector::AT_ONCE;
use super::private_key::PrivateKey;
use super::service_token::ServiceToken;
use super::settings::{Auth, Introspection};
use super::signed::Signed;
use crate::clock::Clock;
use crate::config_error::Setting;
use crate::fetch::{AllowHttp, HttpClient};

/// What IBM MobileFirst wants of those who introspect.
const SERVICE_SCOPE: &str = "authorization.introspect";

/// What belongs to the issuer and its server.
pub(crate) struct Shared<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audiences: &'a [&'a str],
    pub(crate) allow_http: AllowHttp,
    /// `None` where there is none to be had, for a fault or because nothing is to be built.
    pub(crate) client: Option<HttpClient>,
    pub(crate) clock: &'a Arc<dyn Clock>,
}

impl Introspection {
    /// Checks everything. `None` with a fault, or without a client.
    pub(crate) fn compile(
        self,
        shared: &Shared<'_>,
        fault: &mut impl FnMut(Setting, &str),
    ) -> Option<Introspector> {
        let address = address(&self.address, "introspection URI", shared.allow_http)
            .map_err(|problem| fault(Setting::IntrospectionUri, &problem))
            .ok();
        let Some(auth) = &self.auth else {
            fault(
                Setting::ClientId,
                "introspection needs credentials: basic, post, private_key_jwt or bearer",
            );
            return None;
        };
        if auth.client_id().is_empty() {
            fault(Setting::ClientId, "the client id must not be empty");
        }
        if auth.secret().is_empty() {
            fault(Setting::ClientSecret, "the client secret must not be empty");
        }
        let mut audiences: Vec<_> = shared.audiences.iter().map(|one| (*one).to_owned()).collect();
        audiences.push(auth.client_id().to_owned());
        let auth = self.client_auth(auth, shared, fault);
        Some(Introspector {
            client: shared.client.clone()?,
            address: address?,
            auth: auth?,
            signed: self
                .signed_answers
                .then(|| Signed { issuer: shared.issuer.to_owned(), audiences }),
            issuer: shared.issuer.to_owned(),
            turns: Semaphore::new(AT_ONCE),
            alarm: Alarm::default(),
        })
    }

    fn client_auth(
        &self,
        auth: &Auth,
        shared: &Shared<'_>,
        fault: &mut impl FnMut(Setting, &str),
    ) -> Option<ClientAuth> {
        Some(match auth {
            Auth::Basic { client_id, secret } => ClientAuth::Basic(basic(client_id, secret)?),
            Auth::Post { client_id, secret } => {
                ClientAuth::Post { client_id: client_id.clone(), secret: secret.clone() }
            }
            Auth::PrivateKeyJwt { client_id, pem } => {
                let key = PrivateKey::from_pem(pem).map_err(|problem| {
                    fault(Setting::ClientSecret, &format!("the private key {problem}"));
                });
                ClientAuth::PrivateKeyJwt(Box::new(Assertions {
                    client_id: client_id.clone(),
                    audience: shared.issuer.to_owned(),
                    key: key.ok()?,
                    clock: Arc::clone(shared.clock),
                }))
            }
            Auth::Bearer { client_id, secret, token_uri } => {
                let address = address(token_uri, "token URI", shared.allow_http)
                    .map_err(|problem| fault(Setting::TokenUri, &problem));
                let scope = self.service_scope.as_deref().unwrap_or(SERVICE_SCOPE);
                let authorization: HeaderValue = basic(client_id, secret)?;
                let client = shared.client.clone()?;
                let own = ServiceToken::new(client, address.ok()?, authorization, scope);
                ClientAuth::Bearer(Arc::new(own))
            }
        })
    }
}

fn address(text: &str, what: &str, allow_http: AllowHttp) -> Result<Url, String> {
    allow_http.check(text).map_err(|problem| format!("the {what} {problem}"))
}

impl Auth {
    fn client_id(&self) -> &str {
        match self {
            Self::Basic { client_id, .. }
            | Self::Post { client_id, .. }
            | Self::PrivateKeyJwt { client_id, .. }
            | Self::Bearer { client_id, .. } => client_id,
        }
    }

    fn secret(&self) -> &str {
        match self {
            Self::Basic { secret, .. }
            | Self::Post { secret, .. }
            | Self::Bearer { secret, .. }
            | Self::PrivateKeyJwt { pem: secret, .. } => secret,
        }
    }
}
