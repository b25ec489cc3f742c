//! Keys that are given and decide nothing beside the other keys: each is named in a warning.

use super::reader::Reader;
use super::schema;
use super::section::Section;
use crate::authority::{AllowedTenants, Kind, Tenant};
use crate::guid::CONSUMERS_TENANT_ID;
use crate::token_version::TokenVersion;

/// One sentence for each key of the section that has no effect, and for a list of tenants that
/// leaves none.
pub(super) fn warnings(from: &Reader<'_>, section: &Section) -> Vec<String> {
    let authority = &section.authority;
    let has = |version| authority.versions.contains(&version);
    let (tenant, is_b2c) = match &authority.kind {
        Kind::Entra { tenant } => (tenant, false),
        Kind::B2c {
            tenant, tenant_id, ..
        } => (tenant_id.as_ref().unwrap_or(tenant), true),
    };
    let is_one = matches!(tenant, Tenant::Id(_) | Tenant::Domain(_));
    let is_consumers = matches!(tenant, Tenant::Consumers | Tenant::Id(CONSUMERS_TENANT_ID));
    let personal = authority.personal_accounts;
    let sessions = section.graph.check_sessions;

    let first = [schema::STS_INSTANCE.path, schema::METADATA_ADDRESS_V1.path];
    let graph = [
        schema::GRAPH_BASE_URL.path,
        schema::GRAPH_CACHE_SECONDS.path,
        schema::GRAPH_RESOLVE_GROUPS.path,
        schema::GRAPH_SHARED_ANSWERS_KEY.path,
    ];
    let entra_only = [
        schema::STS_INSTANCE.path,
        schema::METADATA_ADDRESS_V1.path,
        schema::TOKEN_VERSIONS.path,
        schema::ALLOW_PERSONAL_ACCOUNTS.path,
    ];
    let no_v1 = !is_b2c && !has(TokenVersion::V1);
    let no_v2 = !is_b2c && !has(TokenVersion::V2);
    let rules: [(bool, &[&str], &str); 9] = [
        (is_b2c, &entra_only, "in a section of B2C"),
        (no_v1, &first, "while TokenVersions has no 1.0"),
        (
            no_v2,
            &[schema::ISSUER.path],
            "while TokenVersions has no 2.0",
        ),
        // The v2.0 document of many tenants binds their v1.0 keys.
        (
            no_v2 && (is_one || is_consumers),
            &[schema::METADATA_ADDRESS.path],
            "while TokenVersions has no 2.0",
        ),
        (
            !is_b2c && is_one && !is_consumers && personal,
            &[schema::ALLOW_PERSONAL_ACCOUNTS.path],
            "while TenantId is one tenant",
        ),
        (
            !is_b2c && is_consumers && !personal,
            &[schema::ALLOW_PERSONAL_ACCOUNTS.path],
            "while TenantId is the tenant of personal accounts, which are accepted",
        ),
        (
            section.credentials.is_empty() && !sessions,
            &graph,
            "without ClientSecret or ClientCredentials",
        ),
        (
            section.graph.cache.is_zero(),
            &[schema::GRAPH_SHARED_ANSWERS_KEY.path],
            "while Graph:CacheSeconds is 0",
        ),
        (
            section.redis_url.is_none(),
            &[schema::REDIS_ON_LOSS.path],
            "without Redis:Url: revocations are not shared",
        ),
    ];
    let mut found = Vec::new();
    for (applies, paths, why) in rules {
        for path in paths.iter().filter(|path| applies && is_set(from, path)) {
            found.push(format!("{}:{path} has no effect {why}", from.path()));
        }
    }
    if let (Some(AllowedTenants::Only(tenants)), Tenant::Id(own)) =
        (&authority.allowed_tenants, tenant)
        && !tenants.contains(own)
    {
        found.push(format!(
            "{}:{} lacks the tenant of this section, so none of its tokens is accepted",
            from.path(),
            schema::ALLOWED_TENANTS.path,
        ));
    }
    found
}

/// Whether a key is given; `Graph:ResolveGroups` is by default what `false` says.
fn is_set(from: &Reader<'_>, path: &str) -> bool {
    let scalar = from.node(path).map(|node| node.scalar.as_ref());
    let says_no = |text: &str| text.trim().eq_ignore_ascii_case("false");
    match scalar {
        None => false,
        Some(scalar) => {
            path != schema::GRAPH_RESOLVE_GROUPS.path
                || !scalar.is_some_and(|scalar| says_no(&scalar.text))
        }
    }
}

/// What one section gives and the other one decides, since the process has only one of it.
pub(super) fn shared(first: &Section, second: &Section) -> Vec<String> {
    let differ = |path: &str, both: bool, which: &str| {
        both.then(|| format!("AzureAd:{path} and AzureAdB2C:{path} differ: {which} has no effect"))
    };
    let sizes = |one: Option<usize>, other: Option<usize>| {
        one.zip(other).is_some_and(|(one, other)| one != other)
    };
    let resources = !first.resources.is_empty()
        && !second.resources.is_empty()
        && first.resources != second.resources;
    [
        differ(schema::RESOURCE.path, resources, "the second"),
        differ(
            schema::MAX_TOKEN_BYTES.path,
            sizes(first.max_token_bytes, second.max_token_bytes),
            "the smaller",
        ),
        differ(
            schema::TOKEN_CACHE_MAX_BYTES.path,
            sizes(first.token_cache_bytes, second.token_cache_bytes),
            "the smaller",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
