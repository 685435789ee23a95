//! What the upstream is told in header fields: by us, by proxies that are trusted, and by nobody
//! else.

mod forwarded;
mod hop;
mod identity;
mod values;
