//! The profiles of the acceptance cases: authorities whose documents are served on loopback.

use std::time::Duration;

use axum_entra::{AllowedTenants, Authority, Clock, Entra, EntraBuilder, Tenant, TokenVersion};
use serde_json::{Value, json};

use crate::clock::eventually;
use crate::documents::{Documents, client};
use crate::signer::key;

/// The key id of the printed tokens.
pub(super) const KID: &str = "i6lGk3FZzxRcUb2C3nEQ7syHJlY";
pub(super) const T_V2: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
pub(super) const T_V1: &str = "fa15d692-e9c7-4460-a743-29f2956fd429";
pub(super) const API_V2: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
const API_V1: &str = "ef1da9d4-ff77-4c3e-a005-840c3f830745";
const T_B2C: &str = "775527ff-9a37-4307-8b3d-cc311f58d925";
const API_B2C: &str = "90c0fe63-bcf2-44d5-8fb7-b8bbc0b29dc6";

const B2C_KEYS: &str = include_str!("../../vectors/b2c/keys.json");

/// An authority of the papers and the server of its documents.
pub(super) struct Stage {
    pub(super) documents: Documents,
    authority: Authority,
}

impl Stage {
    pub(super) async fn set(profile: &str, audiences: Option<&[String]>) -> Self {
        let documents = Documents::start().await;
        let v2 = format!("https://login.microsoftonline.com/{T_V2}/v2.0");
        let v1 = format!("https://sts.windows.net/{T_V1}/");
        let authority = match profile {
            "P-V2" => {
                documents.put_authority("/v2", &v2, &key(0).jwks(KID));
                Authority::entra(Tenant::new(T_V2), API_V2)
                    .token_versions([TokenVersion::V2])
                    .metadata_address(documents.discovery("/v2"))
            }
            "P-V1" => {
                documents.put_authority("/v1", &v1, &key(0).jwks(KID));
                Authority::entra(Tenant::new(T_V1), API_V1)
                    .token_versions([TokenVersion::V1])
                    .metadata_address_v1(documents.discovery("/v1"))
            }
            "P-MT" => many(&documents).allow_personal_accounts(),
            "P-MT without personal accounts" => many(&documents),
            "P-B2C" => b2c(&documents, "b2c_1_sign_in_stock"),
            "P-B2C with another policy" => b2c(&documents, "b2c_1_sign_in"),
            "P-B2C without the slash" => {
                let issuer = format!("https://login.microsoftonline.com/{T_B2C}/v2.0");
                let keys: Value = serde_json::from_str(B2C_KEYS).unwrap();
                documents.put_authority("/b2c_1_sign_in_stock", &issuer, &keys);
                b2c_authority(&documents, "b2c_1_sign_in_stock").issuer(issuer)
            }
            other => panic!("no profile {other}"),
        };
        let authority = audiences
            .unwrap_or_default()
            .iter()
            .fold(authority.clock_skew(Duration::ZERO), Authority::audience);
        Self {
            documents,
            authority,
        }
    }

    /// Waits for the keys, so that what a request fetches can be told.
    pub(super) async fn entra(&self, clock: Clock) -> Entra {
        let entra = self.entra_without_keys(clock);
        eventually("keys", || {
            let mut status = entra.status().into_iter().flat_map(|status| status.jwks);
            status.all(|keys| keys.key_count > 0)
        })
        .await;
        entra
    }

    pub(super) fn entra_without_keys(&self, clock: Clock) -> Entra {
        self.described(clock).build().unwrap()
    }

    pub(super) fn described(&self, clock: Clock) -> EntraBuilder {
        Entra::builder_for(self.authority.clone())
            .clock(clock)
            .http_client(client())
    }

    pub(super) fn change(mut self, change: impl FnOnce(Authority) -> Authority) -> Self {
        self.authority = change(self.authority);
        self
    }
}

/// Both template issuers; the v2.0 keys name theirs, as Entra's do.
fn many(documents: &Documents) -> Authority {
    let v2 = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let mut bound = key(0).jwk(KID);
    bound["issuer"] = json!(v2);
    documents.put_authority("/common/v2.0", v2, &json!({ "keys": [bound] }));
    documents.put_authority(
        "/common",
        "https://sts.windows.net/{tenantid}/",
        &key(0).jwks(KID),
    );
    Authority::entra(Tenant::Common, API_V2)
        .audience(API_V2)
        .audience(API_V1)
        .allowed_tenants(AllowedTenants::Any)
        .metadata_address(documents.discovery("/common/v2.0"))
        .metadata_address_v1(documents.discovery("/common"))
}

fn b2c(documents: &Documents, policy: &str) -> Authority {
    let keys: Value = serde_json::from_str(B2C_KEYS).unwrap();
    documents.put_authority(
        &format!("/{policy}"),
        &format!("https://login.microsoftonline.com/{T_B2C}/v2.0/"),
        &keys,
    );
    b2c_authority(documents, policy)
}

/// The sample is an ID token, which has neither scopes nor roles and names no client.
fn b2c_authority(documents: &Documents, policy: &str) -> Authority {
    Authority::b2c(
        "https://login.microsoftonline.com",
        Tenant::new(T_B2C),
        API_B2C,
        [policy],
    )
    .metadata_address(documents.discovery("/{policy}"))
    .danger_allow_tokens_without_permissions()
    .danger_accept_id_tokens()
}
