//! One route's decision: credentials, then authentication, then authorization.

use std::sync::Arc;

use http::{Extensions, HeaderMap, Uri};
use tokio::time::Instant;

use super::ResourceServer;
use crate::access_token::AccessToken;
use crate::authentication::{Authentication, Genuine, Refused, Wait};
use crate::authorization::{self, Requirement};
use crate::challenge::{self, Challenges};
use crate::client_certificate::ClientCertificate;
use crate::credentials;
use crate::keys::MAX_WAIT;
use crate::rejection::Rejection;
use crate::rejection_kind::RejectionKind;

/// A resource server with the requirement of one route and its challenges, ready to send.
#[derive(Clone)]
pub(crate) struct Gate {
    server: ResourceServer,
    requirement: Arc<Requirement>,
    /// Whether the requirement has to be completed for each request.
    depends_on_request: bool,
    anonymous_may_pass: bool,
    /// What is asked for openly, where the rest is not to be told.
    openly: Option<Arc<Requirement>>,
    /// `None` where there is one request to come, which needs one of them at most.
    challenges: Option<Arc<Challenges>>,
}

/// What becomes of a request.
pub(crate) enum Decision {
    /// Go on with this token.
    Admit(AccessToken),
    /// Go on with the token that was known before.
    AdmitKnown,
    /// Go on without a token.
    AdmitAnonymous,
    Refuse(Rejection),
    /// A key has to be fetched first, or the authorization server to be asked.
    Wait(Pending),
}

/// What is found about a token.
enum Judgement {
    Done(Result<AccessToken, Rejection>),
    Wait(Pending),
}

/// A token that waits for keys, or for an answer about it.
pub(crate) struct Pending {
    wait: Wait,
    token: Box<[u8]>,
    certificate: Option<ClientCertificate>,
    /// The gate of this request, where that is not the one of all requests of the route.
    gate: Option<Box<Gate>>,
}

impl Gate {
    pub(crate) fn new(
        server: &ResourceServer,
        requirement: Requirement,
        anonymous_may_pass: bool,
    ) -> Self {
        let gate = Self { anonymous_may_pass, ..Self::for_one(server, requirement) };
        let challenges =
            Challenges::new(&server.0.challenge, &gate.requirement, server.0.body.clone());
        Self { challenges: Some(Arc::new(challenges)), ..gate }
    }

    /// For one request, whose requirement no other has.
    pub(crate) fn for_one(server: &ResourceServer, requirement: Requirement) -> Self {
        let requirement = Arc::new(Requirement::clone(&server.0.required).and(requirement));
        let depends_on_request = requirement.depends_on_request();
        let server = server.clone();
        Self {
            server,
            requirement,
            depends_on_request,
            anonymous_may_pass: false,
            openly: None,
            challenges: None,
        }
    }

    /// Without a route: what the server requires of every request.
    pub(crate) fn plain(server: &ResourceServer) -> Self {
        let requirement = Arc::clone(&server.0.required);
        let challenges = Some(Arc::clone(&server.0.challenges));
        let depends_on_request = requirement.depends_on_request();
        Self {
            server: server.clone(),
            requirement,
            depends_on_request,
            anonymous_may_pass: false,
            openly: None,
            challenges,
        }
    }

    /// The same for a route that is hidden. To whoever may not use it, it answers what a request gets that
    /// no route has anything to add to: 401 and what every request needs are told in the words of all
    /// others, and what the route itself asks for is 404.
    pub(crate) fn hidden(self) -> Self {
        let server = &self.server.0;
        let (openly, challenges) = (Arc::clone(&server.required), Arc::clone(&server.challenges));
        Self { openly: Some(openly), challenges: Some(challenges), ..self }
    }

    pub(crate) fn server(&self) -> &ResourceServer {
        &self.server
    }

    /// Decides about a request, without waiting for anything.
    ///
    /// In the extensions may be a token that an outer layer has verified; if it was this server, that
    /// stands. The certificate of the client may be there, too.
    pub(crate) fn decide(
        &self,
        headers: &HeaderMap,
        uri: &Uri,
        extensions: &Extensions,
    ) -> Decision {
        if self.depends_on_request {
            return self.decide_by_request(headers, uri, extensions);
        }
        let server = self.server.0.authenticator.server();
        let known = extensions.get::<AccessToken>();
        if let Some(token) = known.filter(|token| token.server() == server) {
            return match self.authorize(token) {
                Ok(()) => Decision::AdmitKnown,
                Err(rejection) => Decision::Refuse(rejection),
            };
        }
        match credentials::bearer_token(headers, uri, self.server.0.query_token) {
            Ok(token) => match self.judge(token, || extensions.get()) {
                Judgement::Done(Ok(token)) => Decision::Admit(token),
                Judgement::Done(Err(rejection)) => Decision::Refuse(rejection),
                Judgement::Wait(pending) => Decision::Wait(pending),
            },
            Err(RejectionKind::MissingCredentials) if self.anonymous_may_pass => {
                Decision::AdmitAnonymous
            }
            Err(kind) => Decision::Refuse(self.reject(kind)),
        }
    }

    fn decide_by_request(
        &self,
        headers: &HeaderMap,
        uri: &Uri,
        extensions: &Extensions,
    ) -> Decision {
        let gate = self.of(headers, uri);
        match gate.decide(headers, uri, extensions) {
            Decision::Wait(pending) => {
                Decision::Wait(Pending { gate: Some(Box::new(gate)), ..pending })
            }
            decision => decision,
        }
    }

    /// The gate for one request, with requirements that are complete.
    fn of(&self, headers: &HeaderMap, uri: &Uri) -> Self {
        let of = |requirement: &Arc<Requirement>| Arc::new(requirement.of(headers, uri));
        Self {
            requirement: of(&self.requirement),
            openly: self.openly.as_ref().map(of),
            depends_on_request: false,
            ..self.clone()
        }
    }

    /// Decides about a token that came by itself, waiting for keys where it has to.
    pub(crate) async fn verify(
        &self,
        token: &[u8],
        certificate: Option<&ClientCertificate>,
    ) -> Result<AccessToken, Rejection> {
        credentials::check_size(token).map_err(|kind| self.reject(kind))?;
        match self.judge(token, || certificate) {
            Judgement::Done(result) => result,
            Judgement::Wait(pending) => self.judge_after(pending).await,
        }
    }

    /// Decides about a token, without waiting for anything.
    fn judge<'c>(
        &self,
        token: &[u8],
        certificate: impl FnOnce() -> Option<&'c ClientCertificate>,
    ) -> Judgement {
        match self.server.0.authenticator.authenticate(token) {
            Authentication::Done(result) => Judgement::Done(self.conclude(result, certificate)),
            Authentication::Wait(wait) => {
                let certificate = certificate().cloned();
                Judgement::Wait(Pending { wait, token: token.into(), certificate, gate: None })
            }
        }
    }

    /// Waits for what is missing, at most two seconds, and decides.
    pub(crate) async fn judge_after(
        &self,
        Pending { wait, token, certificate, gate }: Pending,
    ) -> Result<AccessToken, Rejection> {
        let gate = gate.as_deref().unwrap_or(self);
        let deadline = Instant::now() + MAX_WAIT;
        let authenticator = &self.server.0.authenticator;
        let judged = authenticator.authenticate_after(wait, &token, deadline).await;
        gate.conclude(judged, || certificate.as_ref())
    }

    pub(crate) fn reject(&self, kind: RejectionKind) -> Rejection {
        let server = &self.server.0;
        match &self.challenges {
            Some(challenges) => challenges.reject(kind),
            None => {
                challenge::reject(kind, &server.challenge, &self.requirement, server.body.clone())
            }
        }
    }

    /// The refusal for a reason that somebody else has found.
    #[cfg(feature = "sidecar")]
    pub(crate) fn refuse(&self, reason: RejectionKind) -> Rejection {
        use RejectionKind as K;
        let is_denial = matches!(
            reason,
            K::WrongTenant
                | K::InsufficientUserAuthentication
                | K::InsufficientScope
                | K::Forbidden
        );
        match self.openly {
            Some(_) if is_denial => self.reject(K::Hidden).hiding(reason),
            _ => self.reject(reason),
        }
    }

    fn conclude<'c>(
        &self,
        authenticated: Result<Genuine, Refused>,
        certificate: impl FnOnce() -> Option<&'c ClientCertificate>,
    ) -> Result<AccessToken, Rejection> {
        let genuine = authenticated.map_err(|refused| {
            let rejection = self.reject(refused.kind).with_retry_after(refused.retry_after);
            #[cfg(feature = "introspection")]
            let rejection = rejection.with_conflict(refused.conflict);
            rejection
        })?;
        let token = genuine.shown_with(certificate).map_err(|kind| self.reject(kind))?;
        self.authorize(&token)?;
        Ok(token)
    }

    fn authorize(&self, token: &AccessToken) -> Result<(), Rejection> {
        self.check(&self.requirement, token).map_err(|denial| match &self.openly {
            None => self.reject(denial),
            Some(openly) => match self.check(openly, token) {
                Err(denial) => self.reject(denial),
                Ok(()) => self.reject(RejectionKind::Hidden).hiding(denial),
            },
        })
    }

    fn check(&self, requirement: &Requirement, token: &AccessToken) -> Result<(), RejectionKind> {
        authorization::authorize(requirement, token, self.server.0.authenticator.clock())
            .map_err(RejectionKind::from)
    }
}
