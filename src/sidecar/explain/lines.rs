//! One line for each check, in the engine's order.

use std::time::SystemTime;

use super::report::{Check, Line, Outcome};
use super::{claims, header, keys, scopes, values};
use crate::access_token::AccessToken;
use crate::authentication::{Authenticator, IssuerFamily, TrustedIssuer};
use crate::authorization::Requirement;
use crate::clock::NumericDate;
use crate::jose::json::{self, Members};
use crate::jose::{CompactJws, JoseHeader};
use crate::rejection::Rejection;
use crate::rejection_kind::RejectionKind;
use crate::resource_server::ResourceServer;
use crate::sidecar::words::{list, shown};

/// `required` is what a request needs in scope; `refused` is the engine's verdict, for what nobody
/// else can know; `verified` is the token, where it is genuine.
pub(super) async fn write(
    server: &ResourceServer,
    required: &Requirement,
    token: &str,
    now: SystemTime,
    refused: Option<RejectionKind>,
    verified: Option<&AccessToken>,
    offline: bool,
) -> Vec<Line> {
    let authenticator = server.authenticator();
    if let Some(issuer) = authenticator.asked_about(token.as_bytes()) {
        let mut lines = vec![introspected(issuer, refused.filter(|_| verified.is_none()))];
        lines.extend(verified.into_iter().flat_map(|token| {
            let granted = format!("{} granted", list(token.scopes()));
            let granted = Line::new(Check::ScopeClaim, Outcome::Pass, granted, "");
            [granted, scopes::of(required, token.granted())]
        }));
        return lines;
    }
    let jws = match Authenticator::take_apart(token.as_bytes()) {
        Ok(jws) => jws,
        Err(kind) => return unreadable(token, kind),
    };
    let found = format!("three parts, {} bytes", token.len());
    let mut lines = vec![Line::new(Check::Form, Outcome::Pass, found, "")];

    let raw_header = members(jws.header());
    let parsed = JoseHeader::parse(jws.header());
    let claims = members(jws.payload());
    let issuer = claims.as_ref().and_then(|claims| authenticator.issuer_of(claims));
    let issuer = issuer.as_deref();
    let typ = header::typ(raw_header.as_ref(), &parsed);
    lines.extend(header::lines(authenticator, issuer, raw_header.as_ref(), &parsed, &typ));

    let Some(claims) = claims else {
        let found = "the second part is not one strict JSON object in UTF-8";
        let fault = Outcome::Fail(RejectionKind::MalformedToken);
        lines.push(Line::new(Check::Claims, fault, found, "names once each, 16 levels at most"));
        return skip_rest(lines, "the claims cannot be read");
    };
    let names = claims.names().count();
    lines.push(Line::new(Check::Claims, Outcome::Pass, format!("{names} claims"), ""));
    lines.push(issuer_line(authenticator, issuer, &claims));
    lines.extend(key_lines(issuer, &parsed, &jws, refused, offline).await);

    // Where there is but one issuer, its rules are those of the API.
    let mut issuers = authenticator.issuers();
    let judge = issuer.or(issuers.next().filter(|_| issuers.next().is_none()));
    match (judge, NumericDate::at(now)) {
        (Some(judge), Some(date)) => {
            let typ = typ.as_ref().and_then(|typ| typ.as_deref());
            lines.extend(claims::lines(judge, &claims, typ, date, now));
            lines.push(scopes::line(required, judge, &claims));
        }
        (None, _) => {
            lines = skip_rest(lines, "the issuer, by whose rules it would be, is not known")
        }
        (_, None) => {
            let fault = Outcome::Fail(RejectionKind::Internal);
            let found = "the clock of this machine shows a time before 1970";
            lines.push(Line::new(Check::Profile, fault, found, ""));
            lines = skip_rest(lines, "the clock is wrong");
        }
    }
    mark_unverified(&mut lines);
    lines
}

/// What the token means is known to its issuer, and from there to the engine alone.
fn introspected(issuer: &TrustedIssuer, refused: Option<RejectionKind>) -> Line {
    let found = match refused {
        None => "it is active, and meant for this".to_owned(),
        Some(RejectionKind::Inactive) => "the issuer says that it is not active".to_owned(),
        Some(RejectionKind::IntrospectionUnavailable) => "the issuer gives no answer".to_owned(),
        Some(kind) => Rejection::new(kind).description().to_owned(),
    };
    let expected = format!("{} is asked about this token", shown(issuer.policy().name));
    Line::new(Check::Introspection, refused.map_or(Ok(()), Err), found, expected)
}

fn members(part: &[u8]) -> Option<Members<'_>> {
    json::members(std::str::from_utf8(part).ok()?).ok()
}

fn unreadable(token: &str, kind: RejectionKind) -> Vec<Line> {
    let parts = token.split('.').count();
    let found = match kind {
        RejectionKind::TokenTooLarge => format!("{} bytes", token.len()),
        RejectionKind::MalformedCredentials => {
            "there are characters in it that no credential may hold".to_owned()
        }
        RejectionKind::EncryptedToken => "five parts: it is encrypted (JWE)".to_owned(),
        _ if parts == 3 => "three parts, and not all of them are base64url".to_owned(),
        _ if parts == 1 => "one part: an opaque token, or no token".to_owned(),
        _ => format!("{parts} parts"),
    };
    let expected = match kind {
        RejectionKind::TokenTooLarge => "16384 bytes at most",
        _ => "a JWT: three base64url parts with periods between",
    };
    let line = Line::new(Check::Form, Outcome::Fail(kind), found, expected);
    skip_rest(vec![line], "the token cannot be taken apart")
}

/// With a line for every check that there is none for yet.
fn skip_rest(mut lines: Vec<Line>, why: &str) -> Vec<Line> {
    let is_there = |check: &Check| lines.iter().any(|line| line.check == *check);
    let missing: Vec<_> = Check::ALL.into_iter().filter(|check| !is_there(check)).collect();
    lines.extend(missing.into_iter().map(|check| Line::skipped(check, why)));
    lines
}

fn issuer_line(
    authenticator: &Authenticator,
    issuer: Option<&TrustedIssuer>,
    claims: &Members<'_>,
) -> Line {
    let families = authenticator.families().iter().map(IssuerFamily::text);
    let listed = authenticator.issuers().map(|issuer| issuer.policy().name);
    let trusted: Vec<_> = listed.chain(families).collect();
    let result = issuer.map(drop).ok_or(RejectionKind::UntrustedIssuer);
    let found = values::member(claims, "iss");
    let iss = claims.get("iss").and_then(|iss| iss.as_str()).unwrap_or_default();
    let bare = |name: &str| name.trim_end_matches('/').to_owned();
    let is_near = result.is_err() && trusted.iter().any(|name| bare(name) == bare(iss));
    let hint = if is_near { "; a slash at the end counts" } else { "" };
    let expected = match trusted.as_slice() {
        [only] => format!("this API trusts {}{hint}", shown(only)),
        many => format!("this API trusts {}{hint}", list(many.iter().copied())),
    };
    Line::new(Check::Issuer, result, found, expected)
}

async fn key_lines(
    issuer: Option<&TrustedIssuer>,
    parsed: &Result<JoseHeader<'_>, impl Sized>,
    jws: &CompactJws<'_>,
    refused: Option<RejectionKind>,
    offline: bool,
) -> [Line; 2] {
    let skipped = |why| [Line::skipped(Check::Key, why), Line::skipped(Check::Signature, why)];
    match (issuer, parsed) {
        (None, _) => skipped("the issuer is not trusted"),
        (_, Err(_)) => skipped("the header cannot be used"),
        (Some(issuer), Ok(header)) => keys::lines(issuer, header, jws, refused, offline).await,
    }
}

fn mark_unverified(lines: &mut [Line]) {
    let is_signed =
        lines.iter().any(|line| line.check == Check::Signature && line.outcome == Outcome::Pass);
    for line in lines {
        let is_said = line.outcome != Outcome::Skipped;
        line.unverified = !is_signed && is_said && line.check.is_about_claims();
    }
}
