//! Tokens made to measure.

use super::*;

#[tokio::test]
async fn too_many_groups_become_an_overage() {
    let emulator = Emulator::start().await.unwrap();
    let found = claims(&emulator.token().user("dave").mint());
    assert!(found.get("groups").is_none());
    assert_eq!(found["_claim_names"], json!({ "groups": "src1" }));
    let endpoint = found["_claim_sources"]["src1"]["endpoint"]
        .as_str()
        .unwrap();
    assert!(endpoint.ends_with(&format!("/{CONTOSO}/users/{DAVE}/getMemberObjects")));
    assert_eq!(emulator.user("dave").unwrap().groups().len(), 250);
    assert_eq!(
        claims(&emulator.token().mint())["groups"],
        json!([GROUP_ID])
    );
}

#[tokio::test]
async fn after_a_rotation_old_tokens_verify_until_old_keys_retire() {
    let emulator = Emulator::start().await.unwrap();
    let (old, old_kid) = (emulator.token().mint(), emulator.signing_key_id());
    let new_kid = emulator.rotate_keys();
    let new = emulator.token().mint();
    assert_ne!(part(&new, 0)["kid"], old_kid);
    assert_eq!(part(&new, 0)["kid"], new_kid);
    assert!(verifies(&old, &emulator.keys_document()) && verifies(&new, &emulator.keys_document()));
    emulator.retire_old_keys();
    assert!(
        !verifies(&old, &emulator.keys_document()) && verifies(&new, &emulator.keys_document())
    );
    let with_old_key = emulator.token().key(&old_kid).mint();
    assert_eq!(part(&with_old_key, 0)["kid"], old_kid);
}

#[tokio::test]
async fn a_token_can_be_invalid_in_one_place() {
    let emulator = Emulator::start().await.unwrap();
    let token = || emulator.token();
    assert_eq!(claims(&token().claim("scp", 7).mint())["scp"], 7);
    assert!(claims(&token().without("exp").mint()).get("exp").is_none());
    assert_eq!(
        part(&token().header("crit", json!(["b64"])).mint(), 0)["crit"],
        json!(["b64"])
    );
    assert!(
        part(&token().without_header("kid").mint(), 0)
            .get("kid")
            .is_none()
    );
    assert!(
        claims(&token().expired().mint())["exp"].as_u64() < claims(&token().mint())["iat"].as_u64()
    );
    assert_eq!(claims(&token().user("zoe").mint())["name"], "Zoe");
    let raw = token().raw_payload("{\"a\":1,\"a\":2}").mint();
    let text = URL_SAFE_NO_PAD
        .decode_to_vec(raw.split('.').nth(1).unwrap())
        .unwrap();
    assert_eq!(text, b"{\"a\":1,\"a\":2}");
    assert!(verifies(&raw, &emulator.keys_document()));
    assert!(
        token()
            .header("alg", "none")
            .raw_signature("")
            .mint()
            .ends_with('.')
    );
}
