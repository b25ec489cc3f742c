#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod answers;
mod assertions;
mod identities;
mod smuggling;
mod world;
