//! Which host a signed request is compared with behind a proxy.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::Request;
use axum_entra::{EntraBuilder, PopTokens, TrustedProxies};
use serde_json::json;

use crate::key::RSA;
use crate::modes::signed_with;
use crate::world::World;

fn trusting(builder: EntraBuilder) -> EntraBuilder {
    let peer = |extensions: &axum::http::Extensions| extensions.get::<IpAddr>().copied();
    let proxies = TrustedProxies::new(["10.0.0.0/8"], peer).unwrap();
    builder
        .pop_tokens(PopTokens::Accept)
        .trusted_proxies(proxies.forward_host())
}

#[tokio::test]
async fn a_trusted_proxy_says_which_host_the_client_asked_for_and_no_other_peer_does() {
    let world = World::new(trusting).await;
    let token = world.token(json!({ "kid": RSA.thumbprint() }));
    for (number, (name, peer, host, forwarded, expected)) in [
        (
            "a proxy",
            Some("10.1.2.3"),
            "internal",
            &["a.example"][..],
            "in",
        ),
        (
            "a proxy that says nothing",
            Some("10.1.2.3"),
            "a.example",
            &[],
            "in",
        ),
        (
            "a proxy of a dual-stack listener",
            Some("::ffff:10.1.2.3"),
            "internal",
            &["a.example"],
            "in",
        ),
        (
            "a proxy that names another host",
            Some("10.1.2.3"),
            "a.example",
            &["b.example"],
            "proof",
        ),
        (
            "a list of hosts",
            Some("10.1.2.3"),
            "internal",
            &["a.example, b.example"],
            "proof",
        ),
        (
            "the header twice",
            Some("10.1.2.3"),
            "internal",
            &["a.example", "a.example"],
            "proof",
        ),
        (
            "another peer",
            Some("192.0.2.1"),
            "internal",
            &["a.example"],
            "proof",
        ),
        (
            "another peer that lies about its host",
            Some("192.0.2.1"),
            "a.example",
            &["b.example"],
            "in",
        ),
        ("an unknown peer", None, "internal", &["a.example"], "proof"),
    ]
    .into_iter()
    .enumerate()
    {
        let signed = signed_with(&world, &token, &number.to_string());
        let mut request = Request::builder()
            .uri("/")
            .header("host", host)
            .header("authorization", format!("PoP {signed}"));
        for value in forwarded {
            request = request.header("x-forwarded-host", *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        if let Some(peer) = peer {
            request
                .extensions_mut()
                .insert(peer.parse::<IpAddr>().unwrap());
        }
        assert_eq!(world.send(request).await.brief(), expected, "{name}");
    }
}
