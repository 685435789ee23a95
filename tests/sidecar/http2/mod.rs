//! HTTP/2: what a client may not do ends in an error of the stream or the connection, never in a
//! request to the upstream; what it may do works. The cases follow RFC 9113 and h2spec.

mod calls;
mod floods;
mod frames;
mod framing;
mod malformed;
mod targets;
