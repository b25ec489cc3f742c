//! The settings as a program meets them: a file and an environment in, values or one line out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::time::Duration;

use super::credential::Credential;
use super::*;
use crate::TokenVersion;
use crate::authority::{AllowedTenants, Authority, JwksRefresh, Kind, Tenant};

mod documents;
mod layers;
mod microsoft;
mod no_effect;
mod other_names;
mod secrets;
mod sections;
mod values;

const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const API: &str = "22222222-2222-4222-8222-222222222222";

fn env<const N: usize>(variables: [(&str, &str); N]) -> Vec<(String, String)> {
    variables
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn load<const N: usize>(
    file: &str,
    variables: [(&str, &str); N],
) -> Result<Settings, SettingsError> {
    Settings::from_parts(Some(("appsettings.json", file)), env(variables))
}

/// The smallest `AzureAd` with more members.
fn file(members: &str) -> String {
    format!(r#"{{"AzureAd":{{"TenantId":"{TENANT}","ClientId":"{API}",{members}}}}}"#)
}

fn entra(members: &str) -> Section {
    load(&file(members), []).unwrap().entra.unwrap()
}

/// The tenant of an authority of Entra ID.
fn tenant(section: &Section) -> Tenant {
    match &section.authority.kind {
        Kind::Entra { tenant } => tenant.clone(),
        Kind::B2c { .. } => panic!("B2C"),
    }
}

/// The policies of an authority of B2C.
fn policies(section: &Section) -> Vec<String> {
    match &section.authority.kind {
        Kind::B2c { policies, .. } => policies.clone(),
        Kind::Entra { .. } => panic!("no B2C"),
    }
}

fn entra_error(members: &str) -> String {
    one_line(load(&file(members), []).expect_err(members))
}

/// The smallest `AzureAdB2C` with more members.
fn b2c_file(members: &str) -> String {
    format!(
        r#"{{"AzureAdB2C":{{"Instance":"https://contoso.b2clogin.com","Domain":"contoso.onmicrosoft.com","ClientId":"{API}",{members}}}}}"#
    )
}

fn one_line(error: SettingsError) -> String {
    let line = error.to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
    line
}
