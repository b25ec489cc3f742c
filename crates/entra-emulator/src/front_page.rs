//! The front page: what is in this emulator, as HTML for a browser and as plain text for `curl`.

mod mint;

use std::fmt::Write;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

pub(super) use mint::mint;

use super::{
    app::{App, Credential},
    authority::{Authority, unix_now},
    directory::Directory,
    html::{escaped, wide_page},
    seeds,
    server::Shared,
};

/// `GET /`
pub(super) async fn show(State(authority): Shared, headers: HeaderMap) -> Response {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let is_browser = accepted
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.to_ascii_lowercase().contains("text/html"));
    let mut response = match is_browser {
        true => html(&authority),
        false => text(&authority).into_response(),
    };
    let vary = header::HeaderValue::from_static("accept");
    response.headers_mut().insert(header::VARY, vary);
    response
}

fn html(authority: &Authority) -> Response {
    let directory = &authority.directory;
    let users = directory.users.iter().map(|user| {
        let roles = user.roles.join(", ");
        let groups = user.groups.len().to_string();
        let name = directory.sign_in_name(user);
        row(&[&name, &user.object_id, &roles, &groups])
    });
    let apps = directory
        .apps
        .iter()
        .map(|app| row(&[&app.name, &app.client_id, &described(app)]));
    let tenants = directory
        .tenants
        .iter()
        .map(|tenant| row(&[&tenant.domain, &tenant.id, &authority.issuer_v2(&tenant.id)]));
    let now = unix_now();
    let log = authority.issued();
    let issued = log.latest().map(|one| {
        let age = format!("{} s ago", now.saturating_sub(one.at));
        row(&[
            &age,
            &one.subject,
            &one.client,
            &one.audience,
            &one.permissions,
            &one.version,
        ])
    });
    let body = format!(
        "<main><h1>Emulator of Microsoft Entra ID</h1>\
         <p>For development only: its passwords are public (users: <code>{password}</code>), and every token has \
         the claim <code>xms_emulator</code>.\
         <h2>Mint a token</h2>{form}\
         <h2>Tokens issued</h2><div id=issued>{issued}</div>\
         <h2>Users</h2>{users}<h2>Applications</h2>{apps}<h2>Tenants</h2>{tenants}\
         <h2>Addresses</h2><pre tabindex=0>{addresses}</pre>\
         <h2>A token with curl</h2><pre tabindex=0>{curl}</pre></main>",
        password = seeds::USER_PASSWORD,
        form = mint::form(authority),
        issued = table(
            &[
                "When",
                "For",
                "To client",
                "Audience",
                "Scopes or roles",
                "Version"
            ],
            issued
        ),
        users = table(&["Name", "Object id", "Roles", "Groups"], users),
        apps = table(&["Name", "Client id", "Registration"], apps),
        tenants = table(&["Domain", "Tenant id", "Issuer"], tenants),
        addresses = escaped(&addresses(&authority.base, directory).join("\n")),
        curl = escaped(&curl_for_user(&authority.base, "alice")),
    );
    wide_page("Front page", &body)
}

fn row(cells: &[&str]) -> String {
    let cells = cells
        .iter()
        .map(|cell| format!("<td>{}</td>", escaped(cell)));
    format!("<tr>{}</tr>", cells.collect::<String>())
}

fn table(heads: &[&str], rows: impl Iterator<Item = String>) -> String {
    let rows: String = rows.collect();
    if rows.is_empty() {
        return "<p class=dim>None yet.</p>".to_owned();
    }
    let heads: String = heads
        .iter()
        .map(|head| format!("<th>{head}</th>"))
        .collect();
    format!("<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")
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
