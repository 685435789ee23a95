//! The table says of every reason what the library says of it, and leaves none out.

use std::collections::BTreeSet;

use portcullis::RejectionKind;
use portcullis::testing::Authority;

use crate::table::{Expected, Table};

#[test]
fn rows_agree_with_the_library_about_every_reason() {
    let server = Authority::new().resource_server().build().unwrap();
    let mut left: BTreeSet<_> = RejectionKind::all().collect();
    for row in Table::read().rows {
        let Expected::Refused(expected) = row.expect else { continue };
        let kind = RejectionKind::all().find(|kind| format!("{kind:?}") == expected.kind);
        let rejection = server.reject(kind.unwrap_or_else(|| panic!("{}", expected.kind)));
        assert_eq!(rejection.status(), expected.status, "{}", row.name);
        assert_eq!(rejection.grpc_code(), expected.grpc, "{}", row.name);
        let errors: Vec<_> = expected.challenges.iter().map(|one| one.get("error")).collect();
        let error = rejection.error().map(str::to_owned);
        assert!(errors.iter().all(|one| *one == error.as_ref()), "{}: {errors:?}", row.name);
        left.remove(&rejection.kind());
    }
    use RejectionKind as K;
    // No request can cause it.
    assert_eq!(left.into_iter().collect::<Vec<_>>(), [K::Internal]);
}

#[test]
fn names_are_unique() {
    let rows = Table::read().rows;
    let names: BTreeSet<_> = rows.iter().map(|row| &row.name).collect();
    assert_eq!(names.len(), rows.len());
}
