//! The rules with the library's layers around them: what becomes of an original request.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::response::Response;
use axum_entra::{Claims, Entra, EntraLayer, GuardLayer};
use http::{HeaderValue, Request, StatusCode};
use tower::{Layer, Service, ServiceExt};

use crate::assertion::{Signer, SigningKey};
use crate::original::Original;
use crate::problem::Problem;
use crate::rules::{Allow, Rule, RuleGuard, Rules, RulesError};

/// Everything that a reload replaces, whole or not at all.
#[derive(Debug)]
pub(crate) struct Policy {
    rules: Rules,
    /// As long as `rules`, in the same order.
    access: Vec<Access>,
    no_rule: Access,
    authenticated: Access,
    signer: Option<Signer>,
}

/// What becomes of an original request.
pub(crate) enum Verdict {
    /// It may pass.
    Granted(Granted),
    /// The answer that the client gets.
    Refused(Response),
}

/// What is known of a request that may pass.
pub(crate) struct Granted {
    /// None on `open`, and on `optional` without a token.
    pub(crate) claims: Option<Claims>,
    pub(crate) assertion: Option<HeaderValue>,
}

impl Policy {
    /// Reads the rules file, and the key file that it names.
    ///
    /// `made` is the key of assertions without a file; `before` is the policy that this one
    /// replaces.
    pub(crate) fn load(
        file: &Path,
        entra: &Entra,
        made: &Arc<SigningKey>,
        before: Option<&Self>,
    ) -> Result<Self, RulesError> {
        let text =
            std::fs::read_to_string(file).map_err(|error| RulesError::unreadable(file, &error))?;
        let rules = Rules::parse(file, &text)?;
        let before = before.and_then(|before| before.signer.as_ref());
        let signer = rules.assertion.as_ref();
        let signer = signer.map(|table| Signer::new(table, made, before, file, &text));
        Ok(Self::new(rules, entra.layer(), signer.transpose()?))
    }

    fn new(rules: Rules, layer: EntraLayer, signer: Option<Signer>) -> Self {
        Self {
            access: rules
                .iter()
                .map(|rule| Access::of(&rule.allow, &layer))
                .collect(),
            no_rule: Access::of(&Allow::Guarded(RuleGuard::no_rule()), &layer),
            authenticated: Access::of(&Allow::Authenticated, &layer),
            rules,
            signer,
        }
    }

    /// The first rule that matches.
    pub(crate) fn rule(&self, original: &Original) -> Option<&Rule> {
        self.rules.get(self.place(original)?)
    }

    fn place(&self, original: &Original) -> Option<usize> {
        self.rules
            .find(original.method(), original.host(), original.path())
    }

    /// Decides about a request by the first rule that matches; without one it is refused.
    ///
    /// The line is that of the rule.
    pub(crate) async fn decide(&self, original: Original) -> (Verdict, Option<usize>) {
        let place = self.place(&original);
        let line = || Some(self.rules.get(place?)?.line);
        (self.decide_by(place, original).await, line())
    }

    async fn decide_by(&self, place: Option<usize>, original: Original) -> Verdict {
        let access = place.map_or(Some(&self.no_rule), |place| self.access.get(place));
        let access = access.unwrap_or(&self.no_rule);
        let claims = match access.clone().ask(original.into_request()).await {
            Ok(claims) => claims,
            Err(response) => return Verdict::Refused(response),
        };
        let assertion = match (&self.signer, access) {
            (None, _) | (_, Access::Open) => None,
            (Some(signer), _) => match signer.sign(claims.as_ref()) {
                Some(assertion) => Some(assertion),
                None => return Verdict::Refused(Problem::internal().into_response()),
            },
        };
        Verdict::Granted(Granted { claims, assertion })
    }

    /// Decides about a token alone, without rules.
    pub(crate) async fn validate(&self, request: Request<()>) -> Result<Claims, Response> {
        match self.authenticated.clone().ask(request).await {
            Ok(Some(claims)) => Ok(claims),
            Ok(None) => Err(Problem::internal().into_response()),
            Err(response) => Err(response),
        }
    }

    /// Whether `/validate` answers the token too.
    pub(crate) const fn validate_returns_token(&self) -> bool {
        self.rules.validate_returns_token
    }

    /// The public keys of assertions, where the rules ask for these.
    pub(crate) const fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.rules.warnings()
    }

    pub(crate) fn len(&self) -> usize {
        self.access.len()
    }

    pub(crate) fn other_files(&self) -> Vec<PathBuf> {
        self.rules.other_files()
    }
}

type Plain = <EntraLayer as Layer<Grant>>::Service;
type WithGuard = <EntraLayer as Layer<<GuardLayer<RuleGuard> as Layer<Grant>>::Service>>::Service;

/// The layers of a rule around the end of the way.
#[derive(Debug, Clone)]
enum Access {
    Open,
    Plain(Plain),
    Guarded(WithGuard),
}

impl Access {
    fn of(allow: &Allow, layer: &EntraLayer) -> Self {
        match allow {
            Allow::Open => Self::Open,
            Allow::Optional => Self::Plain(layer.clone().optional().layer(Grant)),
            Allow::Authenticated => Self::Plain(layer.layer(Grant)),
            Allow::Guarded(guard) => {
                Self::Guarded(layer.layer(GuardLayer::new(guard.clone()).layer(Grant)))
            }
        }
    }

    /// The claims of a request that reached the end of the way, else the layers' answer.
    async fn ask(self, request: Request<()>) -> Result<Option<Claims>, Response> {
        let answer = match self {
            Self::Open => return Ok(None),
            Self::Plain(service) => service.oneshot(request).await,
            Self::Guarded(service) => service.oneshot(request).await,
        };
        let mut response = answer.unwrap_or_else(|never| match never {});
        match response.extensions_mut().remove::<Reached>() {
            Some(Reached(claims)) => Ok(claims),
            // No layer answers in the name of the service; if one did, the request would not pass.
            None if response.status().is_success() => Err(Problem::internal().into_response()),
            None => Err(response),
        }
    }
}

/// The mark of a request that passed every layer.
#[derive(Debug, Clone)]
struct Reached(Option<Claims>);

/// The end of the way: only a request that every layer let pass comes here.
#[derive(Debug, Clone, Copy)]
struct Grant;

impl Service<Request<()>> for Grant {
    type Response = Response;
    type Error = Infallible;
    type Future = Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<()>) -> Self::Future {
        let claims = request.extensions_mut().remove::<Claims>();
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::OK;
        response.extensions_mut().insert(Reached(claims));
        ready(Ok(response))
    }
}
