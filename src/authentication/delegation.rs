//! Delegation (RFC 8693 §4.1): who acts on behalf of the subject.

use std::sync::Arc;

use super::claims;
use crate::access_token::Actor;
use crate::jose::json::{Json, Members};
use crate::rejection_kind::RejectionKind;

/// More actors behind one another than this are refused; no chain of services is that long.
const MAX_DEPTH: usize = 8;

/// The outermost actor, where there is one. Of those behind it, only the form is looked at, and of
/// `exp`, `nbf` and `aud` in an actor nothing, as they have no meaning there.
pub(super) fn actor(
    token: &Members<'_>,
    issuer: &Arc<str>,
) -> Result<Option<Box<Actor>>, RejectionKind> {
    let Some(act) = token.get("act") else { return Ok(None) };
    let mut next = Some(act);
    for _ in 0..MAX_DEPTH {
        match next {
            Some(actor) => next = party(actor)?.2,
            None => break,
        }
    }
    if next.is_some() {
        return Err(RejectionKind::MalformedClaim);
    }
    let (subject, own, _) = party(act)?;
    let issuer = own.map_or_else(|| Arc::clone(issuer), Arc::from);
    Ok(Some(Box::new(Actor::new(issuer, subject))))
}

type Party<'a, 'b> = (&'a str, Option<&'a str>, Option<&'a Json<'b>>);

/// `sub` and `iss` of an actor, and the one behind it.
fn party<'a, 'b>(actor: &'a Json<'b>) -> Result<Party<'a, 'b>, RejectionKind> {
    let Json::Object(actor) = actor else { return Err(RejectionKind::MalformedClaim) };
    let subject = claims::text(actor, "sub")?.ok_or(RejectionKind::MalformedClaim)?;
    Ok((subject, claims::text(actor, "iss")?, actor.get("act")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::json;

    fn judge(claims: &str) -> Result<Option<(String, String)>, RejectionKind> {
        let actor = actor(&json::members(claims).unwrap(), &"https://as.example".into())?;
        Ok(actor.map(|actor| (actor.issuer().to_owned(), actor.subject().to_owned())))
    }

    fn chain(depth: usize) -> String {
        (1..depth)
            .fold(r#"{"sub":"s"}"#.to_owned(), |act, _| format!(r#"{{"sub":"s","act":{act}}}"#))
    }

    #[test]
    fn act_01_act_04_the_outermost_actor_counts_with_its_issuer() {
        let own = |subject: &str| Ok(Some(("https://as.example".to_owned(), subject.to_owned())));
        assert_eq!(judge("{}"), Ok(None));
        assert_eq!(judge(r#"{"act":{"sub":"s1","act":{"sub":"admin"}}}"#), own("s1"));
        assert_eq!(
            judge(r#"{"act":{"sub":"s1","iss":"https://other.example"}}"#),
            Ok(Some(("https://other.example".to_owned(), "s1".to_owned())))
        );
        // ACT-02
        assert_eq!(judge(r#"{"act":{"sub":"s1","exp":1,"aud":7,"nbf":"x"}}"#), own("s1"));
    }

    #[test]
    fn act_03_f66_an_actor_is_an_object_with_a_subject_eight_deep_at_most() {
        for bad in [
            r#""x""#,
            "null",
            "[]",
            "{}",
            r#"{"sub":7}"#,
            r#"{"sub":""}"#,
            r#"{"sub":"s","iss":7}"#,
            r#"{"sub":"s","act":"x"}"#,
            r#"{"sub":"s","act":{"act":{"sub":"s"}}}"#,
            &chain(9),
        ] {
            let claims = format!(r#"{{"act":{bad}}}"#);
            assert_eq!(judge(&claims), Err(RejectionKind::MalformedClaim), "{bad}");
        }
        assert!(judge(&format!(r#"{{"act":{}}}"#, chain(8))).unwrap().is_some());
    }
}
