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
/// The client id of the public client `cli`.
pub const CLI_ID: &str = "75dbe77f-10a3-4e59-85fd-8c127544f17c";
/// The client id of `daemon`, with the app roles `Tasks.Run` and `Todo.Read.All`.
pub const DAEMON_ID: &str = "bbbbbbbb-1111-4111-8111-111111111111";
/// The secret of `daemon`, which is no secret.
pub const DAEMON_SECRET: &str = "emulator-secret";
/// The client id of `certificate-daemon`, with the same app roles.
pub const CERTIFICATE_DAEMON_ID: &str = "cccccccc-1111-4111-8111-111111111111";

/// The password of every seeded user, which is no secret.
pub const PASSWORD: &str = "emulator-password";
/// The object id of alice: role `Todo.Admin`, member of [`GROUP`].
pub const ALICE: &str = "a11ce000-0000-4000-8000-000000000001";
/// The object id of bob, who has no roles and no groups.
pub const BOB: &str = "b0b00000-0000-4000-8000-000000000002";
/// The object id of carol, a guest from fabrikam.
pub const CAROL: &str = "ca401000-0000-4000-8000-000000000003";
/// The object id of dave, who is in 250 groups: too many for a token.
pub const DAVE: &str = "da4e0000-0000-4000-8000-000000000004";
/// The group alice is in.
pub const GROUP: &str = "aaaaaaaa-0000-4000-8000-000000000001";
/// The B2C policy for sign-up and sign-in; `B2C_1_edit` is there too.
pub const POLICY: &str = "B2C_1_susi";

const DAVES_GROUPS: u32 = 250;

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

/// The directory every emulator starts from.
pub(super) fn directory() -> Directory {
    let dave = (1..=DAVES_GROUPS)
        .map(|number| format!("dddddddd-0000-4000-8000-{number:012}"))
        .fold(User::new("dave").with_object_id(DAVE), User::in_group);
    let api = App::api("api", API_ID);
    let api = SCOPES.into_iter().fold(api, App::with_scope);
    let api = APP_ROLES.into_iter().fold(api, App::with_app_role);
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
                .in_group(GROUP),
            User::new("bob").with_object_id(BOB),
            User::new("carol").with_object_id(CAROL).guest_of(FABRIKAM),
            dave,
            User::new("erin").in_tenant(FABRIKAM),
            User::new("nina").in_tenant(NORTHWIND),
            User::new("pat").in_tenant(CONSUMERS),
        ],
        apps: vec![
            api,
            App::public("cli", CLI_ID),
            App::confidential("daemon", DAEMON_ID, DAEMON_SECRET)
                .with_role("Tasks.Run")
                .with_role("Todo.Read.All"),
            App::certificate("certificate-daemon", CERTIFICATE_DAEMON_ID)
                .with_role("Tasks.Run")
                .with_role("Todo.Read.All"),
        ],
        policies: vec![POLICY.to_owned(), "B2C_1_edit".to_owned()],
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

/// A GUID nobody has had before.
pub(super) fn fresh_id() -> Uuid {
    uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid()
}
