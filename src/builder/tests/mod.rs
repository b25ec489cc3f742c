//! What is put together, and fleets of it.

#[cfg(feature = "redis")]
mod fleet;

use super::*;
use crate::graph::ClientCredential;

#[test]
fn access_to_graph_does_not_depend_on_what_was_named_last() {
    let authority = |tenant: &str| {
        Authority::entra(Tenant::new(tenant), "6e74172b-be56-4843-9ff4-e66a39bb12e3")
    };
    let access = || GraphConfig::new(ClientCredential::secret("s"));
    let asked = |builder: EntraBuilder| -> Vec<bool> {
        let all = builder.authorities.iter();
        all.map(|authority| authority.graph.is_some()).collect()
    };
    let first = || Entra::builder_for(authority("a.example"));
    let further = || authority("b.example");
    assert_eq!(
        asked(first().graph(access()).authority(further())),
        [true, false]
    );
    assert_eq!(
        asked(first().authority(further()).graph(access())),
        [true, false]
    );
    let own = further().graph(access());
    assert_eq!(asked(first().authority(own)), [false, true]);
    assert_eq!(asked(first().authority(further())), [false, false]);
}
