//! What is asked of Graph and of token endpoints, and how often.

use super::{backoff, cache};
use crate::property::Property;

pub(crate) fn properties() -> Vec<Property> {
    let mut all = cache::models::properties();
    all.extend(backoff::models::properties());
    all
}
