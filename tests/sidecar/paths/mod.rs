//! Paths in all their spellings, before services that read them in their own ways. Nobody gets to
//! what the service takes for a protected resource without the scope that the rule for it demands.

mod matrix;
mod services;
mod spellings;
