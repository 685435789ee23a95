//! Which claims become which fields of the request to the upstream.

use http::HeaderName;

use crate::env::{Problems, Source, values, variables};
use crate::sidecar::field_class::FieldClass;
use crate::sidecar::known_fields::{FieldKind, kind};

/// `header=claim`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sidecar) struct ClaimHeader {
    pub(in crate::sidecar) header: HeaderName,
    pub(in crate::sidecar) claim: String,
}

const DEFAULT: [(&str, &str); 4] = [
    ("x-auth-subject", "sub"),
    ("x-auth-client-id", "client_id"),
    ("x-auth-issuer", "iss"),
    ("x-auth-scope", "scope"),
];

pub(super) fn read(source: &mut Source) -> Vec<ClaimHeader> {
    source.read(variables::CLAIM_HEADERS, parse).value().unwrap_or_else(|| {
        DEFAULT
            .into_iter()
            .map(|(header, claim)| ClaimHeader {
                header: HeaderName::from_static(header),
                claim: claim.to_owned(),
            })
            .collect()
    })
}

fn parse(text: &str) -> Result<Vec<ClaimHeader>, Problems> {
    let mut taken = Vec::new();
    values::each_element(text, |element| {
        let Some((header, claim)) = element.split_once('=').filter(|(_, claim)| !claim.is_empty())
        else {
            return Err("must be header=claim".to_owned());
        };
        let header: HeaderName =
            header.parse().map_err(|_| "does not begin with the name of a header".to_owned())?;
        if kind(&header) != FieldKind::EndToEnd {
            return Err(format!("{header} is not for claims: it has a meaning of its own"));
        }
        let class = FieldClass::of(&header);
        if taken.contains(&class) {
            return Err("names a header that is named before (- _ . and case are alike)".to_owned());
        }
        taken.push(class);
        Ok(ClaimHeader { header, claim: claim.to_owned() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read() {
        let pairs = parse("X-User=sub x-tenant=https://example.com/tenant=1").unwrap();
        let shown: Vec<_> =
            pairs.iter().map(|pair| (pair.header.as_str(), pair.claim.as_str())).collect();
        assert_eq!(shown, [("x-user", "sub"), ("x-tenant", "https://example.com/tenant=1")]);
    }

    #[test]
    fn every_fault_is_told_by_its_number() {
        for (text, problem) in [
            ("x-user", "element 1: must be header=claim"),
            ("x-user=", "element 1: must be header=claim"),
            ("=sub", "element 1: does not begin with the name of a header"),
            ("x:y=sub", "element 1: does not begin with the name of a header"),
            ("host=sub", "element 1: host is not for claims: it has a meaning of its own"),
            (
                "Authorization=sub",
                "element 1: authorization is not for claims: it has a meaning of its own",
            ),
            (
                "x-forwarded-for=sub",
                "element 1: x-forwarded-for is not for claims: it has a meaning of its own",
            ),
            (
                "x-user=sub X_USER=name",
                "element 2: names a header that is named before (- _ . and case are alike)",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err(), [problem], "{text}");
        }
        assert_eq!(parse("a host=b c").unwrap_err().len(), 3);
    }
}
