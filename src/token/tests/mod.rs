//! Whole signed tokens that others made.

mod jws_from_elsewhere;
