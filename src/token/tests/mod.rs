//! Issuers of more than one authority, and whole signed tokens that others made.

mod encrypted;
mod every_base64url;
mod index;
mod jws_from_elsewhere;
mod servers;
