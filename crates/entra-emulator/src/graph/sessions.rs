//! Users, and the sign-in sessions of users (Microsoft, user-revokesigninsessions, user-get).

use serde_json::{Map, Value, json};

use super::{Action, Answer, GraphError, Request, Target};
use crate::aadsts::utc;

/// Ends refresh tokens and browser sessions. A guest's sessions are its home tenant's, so Graph
/// says yes and nothing happens.
pub(super) fn revoke(
    request: &Request<'_>,
    target: &Target<'_>,
    action: Action,
) -> Result<Answer, GraphError> {
    let Target::User(user) = target else {
        return Err(GraphError::bad_request(
            "Resource not found for the segment 'revokeSignInSessions'.",
        ));
    };
    if user.home_tenant.is_none() {
        request.authority.sign_ins().revoke(&user.object_id);
    }
    if action == Action::InvalidateAllRefreshTokens {
        return Ok(Answer::Nothing);
    }
    let context = request.context("Edm.Boolean");
    Ok(Answer::Json(
        json!({ "@odata.context": context, "value": true }),
    ))
}

/// The object's properties: the default ones, or those of `$select`.
pub(super) fn read(request: &Request<'_>, target: &Target<'_>) -> Result<Answer, GraphError> {
    let (kind, everything) = match target {
        Target::User(user) => {
            let name = request.authority.directory.principal_name(user);
            let mail = request.authority.directory.sign_in_name(user);
            let valid_from = request.authority.sign_ins().valid_from(&user.object_id);
            let valid_from = utc(valid_from, 'T');
            let is_guest = user.home_tenant.is_some();
            let properties = json!({
                "id": user.object_id,
                "displayName": user.display_name,
                "givenName": user.display_name,
                "userPrincipalName": name,
                "mail": mail,
                "accountEnabled": true,
                "userType": if is_guest { "Guest" } else { "Member" },
                "signInSessionsValidFromDateTime": valid_from,
                "refreshTokensValidFromDateTime": valid_from,
            });
            ("users", properties)
        }
        Target::ServicePrincipal(app) => {
            let properties = json!({
                "id": app.object_id,
                "displayName": app.name,
                "appId": app.client_id,
                "accountEnabled": true,
            });
            ("servicePrincipals", properties)
        }
    };
    let select = request.query.get("$select").map(String::as_str);
    let select = select.unwrap_or(BY_DEFAULT);
    let mut found = Map::new();
    let context = request.context(&format!("{kind}/$entity"));
    found.insert("@odata.context".to_owned(), Value::String(context));
    for name in select.split(',').map(str::trim) {
        let property = everything.as_object().and_then(|all| {
            all.iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
        });
        match property {
            Some((name, value)) => found.insert(name.clone(), value.clone()),
            None if request.query.contains_key("$select") => {
                let message = format!("Could not find a property named '{name}' in '{kind}'.");
                return Err(GraphError::bad_request(&message));
            }
            None => None,
        };
    }
    Ok(Answer::Json(Value::Object(found)))
}

/// What Graph returns unasked; `signInSessionsValidFromDateTime` is not among it.
const BY_DEFAULT: &str = "id,displayName,givenName,userPrincipalName,mail,appId";
