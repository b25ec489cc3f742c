//! The distinct forms of settings files in Microsoft's templates, samples and documentation, with
//! placeholder ids: each loads with these values, or the error says why not.
//!
//! Gathered from AzureAD/microsoft-identity-web (templates, dev apps, docs), Azure-Samples/ms-identity-*
//! and active-directory-*, dotnet/AspNetCore.Docs, MicrosoftDocs; the shapes only.

use super::*;

/// What becomes of a file.
enum Then {
    /// It loads; the keys that warnings name, and what must hold of the settings.
    Loads(&'static [&'static str], fn(&Settings) -> bool),
    /// It does not, and the line begins so and holds this.
    Refused(&'static str, &'static str),
}
use Then::{Loads, Refused};

struct ValueType {
    name: &'static str,
    /// The members of the root object.
    text: String,
    then: Then,
}

fn aad(members: &str) -> String {
    format!(
        r#""AzureAd":{{"Instance":"https://login.microsoftonline.com/","TenantId":"{TENANT}","ClientId":"{API}"{members}}}"#
    )
}

fn section(settings: &Settings) -> &Section {
    settings.sections().next().unwrap()
}

fn forms() -> Vec<ValueType> {
    let form = |name, text: String, then| ValueType { name, text, then };
    let only_scopes = |settings: &Settings| section(settings).lists.needed == ["access_as_user"];
    vec![
        form(
            "dotnet new webapi: one scope as a string, other sections beside it",
            aad(r#","Scopes":"access_as_user","CallbackPath":"/signin-oidc""#)
                + r#","Logging":{"LogLevel":{"Default":"Information"}},"AllowedHosts":"*","Kestrel":{},"https_port":44351"#,
            Loads(&["CallbackPath"], only_scopes),
        ),
        form(
            "template of a generic API: a secret, and certificates as an empty list",
            aad(
                r#","Domain":"qualified.domain.name","ClientSecret":"from-the-registration","ClientCertificates":[ ],"Scopes":"access_as_user","CallbackPath":"/signin-oidc""#,
            ),
            Loads(&["CallbackPath"], |settings| {
                section(settings).credentials.len() == 1
            }),
        ),
        form(
            "templates with everything left empty",
            aad(r#","ClientSecret":"","ClientCertificates":[],"Scopes":"""#),
            Loads(&[], |settings| {
                let section = section(settings);
                section.credentials.is_empty() && section.lists.needed.is_empty()
            }),
        ),
        form(
            "API of the daemon and angular samples: objects of lists",
            aad(
                r#","Scopes":{"Read":["ToDoList.Read","ToDoList.ReadWrite"],"Write":["ToDoList.ReadWrite"]},
                   "AppPermissions":{"Read":["ToDoList.Read.All","ToDoList.ReadWrite.All"],"Write":["ToDoList.ReadWrite.All"]}"#,
            ),
            Loads(&[], |settings| {
                section(settings).lists.needed.is_empty()
                    && settings.list("AzureAD:Scopes:Read").unwrap()
                        == ["ToDoList.Read", "ToDoList.ReadWrite"]
                    && settings.list("azuread:apppermissions:write").unwrap()
                        == ["ToDoList.ReadWrite.All"]
                    && settings.list("AzureAd:Scopes").is_none()
            }),
        ),
        form(
            "B2C API of the angular sample: an object of strings",
            format!(
                r#""AzureAdB2C":{{"Instance":"https://contoso.b2clogin.com","ClientId":"{API}","Domain":"contoso.onmicrosoft.com",
                   "SignUpSignInPolicyId":"b2c_1_susi_v2","Scopes":{{"Read":"ToDoList.Read ToDoList.ReadWrite","Write":"ToDoList.ReadWrite"}}}}"#
            ),
            Loads(&[], |settings| {
                settings.list("AzureAdB2C:Scopes:Read").unwrap()
                    == ["ToDoList.Read", "ToDoList.ReadWrite"]
            }),
        ),
        form(
            "groups sample: scopes as a list, groups and Graph read by the application itself",
            aad(
                r#","Scopes":["access_via_group_assignments"],"Groups":{"GroupAdmin":"x"},"MsGraph":{"BaseUrl":"https://graph.microsoft.com/v1.0"}"#,
            ),
            Refused("AzureAd:Groups = an object", "RequireGroup"),
        ),
        form(
            "the same without them",
            aad(r#","Scopes":["access_as_user"]"#),
            Loads(&[], only_scopes),
        ),
        form(
            "app permissions as one string",
            aad(r#","Scopes":"access_as_user","AppPermissions":"TodoList.ReadWrite.All TodoList.Admin""#),
            Refused(
                "AzureAd:AppPermissions = \"TodoList.ReadWrite.All TodoList.Admin\"",
                "RequireAppOnly.and(RequireRole::any([…]))",
            ),
        ),
        form(
            "app permissions as a list",
            aad(r#","AppPermissions":["TodoList.ReadWrite.All"]"#),
            Refused("AzureAd:AppPermissions = a list", "RequireRole"),
        ),
        form(
            "API behind a gateway: valid audiences under the validation parameters",
            aad(
                r#","Audience":"api://x","TokenValidationParameters":{"ValidAudiences":["api://x","https://backend.contoso.com"]}"#,
            ),
            Refused("AzureAd:TokenValidationParameters = an object", "Audiences"),
        ),
        form(
            "key store: valid issuers beside common",
            format!(
                r#""AzureAd":{{"Instance":"https://login.microsoftonline.com/","ClientId":"{API}","TenantId":"common","Authority":"https://login.microsoftonline.com/common/v2.0","TokenValidationParameters":{{"ValidIssuers":["https://sts.windows.net/{TENANT}/"]}}}}"#
            ),
            Refused(
                "AzureAd:TokenValidationParameters = an object",
                "AllowedTenants",
            ),
        ),
        form(
            "allow-list of clients",
            aad(&format!(r#","AllowedClientApplications":["{API}"]"#)),
            Refused(
                "AzureAd:AllowedClientApplications = a list",
                "RequireClientId",
            ),
        ),
        form(
            "agents and their services: the audience",
            aad(&format!(r#","Audience":"api://{API}""#)),
            Loads(&[], |settings| section(settings).authority.audiences.len() == 1),
        ),
        form(
            "schema of the sidecar: several audiences, capabilities, region, pii",
            aad(
                r#","Audiences":["api://a","b"],"ShowPII":false,"ExtraQueryParameters":{"dc":"x"},"AzureRegion":"westus","SendX5C":true,"ClientCapabilities":["cp1"],"EnablePiiLogging":false,"AllowWebApiToBeAuthorizedByACL":true"#,
            ),
            Loads(
                &[
                    "AzureRegion",
                    "ClientCapabilities",
                    "EnablePiiLogging",
                    "ExtraQueryParameters",
                    "SendX5C",
                    "ShowPII",
                ],
                |settings| {
                    section(settings).authority.without_permissions && section(settings).authority.audiences == ["api://a", "b"]
                },
            ),
        ),
        form(
            "sidecar: a certificate in the store of Windows, which cannot be used here",
            aad(
                r#","Scopes":"access_as_user","ClientCredentials":[{"SourceType":"StoreWithDistinguishedName","CertificateStorePath":"LocalMachine/My","CertificateDistinguishedName":"CN=contoso"}]"#,
            ),
            Loads(&["ClientCredentials:0"], |settings| {
                section(settings).credentials.is_empty()
            }),
        ),
        form(
            "the older name of the credentials",
            aad(
                r#","ClientCertificates":[{"SourceType":"KeyVault","KeyVaultUrl":"https://contoso.vault.azure.net","KeyVaultCertificateName":"c"},{"SourceType":"Path","CertificateDiskPath":"/app/c.pem"}]"#,
            ),
            Loads(&["ClientCertificates:0"], |settings| {
                matches!(
                    &section(settings).credentials[..],
                    [Credential::CertificateFile { .. }]
                )
            }),
        ),
        form(
            "both names: the newer counts",
            aad(
                r#","ClientCredentials":[{"SourceType":"ClientSecret","ClientSecret":"x"}],"ClientCertificates":[{"SourceType":"Path","CertificateDiskPath":"/app/c.pem"}]"#,
            ),
            Loads(&["ClientCertificates"], |settings| {
                matches!(&section(settings).credentials[..], [Credential::Secret(_)])
            }),
        ),
        form(
            "a sample's placeholder in place of the list",
            aad(r#","ClientCertificates":"[or Enter the certificate details]""#),
            Refused("AzureAd:ClientCertificates = (not shown)", "a list"),
        ),
        form(
            "certificateless: the machine's identity, a secret for development",
            aad(
                r#","ClientCredentials":[{"SourceType":"SignedAssertionFromManagedIdentity"},{"SourceType":"ClientSecret","ClientSecret":"dev"}]"#,
            ),
            Loads(&[], |settings| section(settings).credentials.len() == 2),
        ),
        form(
            "certificateless: a user-assigned identity by its client id",
            aad(&format!(
                r#","ClientCredentials":[{{"SourceType":"SignedAssertionFromManagedIdentity","ManagedIdentityClientId":"{API}","TokenExchangeUrl":"api://AzureADTokenExchangeUSGov"}}]"#
            )),
            Loads(&[], |settings| section(settings).credentials.len() == 1),
        ),
        form(
            "older certificateless options",
            aad(r#","ClientCredentialsUsingManagedIdentity":{"IsEnabled":true}"#),
            Loads(&["ClientCredentialsUsingManagedIdentity"], |settings| {
                settings.warnings()[0].contains("SignedAssertionFromManagedIdentity")
            }),
        ),
        form(
            "workload identity: the file of the assertion",
            aad(
                r#","ClientCredentials":[{"SourceType":"SignedAssertionFilePath","SignedAssertionFileDiskPath":"/var/run/secrets/token"}]"#,
            ),
            Loads(&[], |settings| section(settings).credentials.len() == 1),
        ),
        form(
            "encrypted tokens, older name",
            aad(
                r#","TokenDecryptionCertificates":[{"SourceType":"Base64Encoded","Base64EncodedValue":"MII","CertificatePassword":"hush"}]"#,
            ),
            Refused(
                "AzureAd:TokenDecryptionCertificates:0:Base64EncodedValue",
                "Base64 of a PEM or PKCS#12 file",
            ),
        ),
        form(
            "encrypted tokens",
            aad(
                r#","TokenDecryptionCredentials":[{"SourceType":"Path","CertificateDiskPath":"/app/d.pfx","CertificatePassword":"hush"}]"#,
            ),
            Loads(&[], |settings| section(settings).decryption_keys.len() == 1),
        ),
        form(
            "many tenants, without saying which",
            format!(
                r#""AzureAd":{{"Instance":"https://login.microsoftonline.com/","TenantId":"organizations","ClientId":"{API}"}}"#
            ),
            Refused("AzureAd:AllowedTenants is not given", "\"any\""),
        ),
        form(
            "any organization: the sample's own list of tenants",
            format!(
                r#""AzureAd":{{"Instance":"https://login.microsoftonline.com/","Domain":"contoso.onmicrosoft.com","TenantId":"common","ClientId":"{API}","ClientSecret":"x","ClientCapabilities":["cp1"],"AllowedTenants":["{TENANT}"]}}"#
            ),
            Loads(&["ClientCapabilities"], |settings| {
                matches!(&section(settings).authority.allowed_tenants, Some(AllowedTenants::Only(own)) if own.len() == 1)
            }),
        ),
        form(
            "the same with its address of Graph",
            aad(r#","GraphAPI":"https://graph.microsoft.com/v1.0""#),
            Refused("AzureAd:GraphAPI (appsettings.json) is not a known key", "Graph"),
        ),
        form(
            "tenants to filter by, and no tenant of the authority",
            format!(
                r#""AzureAd":{{"Instance":"https://login.microsoftonline.com/","ClientId":"{API}","AllowedTenants":["{TENANT}"]}}"#
            ),
            Refused("AzureAd:TenantId is not given", "common"),
        ),
        form(
            "a placeholder in place of the id",
            r#""AzureAd":{"Instance":"https://login.microsoftonline.com/","TenantId":"Enter_the_Tenant_Info_here","ClientId":"Enter_the_Application_Id_here"}"#
                .to_owned(),
            Refused("AzureAd:TenantId = \"Enter_the_Tenant_Info_here\"", "a GUID"),
        ),
        form(
            "a sample with a blank at the end of a key",
            aad(r#","SignedOutCallbackPath ":"/signout-callback-oidc""#),
            Refused(
                "AzureAd:SignedOutCallbackPath  (appsettings.json) is not a known key",
                "AzureAd:SignedOutCallbackPath",
            ),
        ),
        form(
            "External ID by instance",
            format!(
                r#""AzureAd":{{"Instance":"https://contoso.ciamlogin.com/","TenantId":"{TENANT}","ClientId":"{API}"}}"#
            ),
            Loads(&[], |settings| section(settings).authority.instance.is_some()),
        ),
        form(
            "External ID by authority, and a scope",
            format!(
                r#""AzureAd":{{"Authority":"https://contoso.ciamlogin.com/","ClientId":"{API}","Scopes":"Custom.Scope2","CallbackPath":"/signin-oidc"}}"#
            ),
            Loads(&["CallbackPath"], |settings| {
                tenant(section(settings)) == Tenant::new("contoso.onmicrosoft.com")
            }),
        ),
        form(
            "External ID by a custom domain",
            format!(
                r#""AzureAd":{{"Authority":"https://login.contoso.com/contoso.onmicrosoft.com","ClientId":"{API}","PreserveAuthority":true}}"#
            ),
            Loads(&["PreserveAuthority"], |settings| {
                section(settings).authority.instance.is_some()
            }),
        ),
        form(
            "External ID for many tenants, issuers unchecked",
            format!(
                r#""AzureAd":{{"Authority":"https://contoso.ciamlogin.com/common","ClientId":"{API}","ValidateIssuer":false}}"#
            ),
            Refused("AzureAd:ValidateIssuer = false", "AllowedTenants"),
        ),
        form(
            "the authority beside instance and tenant, agreeing (Microsoft throws)",
            format!(
                r#""AzureAd":{{"Authority":"https://contoso.ciamlogin.com/contoso.onmicrosoft.com","Instance":"https://contoso.ciamlogin.com/","TenantId":"contoso.onmicrosoft.com","ClientId":"{API}"}}"#
            ),
            Loads(&[], |_| true),
        ),
        form(
            "the authority names a domain, TenantId its id",
            format!(
                r#""AzureAd":{{"Authority":"https://login.microsoftonline.com/contoso.com","Domain":"contoso.com","TenantId":"{TENANT}","ClientId":"{API}"}}"#
            ),
            Loads(&[], |_| true),
        ),
        form(
            "the authority under an alias of the instance's cloud",
            aad(&format!(r#","Authority":"https://login.windows.net/{TENANT}""#)),
            Loads(&[], |_| true),
        ),
        form(
            "the authority of another cloud",
            aad(&format!(
                r#","Authority":"https://login.microsoftonline.us/{TENANT}""#
            )),
            Refused("AzureAd:Authority = ", "the host of Instance"),
        ),
        form(
            "the authority of another tenant",
            aad(r#","Authority":"https://login.microsoftonline.com/common/v2.0""#),
            Refused("AzureAd:Authority = ", "the tenant that TenantId names"),
        ),
        form(
            "an authority with a query",
            format!(
                r#""AzureAd":{{"Authority":"https://login.microsoftonline.com/contoso.com?domain_hint=x","ClientId":"{API}"}}"#
            ),
            Refused("AzureAd:Authority = ", "without a query"),
        ),
        form(
            "an authority without a scheme",
            format!(
                r#""AzureAd":{{"Authority":"login.microsoftonline.com/contoso.com","ClientId":"{API}"}}"#
            ),
            Refused("AzureAd:Authority = ", "an https URL"),
        ),
        form(
            "older B2C template: the public cloud's host with /tfp/",
            format!(
                r#""AzureAdB2C":{{"Instance":"https://login.microsoftonline.com/tfp/","ClientId":"{API}","Domain":"contoso.onmicrosoft.com","SignUpSignInPolicyId":"B2C_1_susi"}}"#
            ),
            Loads(&[], |_| true),
        ),
        form(
            "older template for many tenants: the tenant in the instance",
            format!(
                r#""AzureAd":{{"Instance":"https://login.microsoftonline.com/common","ClientId":"{API}","TenantId":"{TENANT}","Domain":"[Enter the domain of your tenant, e.g. contoso.onmicrosoft.com]"}}"#
            ),
            Refused("AzureAd:Instance = ", "TenantId names the tenant"),
        ),
        form(
            "the placeholder of a domain, which decides nothing",
            aad(
                r#","Domain":"[Enter the domain of your tenant, e.g. contoso.onmicrosoft.com]""#,
            ),
            Loads(&[], |settings| !settings.is_empty()),
        ),
        form(
            "US Government",
            format!(
                r#""AzureAd":{{"Instance":"https://login.microsoftonline.us/","TenantId":"{TENANT}","ClientId":"{API}"}}"#
            ),
            Loads(&[], |_| true),
        ),
        form(
            "the cloud by a word of MSAL",
            format!(
                r#""AzureAd":{{"AzureCloudInstance":"AzureUsGovernment","TenantId":"{TENANT}","ClientId":"{API}"}}"#
            ),
            Refused(
                "AzureAd:AzureCloudInstance = \"AzureUsGovernment\"",
                "Instance",
            ),
        ),
        form(
            "B2C: policies of web apps beside the one that signs in",
            format!(
                r#""AzureAdB2C":{{"Instance":"https://contoso.b2clogin.com","ClientId":"{API}","Domain":"contoso.onmicrosoft.com",
                   "SignedOutCallbackPath":"/signout/B2C_1_susi","SignUpSignInPolicyId":"b2c_1_susi","ResetPasswordPolicyId":"b2c_1_reset","EditProfilePolicyId":"b2c_1_edit_profile" // optional
                   }}"#
            ),
            Loads(
                &[
                    "EditProfilePolicyId",
                    "ResetPasswordPolicyId",
                    "SignedOutCallbackPath",
                ],
                |settings| policies(section(settings)) == ["b2c_1_susi"],
            ),
        ),
        form(
            "B2C: the instance of older samples",
            format!(
                r#""AzureAdB2C":{{"Instance":"https://contoso.b2clogin.com/tfp/","ClientId":"{API}","Domain":"contoso.onmicrosoft.com","SignUpSignInPolicyId":"B2C_1_susi"}}"#
            ),
            Loads(&[], |_| true),
        ),
        form(
            "B2C: the policy in the authority",
            format!(
                r#""AzureAdB2C":{{"Authority":"https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com/B2C_1_susi","ClientId":"{API}","Domain":"contoso.onmicrosoft.com"}}"#
            ),
            Loads(&[], |settings| policies(section(settings)) == ["B2C_1_susi"]),
        ),
        form(
            "B2C: the authority without a policy",
            format!(
                r#""AzureAdB2C":{{"Authority":"https://contoso.b2clogin.com/contoso.onmicrosoft.com","ClientId":"{API}"}}"#
            ),
            Refused("AzureAdB2C:SignUpSignInPolicyId is not given", "B2C_1_susi"),
        ),
        form(
            "B2C and Entra ID side by side, the tenant's id and domain both",
            aad("") + &format!(
                r#","AzureAdB2C":{{"Instance":"https://contoso.b2clogin.com/","Domain":"contoso.onmicrosoft.com","TenantId":"{TENANT}","ClientId":"{API}","SignUpSignInPolicyId":"B2C_1_SignUpSignIn"}}"#
            ),
            Loads(&[], |settings| settings.sections().count() == 2),
        ),
        form(
            "a sample of signed requests asks for Graph's full scope",
            aad(r#","Scopes":"https://graph.microsoft.com/.default""#),
            Loads(&["Scopes"], |settings| {
                settings.warnings()[0].contains("short name")
            }),
        ),
        form(
            "the sample configuration of the abstractions: an unknown key",
            aad(r#","Region":"","UserAssignedManagedIdentityClientId":null,"DefaultUserFlow":null"#),
            Refused("AzureAd:Region (appsettings.json) is not a known key", "AzureRegion"),
        ),
        form(
            "the same: no audiences",
            aad(r#","Audiences":[]"#),
            Refused("AzureAd:Audiences = an empty list", "not empty"),
        ),
        form(
            "a page of WebAssembly: keys of a client",
            format!(
                r#""AzureAd":{{"Authority":"https://login.microsoftonline.com/{TENANT}","ClientId":"{API}","ValidateAuthority":true}}"#
            ),
            Refused(
                "AzureAd:ValidateAuthority (appsettings.json) is not a known key",
                "expected one like",
            ),
        ),
        form(
            "a section of another name alone",
            format!(r#""EntraId":{{"TenantId":"{TENANT}","ClientId":"{API}"}}"#),
            Loads(&[], Settings::is_empty),
        ),
    ]
}

#[test]
fn every_form_of_microsofts_files_loads_or_says_why_not() {
    let mut names = std::collections::BTreeSet::new();
    for ValueType { name, text, then } in forms() {
        assert!(names.insert(name), "twice: {name}");
        let loaded = load(&format!("{{{text}}}"), []);
        match then {
            Loads(warned, holds) => {
                let settings = loaded.unwrap_or_else(|error| panic!("{name}: {error}"));
                let keys: Vec<&str> = settings
                    .warnings()
                    .iter()
                    .filter_map(|line| line.split(' ').next()?.split_once(':'))
                    .map(|(_, key)| key)
                    .collect();
                assert_eq!(keys, warned, "{name}");
                assert!(holds(&settings), "{name}: {settings:?}");
            }
            Refused(start, holds) => {
                let line = one_line(loaded.expect_err(name));
                assert!(line.starts_with(start), "{name}: {line}");
                assert!(line.contains(holds), "{name}: {line}");
                assert!(!line.contains("hush"), "{name}: {line}");
            }
        }
    }
    assert!(names.len() > 50, "{}", names.len());
}
