//! What is in every emulator: fixed ids, so that tests and documents can name them.

use uuid::Uuid;

use super::{
    app::App,
    directory::{Directory, Tenant, User},
};

/// The tenant most seeds are in; its domain is `contoso.onmicrosoft.com`.
pub const CONTOSO: &str = "11111111-1111-4111-8111-111111111111";
/// A second tenant, `fabrikam.onmicrosoft.com`: home of erin, and of the guest carol.
pub const FABRIKAM: &str = "22222222-2222-4222-8222-222222222222";
/// An External ID tenant, `northwind.onmicrosoft.com`, with the issuer
/// `https://{tid}.ciamlogin.com/{tid}/v2.0`: home of nina.
pub const NORTHWIND: &str = "44444444-4444-4444-8444-444444444444";
/// Microsoft's own tenant of personal accounts: home of pat.
pub const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The client id of the sample API; its App ID URI is `api://` and this.
pub const API_ID: &str = "aaaaaaaa-1111-4111-8111-111111111111";
/// The secret of the sample API, which is no secret.
pub const API_SECRET: &str = "emulator-api-secret";
/// The client id of the public client `cli`; its redirect addresses are `http://localhost` and
/// `http://127.0.0.1` on any port, with no path, `/callback`, `/docs` or
/// `/docs/oauth2-redirect.html`.
pub const CLI_ID: &str = "75dbe77f-10a3-4e59-85fd-8c127544f17c";
/// The client id of the confidential client `web`; its redirect addresses are
/// `http://localhost/callback` and `http://localhost/signin-oidc` on any port.
pub const WEB_ID: &str = "eeeeeeee-1111-4111-8111-111111111111";
/// The secret of `web`, which is no secret.
pub const WEB_SECRET: &str = "emulator-web-secret";
/// The client id of Microsoft Graph, the same in every tenant and cloud.
pub const MICROSOFT_GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// The client id of `daemon`, with the app roles `Tasks.Run` and `Todo.Read.All`.
pub const DAEMON_ID: &str = "bbbbbbbb-1111-4111-8111-111111111111";
/// The secret of `daemon`, which is no secret.
pub const DAEMON_SECRET: &str = "emulator-secret";
/// The client id of `certificate-daemon`, with the same app roles.
pub const CERTIFICATE_DAEMON_ID: &str = "cccccccc-1111-4111-8111-111111111111";

/// The client id of the blueprint `assistant-blueprint` (Entra Agent ID), with the scope `access_agent`.
pub const BLUEPRINT_ID: &str = "b1e00000-1111-4111-8111-111111111111";
/// The secret of the blueprint, which is no secret.
pub const BLUEPRINT_SECRET: &str = "emulator-blueprint-secret";
/// The client id of the agent identity `assistant`, with the app roles `Tasks.Run` and
/// `Data.Read.All`; its user account is `assistant-user`.
pub const AGENT_ID: &str = "a9e00000-1111-4111-8111-111111111111";

/// The password of every seeded user, which is no secret.
pub const USER_PASSWORD: &str = "emulator-password";
/// The object id of alice: role `Todo.Admin`, member of [`GROUP_ID`].
pub const ALICE: &str = "a11ce000-0000-4000-8000-000000000001";
/// The object id of bob, who has no roles and no groups.
pub const BOB: &str = "b0b00000-0000-4000-8000-000000000002";
/// The object id of carol, a guest from fabrikam.
pub const CAROL: &str = "ca401000-0000-4000-8000-000000000003";
/// The object id of dave, who is in 250 groups: too many for a token.
pub const DAVE: &str = "da4e0000-0000-4000-8000-000000000004";
/// The group alice is in.
pub const GROUP_ID: &str = "aaaaaaaa-0000-4000-8000-000000000001";
/// The B2C policy for sign-up and sign-in; `B2C_1_edit` is there too.
pub const B2C_POLICY: &str = "B2C_1_susi";

const DAVES_GROUPS: u32 = 250;

/// Microsoft Graph's names (Microsoft, Graph national cloud deployments).
pub(super) const GRAPH_HOSTS: [&str; 4] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
];

/// The delegated permissions of Microsoft Graph that this emulator knows.
const GRAPH_SCOPES: [&str; 16] = [
    "User.Read",
    "User.ReadBasic.All",
    "User.Read.All",
    "User.ReadWrite",
    "User.ReadWrite.All",
    "User.RevokeSessions.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "Application.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
    "Mail.Read",
    "Files.Read",
    "Calendars.Read",
    "Sites.Read.All",
];

/// The application permissions of Microsoft Graph that the sample API has.
const GRAPH_ROLES: [&str; 4] = [
    "User.Read.All",
    "GroupMember.Read.All",
    "Application.Read.All",
    "User.RevokeSessions.All",
];

const CLI_REDIRECTS: [&str; 8] = [
    "http://localhost",
    "http://localhost/callback",
    "http://localhost/docs",
    "http://localhost/docs/oauth2-redirect.html",
    "http://127.0.0.1",
    "http://127.0.0.1/callback",
    "http://127.0.0.1/docs",
    "http://127.0.0.1/docs/oauth2-redirect.html",
];

const SCOPES: [&str; 8] = [
    "access_as_user",
    "Todo.Read",
    "Todo.ReadWrite",
    "Data.Read",
    "User.ReadWrite",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
    "User.RevokeSessions.All",
];

const APP_ROLES: [&str; 7] = [
    "Todo.Read.All",
    "Todo.Admin",
    "Tasks.Run",
    "Task Admin",
    "Task",
    "Data.Read.All",
    "User.RevokeSessions.All",
];

/// The registration of the sample API, to change it and give it to
/// [`EmulatorBuilder::app`](super::EmulatorBuilder::app), which replaces it.
#[must_use]
pub fn sample_api() -> App {
    let api = App::api("api", API_ID).with_secret(API_SECRET);
    let api = GRAPH_ROLES.into_iter().fold(api, App::with_graph_role);
    let api = SCOPES.into_iter().fold(api, App::with_scope);
    APP_ROLES.into_iter().fold(api, App::with_app_role)
}

/// The directory every emulator starts from.
pub(super) fn directory() -> Directory {
    let dave = (1..=DAVES_GROUPS)
        .map(|number| format!("dddddddd-0000-4000-8000-{number:012}"))
        .fold(User::new("dave").with_object_id(DAVE), User::in_group);
    let graph = App::api("Microsoft Graph", MICROSOFT_GRAPH);
    let graph = graph
        .with_app_id_uri("https://graph.microsoft.com")
        .with_idtyp_of_users();
    let graph = GRAPH_SCOPES.into_iter().fold(graph, App::with_scope);
    Directory {
        tenants: vec![
            Tenant::new(CONTOSO, "contoso.onmicrosoft.com"),
            Tenant::new(FABRIKAM, "fabrikam.onmicrosoft.com"),
            Tenant::external(NORTHWIND, "northwind.onmicrosoft.com")
                .with_issuer_base("https://{tid}.ciamlogin.com"),
            Tenant::new(CONSUMERS, "live.com"),
        ],
        users: vec![
            User::new("alice")
                .with_object_id(ALICE)
                .with_role("Todo.Admin")
                .in_group(GROUP_ID),
            User::new("bob").with_object_id(BOB),
            User::new("carol").with_object_id(CAROL).guest_of(FABRIKAM),
            dave,
            User::new("erin").in_tenant(FABRIKAM),
            User::new("nina").in_tenant(NORTHWIND),
            User::new("pat").in_tenant(CONSUMERS),
            User::new("assistant-user").of_agent(AGENT_ID),
        ],
        apps: vec![
            graph,
            sample_api(),
            CLI_REDIRECTS
                .into_iter()
                .fold(App::public("cli", CLI_ID), App::with_redirect_uri),
            App::confidential("web", WEB_ID, WEB_SECRET)
                .with_redirect_uri("http://localhost/callback")
                .with_redirect_uri("http://localhost/signin-oidc"),
            App::confidential("daemon", DAEMON_ID, DAEMON_SECRET)
                .with_role("Tasks.Run")
                .with_role("Todo.Read.All"),
            App::api("assistant-blueprint", BLUEPRINT_ID)
                .with_secret(BLUEPRINT_SECRET)
                .with_scope("access_agent"),
            App::public("assistant", AGENT_ID)
                .as_agent_of(BLUEPRINT_ID)
                .with_role("Tasks.Run")
                .with_role("Data.Read.All"),
            App::certificate("certificate-daemon", CERTIFICATE_DAEMON_ID)
                .with_role("Tasks.Run")
                .with_role("Todo.Read.All"),
        ],
        policies: vec![B2C_POLICY.to_owned(), "B2C_1_edit".to_owned()],
    }
}

/// The GUID that belongs to a name: the same in every run.
pub(super) fn id_made_of(name: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name.as_bytes());
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(digest.as_ref())
        .for_each(|(byte, from)| *byte = *from);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

/// A new, unique GUID.
pub(super) fn fresh_id() -> Uuid {
    uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid()
}
