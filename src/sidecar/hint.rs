//! What an operator can do about keys that cannot be had.

use std::error::Error;
use std::io;

use http::StatusCode;

use crate::fetch::{Chain, FetchError};
use crate::jose::JwkSetError;
use crate::keys::LoadError;

/// One sentence, where there is one to give.
pub(super) fn hint(error: &LoadError) -> Option<&'static str> {
    match error {
        LoadError::Fetch { error, .. } => of_fetch(error),
        LoadError::Metadata { fault, .. } if fault.contains("another issuer") => {
            Some("set PORTCULLIS_ISSUER to exactly that name; a slash at the end counts")
        }
        LoadError::Metadata { .. } => {
            Some("PORTCULLIS_JWKS_URI can name the keys, if that server has no metadata")
        }
        LoadError::Set { error: JwkSetError::NoUsableKey(_), .. } => {
            Some("do the keys fit PORTCULLIS_ALGORITHMS?")
        }
        LoadError::Set { .. } => Some("is it the address of the key set, its jwks_uri?"),
        LoadError::File { .. } => Some("may this user read the file?"),
        LoadError::NoAddress | LoadError::Aborted => None,
    }
}

fn of_fetch(error: &FetchError) -> Option<&'static str> {
    match error {
        FetchError::Timeout => Some("is there a firewall or a proxy in between?"),
        FetchError::Unreachable(error) | FetchError::Broken(error) => of_connection(error.as_ref()),
        FetchError::Status(StatusCode::NOT_FOUND) => Some(
            "compare PORTCULLIS_ISSUER with the issuer in the server's documentation, or name the \
             keys by PORTCULLIS_JWKS_URI",
        ),
        FetchError::Status(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            Some("metadata and keys are public: is something in between that wants a login?")
        }
        FetchError::Status(_) => Some("what does the log of that server say?"),
        FetchError::Redirect(_) => None,
        FetchError::Compressed | FetchError::TooLarge { .. } => {
            Some("is it the address of the key set, its jwks_uri?")
        }
    }
}

fn of_connection(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let text = Chain(error).to_string();
    // HTTP clients have no types for these two that others could tell apart.
    if text.contains("dns error") {
        Some("the name of the host cannot be resolved: is it misspelt, or the DNS at fault here?")
    } else if text.contains("certificate") {
        Some(
            "its certificate is not trusted here: is its authority known to this machine or image?",
        )
    } else if is_refused(error) {
        Some("nothing listens there: are host and port right, and is the server up?")
    } else {
        None
    }
}

fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if kind == Some(io::ErrorKind::ConnectionRefused) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn of(error: FetchError) -> Option<&'static str> {
        let address = Url::parse("https://as.example").unwrap();
        hint(&LoadError::Fetch { address, error })
    }

    #[test]
    fn every_usual_trouble_has_its_hint() {
        let unreachable = |text: &str| FetchError::Unreachable(text.into());
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        for (error, word) in [
            (FetchError::Timeout, "firewall"),
            (unreachable("dns error: failed to lookup address"), "resolved"),
            (unreachable("invalid peer certificate: UnknownIssuer"), "trusted"),
            (FetchError::Unreachable(refused.into()), "listens"),
            (FetchError::Status(StatusCode::NOT_FOUND), "PORTCULLIS_ISSUER"),
            (FetchError::Status(StatusCode::FORBIDDEN), "login"),
            (FetchError::Status(StatusCode::BAD_GATEWAY), "log"),
            (FetchError::TooLarge { limit: 1 }, "jwks_uri"),
        ] {
            let told = format!("{error}");
            assert!(of(error).is_some_and(|hint| hint.contains(word)), "{told}");
        }
        assert_eq!(of(unreachable("anything else")), None);
    }

    #[test]
    fn documents_that_are_wrong_have_theirs() {
        let address = Url::parse("https://as.example").unwrap();
        let metadata = |fault: &str| {
            let (address, fault) = (address.clone(), fault.to_owned());
            hint(&LoadError::Metadata { address, fault }).unwrap()
        };
        assert!(metadata("names another issuer than the configured one").contains("slash"));
        assert!(metadata("is not JSON").contains("PORTCULLIS_JWKS_URI"));
        let set = |error| hint(&LoadError::Set { origin: String::new(), error }).unwrap();
        assert!(set(JwkSetError::NoUsableKey(Vec::new())).contains("PORTCULLIS_ALGORITHMS"));
        assert!(set(JwkSetError::TooLarge).contains("jwks_uri"));
    }
}
