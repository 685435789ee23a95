//! `WWW-Authenticate` fields (RFC 6750 §3, RFC 9110 §11.6.1), written once per route.

use std::borrow::Cow;
use std::sync::Arc;

use http::HeaderValue;

use crate::authorization::{Requirement, StepUp};
use crate::rejection::{self, Challenge, RefusalBody, Rejection};
use crate::rejection_kind::RejectionKind;
use crate::scope::OFFLINE_ACCESS;

/// What every challenge of a resource server says.
#[derive(Debug, Clone)]
pub(crate) struct ChallengeSettings {
    pub(crate) realm: String,
    /// The address of the metadata document (RFC 9728 §5.1).
    pub(crate) resource_metadata: Option<String>,
    /// Whether `offline_access` is left out of advertised scope.
    pub(crate) without_offline_access: bool,
    /// A page for people (RFC 6750 §3).
    pub(crate) error_uri: Option<String>,
    /// Whether a 401 names the scope that the request needs. A 403 always does, and a 401 to whom
    /// only another login is missing.
    pub(crate) scope_on_401: bool,
}

/// The challenges of one route, one per reason, ready to send.
pub(crate) struct Challenges {
    fields: [Option<HeaderValue>; RejectionKind::COUNT],
    settings: Arc<ChallengeSettings>,
    body: Option<RefusalBody>,
}

impl Challenges {
    /// For what the route needs.
    pub(crate) fn new(
        settings: &Arc<ChallengeSettings>,
        requirement: &Requirement,
        body: Option<RefusalBody>,
    ) -> Self {
        let mut fields = [const { None }; RejectionKind::COUNT];
        let needs = Needs::of(requirement);
        for (field, kind) in fields.iter_mut().zip(RejectionKind::all()) {
            *field = write(settings, &needs, kind);
        }
        Self { fields, settings: Arc::clone(settings), body }
    }

    pub(crate) fn reject(&self, kind: RejectionKind) -> Rejection {
        let challenge = self.fields.get(kind as usize).cloned().flatten();
        Rejection::new(kind).with_challenge(challenge).with_body(self.body.clone())
    }

    /// For what one request needs besides.
    pub(crate) fn reject_for(&self, kind: RejectionKind, requirement: &Requirement) -> Rejection {
        reject(kind, &self.settings, requirement, self.body.clone())
    }
}

/// A rejection whose challenge is written for it alone; otherwise as [`Challenges::new`].
pub(crate) fn reject(
    kind: RejectionKind,
    settings: &ChallengeSettings,
    requirement: &Requirement,
    body: Option<RefusalBody>,
) -> Rejection {
    let challenge = write(settings, &Needs::of(requirement), kind);
    Rejection::new(kind).with_challenge(challenge).with_body(body)
}

/// What a route needs, as it is advertised.
#[derive(Default)]
struct Needs {
    scope: Option<String>,
    login: StepUp,
}

impl Needs {
    fn of(requirement: &Requirement) -> Self {
        Self { scope: requirement.advertised(), login: requirement.step_up() }
    }
}

fn write(settings: &ChallengeSettings, needs: &Needs, kind: RejectionKind) -> Option<HeaderValue> {
    let (challenge, description) = rejection::challenge_of(kind);
    let names_scope = match challenge {
        Challenge::None => return None,
        Challenge::Invitation | Challenge::InvalidToken => settings.scope_on_401,
        // Whoever gets these two has a good token, and asks for another one with the scope.
        Challenge::InsufficientLogin | Challenge::InsufficientScope => true,
        Challenge::InvalidRequest | Challenge::Denial => false,
    };
    let mut field = Field::new("Bearer");
    // At least one parameter is required (RFC 6750 §3); this one is always there.
    field.parameter("realm", &settings.realm);
    if let Some(error) = challenge.error() {
        field.parameter("error", error);
        field.parameter("error_description", &description_text(description));
        if let Some(uri) = &settings.error_uri {
            field.parameter("error_uri", uri);
        }
    }
    // RFC 9470 §9: nobody else learns what is needed.
    if challenge == Challenge::InsufficientLogin {
        if let Some(values) = &needs.login.acr_values {
            field.parameter("acr_values", values);
        }
        if let Some(seconds) = needs.login.max_age {
            field.parameter("max_age", &seconds.to_string());
        }
    }
    if let Some(scope) = needs.scope.as_deref().filter(|_| names_scope) {
        let scope = match settings.without_offline_access {
            true => Cow::Owned(without_offline_access(scope)),
            false => Cow::Borrowed(scope),
        };
        if !scope.is_empty() {
            field.parameter("scope", &scope);
        }
    }
    if let Some(address) = &settings.resource_metadata {
        field.parameter("resource_metadata", address);
    }
    field.finish()
}

fn without_offline_access(scope: &str) -> String {
    let elements = scope.split(' ').filter(|element| *element != OFFLINE_ACCESS);
    elements.collect::<Vec<_>>().join(" ")
}

/// One challenge under construction. Every value is a quoted-string.
struct Field(String);

impl Field {
    fn new(scheme: &str) -> Self {
        Self(scheme.to_owned())
    }

    fn parameter(&mut self, name: &str, value: &str) {
        let separator = if self.0.contains('=') { ", " } else { " " };
        self.0.push_str(separator);
        self.0.push_str(name);
        self.0.push_str("=\"");
        for character in value.chars() {
            // RFC 9110 §5.6.4: nothing else needs a backslash.
            if matches!(character, '"' | '\\') {
                self.0.push('\\');
            }
            self.0.push(character);
        }
        self.0.push('"');
    }

    /// `None` if a value holds characters that no field may hold; configuration was checked.
    fn finish(self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

/// The alphabet of `error_description` (RFC 6750 §3), at most 200 characters.
fn description_text(text: &str) -> String {
    const LONGEST: usize = 200;
    text.chars()
        .take(LONGEST)
        .map(|character| match character {
            '"' | '\\' => '\'',
            ' '..='~' => character,
            _ => '?',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> ChallengeSettings {
        ChallengeSettings {
            realm: "rs".to_owned(),
            resource_metadata: None,
            without_offline_access: false,
            error_uri: None,
            scope_on_401: true,
        }
    }

    fn field(settings: &ChallengeSettings, kind: RejectionKind) -> Option<String> {
        let needs = Needs { scope: Some("read".to_owned()), ..Needs::default() };
        write(settings, &needs, kind).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn chal_02_chal_11_the_invitation_has_realm_and_scope_and_no_error() {
        assert_eq!(
            field(&settings(), RejectionKind::MissingCredentials).as_deref(),
            Some(r#"Bearer realm="rs", scope="read""#)
        );
    }

    #[test]
    fn chal_05_descriptions_keep_to_their_alphabet() {
        assert_eq!(description_text("bad \"kid\" é\n"), "bad 'kid' ??");
        assert_eq!(description_text("a\\b"), "a'b");
        assert_eq!(description_text(&"x".repeat(300)).len(), 200);
        for kind in RejectionKind::all() {
            let (_, description) = rejection::challenge_of(kind);
            assert_eq!(description_text(description), description);
        }
    }

    #[test]
    fn chal_08_only_quotes_and_backslashes_are_escaped() {
        let settings = ChallengeSettings { realm: "a\"b\\c".to_owned(), ..settings() };
        let field = field(&settings, RejectionKind::Forbidden).unwrap();
        assert_eq!(field, r#"Bearer realm="a\"b\\c""#);
    }

    #[test]
    fn chal_14_unavailable_and_internal_carry_no_challenge() {
        for kind in [
            RejectionKind::KeysUnavailable,
            RejectionKind::IntrospectionUnavailable,
            RejectionKind::Conflict,
            RejectionKind::Internal,
            RejectionKind::Hidden,
        ] {
            assert_eq!(field(&settings(), kind), None);
        }
    }

    #[test]
    fn scope_12_scope_on_401_can_be_switched_off_and_403_keeps_it() {
        let settings = ChallengeSettings { scope_on_401: false, ..settings() };
        for (kind, named) in [
            (RejectionKind::MissingCredentials, false),
            (RejectionKind::Expired, false),
            (RejectionKind::InsufficientScope, true),
        ] {
            assert_eq!(field(&settings, kind).unwrap().contains("scope=\"read\""), named);
        }
    }

    #[test]
    fn bcp_06_no_key_and_bad_signature_read_the_same() {
        assert_eq!(
            field(&settings(), RejectionKind::UnknownKey),
            field(&settings(), RejectionKind::BadSignature)
        );
    }
}
