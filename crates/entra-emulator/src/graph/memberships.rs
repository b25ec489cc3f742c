//! Groups: which of these, all of them, and page by page (Microsoft, directoryobject-checkmembergroups
//! and its neighbours). Groups do not nest here, so every membership is transitive already.

use serde_json::{Value, json};
use url::form_urlencoded;
use uuid::Uuid;

use super::{Answer, GraphError, Request, Target};

/// `checkMemberGroups` and `checkMemberObjects`: those of at most 20 ids that are the object's.
pub(super) fn check(
    request: &Request<'_>,
    target: &Target<'_>,
    any_object: bool,
) -> Result<Answer, GraphError> {
    let name = if any_object { "ids" } else { "groupIds" };
    let body = request.object()?;
    let asked = body.get(name).and_then(Value::as_array).ok_or_else(|| {
        let message = format!("Invalid request: the parameter '{name}' must be specified.");
        GraphError::bad_directory_request(&message)
    })?;
    if asked.is_empty() || asked.len() > MOST_CHECKED {
        let message = format!(
            "Invalid number of elements in '{name}': {}. It must be between 1 and {MOST_CHECKED}.",
            asked.len()
        );
        return Err(GraphError::bad_directory_request(&message));
    }
    let has = memberships(request, target, any_object);
    let mut found = Vec::new();
    for id in asked {
        let id = id
            .as_str()
            .filter(|id| Uuid::try_parse(id).is_ok())
            .ok_or_else(|| {
                let message = format!("Invalid object identifier {id}.");
                GraphError::bad_directory_request(&message)
            })?;
        found.extend(has.iter().find(|has| has.eq_ignore_ascii_case(id)));
    }
    found.dedup();
    Ok(ids(request, &found))
}

/// `getMemberGroups` and `getMemberObjects`: all ids, if they are not too many.
pub(super) fn list(
    request: &Request<'_>,
    target: &Target<'_>,
    any_object: bool,
) -> Result<Answer, GraphError> {
    let body = request.object()?;
    // Every group of the emulator is a security group, so both values mean the same.
    if !body
        .get("securityEnabledOnly")
        .is_some_and(Value::is_boolean)
    {
        let message = "Invalid request: the parameter 'securityEnabledOnly' must be specified.";
        return Err(GraphError::bad_directory_request(message));
    }
    let has = memberships(request, target, any_object);
    if has.len() > MOST_LISTED {
        return Err(GraphError::too_many_results());
    }
    Ok(ids(request, &has.iter().collect::<Vec<_>>()))
}

/// `transitiveMemberOf`, page by page.
pub(super) fn page(
    request: &Request<'_>,
    path: &str,
    target: &Target<'_>,
    groups_only: bool,
) -> Result<Answer, GraphError> {
    let query = |name: &str| request.query.get(name).map(String::as_str);
    let counts = query("$count").is_some_and(|count| count.eq_ignore_ascii_case("true"));
    let level = request.headers.get("consistencylevel");
    let is_eventual = level.is_some_and(|level| level.as_bytes().eq_ignore_ascii_case(b"eventual"));
    if (groups_only || counts) && !is_eventual {
        let message = "Request_UnsupportedQuery: an OData cast and $count need the header \
                       ConsistencyLevel: eventual.";
        return Err(GraphError::unsupported_query(message));
    }
    let size = match query("$top") {
        None => DEFAULT_PAGE,
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (1..=MOST_ON_A_PAGE).contains(size))
            .ok_or_else(|| {
                let message = format!(
                    "Invalid page size specified: '{text}'. Must be between 1 and {MOST_ON_A_PAGE} \
                     inclusive."
                );
                GraphError::bad_directory_request(&message)
            })?,
    };
    let start: usize = match query("$skiptoken") {
        None => 0,
        Some(token) => usize::from_str_radix(token, 16).map_err(|_| {
            GraphError::bad_directory_request("The specified page token value is invalid.")
        })?,
    };
    let has = memberships(request, target, !groups_only);
    let groups = memberships(request, target, false).len();
    let only_id = query("$select").is_some_and(|select| select.eq_ignore_ascii_case("id"));
    let value: Vec<_> = has
        .iter()
        .enumerate()
        .skip(start)
        .take(size)
        .map(|(index, id)| object(id, index < groups, only_id))
        .collect();

    let mut body = json!({ "@odata.context": request.context("directoryObjects"), "value": value });
    let end = start.saturating_add(size);
    if let Some(body) = body.as_object_mut() {
        if counts {
            body.insert("@odata.count".to_owned(), json!(has.len()));
        }
        if end < has.len() {
            let link = next_link(request, path, end);
            body.insert("@odata.nextLink".to_owned(), json!(link));
        }
    }
    Ok(Answer::Json(body))
}

/// The address of this request with another `$skiptoken`.
fn next_link(request: &Request<'_>, path: &str, end: usize) -> String {
    let mut query = String::new();
    for (name, value) in request.query {
        if name != "$skiptoken" {
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            query.push_str(&format!("{name}={value}&"));
        }
    }
    let (base, version) = (&request.authority.base, request.version);
    // A guest's user principal name has two `#` in it.
    let path = path.replace('#', "%23");
    format!("{base}/graph/{version}/{path}?{query}$skiptoken={end:x}")
}

fn object(id: &str, is_group: bool, only_id: bool) -> Value {
    let kind = if is_group { "group" } else { "directoryRole" };
    let kind = format!("#microsoft.graph.{kind}");
    if only_id {
        return json!({ "@odata.type": kind, "id": id });
    }
    json!({
        "@odata.type": kind,
        "id": id,
        "displayName": format!("Group {id}"),
        "securityEnabled": is_group,
        "mailEnabled": false,
        "groupTypes": [],
    })
}

fn ids(request: &Request<'_>, ids: &[&String]) -> Answer {
    Answer::Json(json!({
        "@odata.context": request.context("Collection(Edm.String)"),
        "value": ids,
    }))
}

/// The groups, and after them the directory roles where those count.
fn memberships(request: &Request<'_>, target: &Target<'_>, any_object: bool) -> Vec<String> {
    let changed = request
        .authority
        .sign_ins()
        .memberships(target.object_id())
        .map(<[String]>::to_vec);
    let (groups, roles): (&[String], &[String]) = match target {
        Target::User(user) => (&user.groups, &user.directory_roles),
        Target::ServicePrincipal(_) => (&[], &[]),
    };
    let mut all = changed.unwrap_or_else(|| groups.to_vec());
    if any_object {
        all.extend_from_slice(roles);
    }
    all
}

// Microsoft, directoryobject-checkmembergroups: "a maximum of 20 groups".
const MOST_CHECKED: usize = 20;
// Microsoft, directoryobject-getmembergroups: "up to 11,000 group IDs".
const MOST_LISTED: usize = 11_000;
// Microsoft, user-list-transitivememberof: 100 by default, 999 at most.
const DEFAULT_PAGE: usize = 100;
const MOST_ON_A_PAGE: usize = 999;
