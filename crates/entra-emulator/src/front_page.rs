//! The front page: what is in this emulator, as plain text.

use std::fmt::Write;

use axum::extract::State;

use super::{
    app::{App, Credential},
    authority::Authority,
    directory::Directory,
    seeds,
    server::Shared,
};

/// `GET /`
pub(super) async fn show(State(authority): Shared) -> String {
    text(&authority)
}

/// A `curl` line that gets a token for a user of contoso.
pub(super) fn curl_for_user(base: &str, user: &str) -> String {
    format!(
        "curl -s {base}/{}/oauth2/v2.0/token -d grant_type=password -d client_id={} \
         -d username={user} -d password={} -d scope=api://{}/access_as_user",
        seeds::CONTOSO,
        seeds::CLI_ID,
        seeds::USER_PASSWORD,
        seeds::API_ID,
    )
}

/// The page as text.
pub(super) fn text(authority: &Authority) -> String {
    let Authority {
        base, directory, ..
    } = authority;
    let mut page = String::from(
        "Emulator of Microsoft Entra ID. For development only: its passwords are public.\n\
         Every token it makes has the claim \"xms_emulator\": true.\n\nTenants\n",
    );
    for tenant in &directory.tenants {
        let issuer = authority.issuer_v2(&tenant.id);
        line(
            &mut page,
            format_args!("{}  {}  {issuer}", tenant.id, tenant.domain),
        );
    }
    page.push_str("\nUsers (password of the seeds: ");
    page.push_str(seeds::USER_PASSWORD);
    page.push_str(")\n");
    for user in &directory.users {
        let (name, id) = (directory.sign_in_name(user), &user.object_id);
        let (roles, groups) = (user.roles.join(", "), user.groups.len());
        line(
            &mut page,
            format_args!("{name}  {id}  roles: [{roles}]  groups: {groups}"),
        );
    }
    page.push_str("\nApps\n");
    for app in &directory.apps {
        line(
            &mut page,
            format_args!("{}  {}  {}", app.name, app.client_id, described(app)),
        );
    }
    page.push_str("\nAddresses\n");
    for address in addresses(base, directory) {
        line(&mut page, format_args!("{address}"));
    }
    page.push_str("\nA token\n");
    line(&mut page, format_args!("{}", curl_for_user(base, "alice")));
    page
}

fn described(app: &App) -> String {
    let credential = match &app.credential {
        Credential::None => "no credential",
        Credential::Secret(secret) => &format!("secret: {secret}"),
        Credential::Certificate => "certificate (any client_assertion is taken)",
    };
    if app.is_api {
        let (scopes, roles) = (app.scopes.join(" "), app.exposed_roles.join(", "));
        let uri = app.identifier_uris.first().map_or("", String::as_str);
        format!("{uri}  {credential}  scopes: {scopes}  app roles: [{roles}]")
    } else {
        let (roles, back) = (app.roles.join(", "), app.redirect_uris.join(" "));
        format!("{credential}  roles: [{roles}]  redirects: {back}")
    }
}

fn addresses(base: &str, directory: &Directory) -> Vec<String> {
    let tenant = seeds::CONTOSO;
    let mut addresses = vec![
        format!("GET  {base}/{tenant}/v2.0/.well-known/openid-configuration"),
        format!("GET  {base}/{tenant}/discovery/v2.0/keys"),
        format!("POST {base}/{tenant}/oauth2/v2.0/token"),
        format!("GET  {base}/{tenant}/.well-known/openid-configuration"),
        format!("GET  {base}/{tenant}/discovery/keys"),
        format!("POST {base}/{tenant}/oauth2/token"),
        format!("GET  {base}/{tenant}/oauth2/v2.0/authorize?…  (sign-in page)"),
        format!("GET  {base}/{tenant}/oauth2/v2.0/logout"),
        format!("     {base}/graph/v1.0  (Microsoft Graph)"),
    ];
    for policy in &directory.policies {
        let prefix = format!("{base}/contoso.onmicrosoft.com/{policy}");
        addresses.push(format!(
            "GET  {prefix}/v2.0/.well-known/openid-configuration"
        ));
    }
    addresses
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(page, "  {text}");
}
