//! An authority, tokens of the size that Entra's have, and a route behind the layer.
#![allow(dead_code, reason = "no bench needs all of it")]

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::{Route, get};
use axum_entra::guard::RequireScope;
use axum_entra::{AllowedTenants, Authority, Entra, Tenant, Uuid};
use entra_emulator::{API_ID, CONTOSO, Emulator, TokenBuilder};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::{Layer, Service};

/// As much cache as no bench fills.
pub(crate) const CACHE: usize = 1 << 30;

/// Who issues the tokens, on threads of its own.
pub(crate) struct Issuer {
    pub(crate) emulator: Emulator,
    pub(crate) runtime: &'static Runtime,
}

impl Issuer {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        // A layer is built within a runtime, and this one lives as long as the bench.
        let runtime: &'static Runtime = Box::leak(Box::new(runtime));
        std::mem::forget(runtime.enter());
        let emulator = runtime.block_on(Emulator::start()).unwrap();
        Self { emulator, runtime }
    }

    /// So many keys, the one that signs being the last.
    pub(crate) fn keys(&self, count: usize) -> String {
        let mut document = self.emulator.keys_document();
        let keys = document["keys"].as_array().unwrap();
        let id = self.emulator.signing_key_id();
        let mut own = keys.iter().find(|key| key["kid"] == *id).unwrap().clone();
        // Not bound to one tenant's issuer: a bench gives all its authorities the same keys.
        own.as_object_mut().unwrap().remove("issuer");
        let mut keys: Vec<Value> = (1..count).map(|number| decoy(&own, number)).collect();
        keys.push(own);
        document["keys"] = Value::Array(keys);
        document.to_string()
    }

    /// Six keys, as Entra publishes, given statically: nothing is fetched.
    pub(crate) fn authority(&self) -> Authority {
        self.tenant(Tenant::new(CONTOSO), 6)
    }

    pub(crate) fn tenant(&self, tenant: Tenant, keys: usize) -> Authority {
        Authority::entra(tenant, API_ID)
            .instance(self.emulator.url())
            .static_jwks(self.keys(keys))
    }

    /// So many authorities, and a token of the last.
    pub(crate) fn authorities(&self, count: u128) -> (Entra, String) {
        let id = |number: u128| Uuid::from_u128(0x4000_8000_0000_0000_0000 + number);
        let first = self.tenant(Tenant::Id(id(1)), 6);
        let builder = (2..=count).fold(Entra::builder_for(first), |builder, number| {
            builder.authority(self.tenant(Tenant::Id(id(number)), 6))
        });
        let tenant = id(count).to_string();
        let token = self.with(0, |token| {
            token
                .issuer(self.emulator.issuer(&tenant))
                .tenant(tenant.clone())
        });
        (builder.token_cache_capacity(0).build().unwrap(), token)
    }

    /// One authority for so many tenants, that of the tokens among them.
    pub(crate) fn customers(&self, count: u128) -> Entra {
        let own = CONTOSO.parse().unwrap();
        let tenants = (1..count).map(Uuid::from_u128).chain([own]);
        let mut keys: Value = serde_json::from_str(&self.keys(6)).unwrap();
        for key in keys["keys"].as_array_mut().unwrap() {
            key["issuer"] = json!(self.emulator.issuer("{tenantid}"));
        }
        let authority = Authority::entra(Tenant::Organizations, API_ID)
            .instance(self.emulator.url())
            .allowed_tenants(AllowedTenants::only(tenants))
            .static_jwks(keys.to_string());
        let builder = Entra::builder_for(authority);
        builder.token_cache_capacity(0).build().unwrap()
    }

    /// Another token for each number.
    pub(crate) fn token(&self, number: usize) -> String {
        self.with(number, |token| token)
    }

    /// The same with one thing changed: 2,032 bytes, two scopes, three roles.
    pub(crate) fn with(
        &self,
        number: usize,
        change: impl FnOnce(TokenBuilder) -> TokenBuilder,
    ) -> String {
        let token = self
            .emulator
            .token()
            .user("alice")
            .scope("access_as_user Todo.Read")
            .roles(["Task Admin", "Todo.Read.All", "Reader"])
            .claim("oid", format!("690222be-ff1a-4d56-abd1-{number:012}"))
            .claim(
                "sub",
                format!("HKZpfaHyWadeOouYlitjrI-KffTm222X5r{number:09}"),
            )
            .claim("uti", format!("fqiBqXLPj0eQa82S{number:06}"))
            .claim("name", "Alice Example of Contoso")
            .claim("preferred_username", "alice.example@contoso.example")
            .claim(
                "rh",
                "0.AXQAvkqvGfz6bEO-6pvG5WtxAy4XdG6-VkNOmf_05mrjI7zAAAA.",
            )
            .claim("sid", "0012f3b8-4c5d-4e6f-8a9b-0c1d2e3f4a5b")
            .claim("exp", json!(4_000_000_000_u64));
        let token = change(token);
        // Four characters for three bytes.
        let length = token.clone().claim("aio", "").mint().len();
        let filler = "a".repeat(2_032_usize.saturating_sub(length) * 3 / 4);
        token.claim("aio", filler).mint()
    }

    /// A token of nearly so many bytes, by so many groups.
    pub(crate) fn with_groups(&self, size: usize) -> String {
        let count = items(size, 39);
        // As a claim: beyond 200 the emulator issues an overage, as Entra does.
        self.with(0, |token| token.claim("groups", groups(count as u128)))
    }

    /// The same by members that mean nothing here.
    pub(crate) fn with_members(&self, size: usize) -> String {
        let names = (0..items(size, 11)).map(|number| format!("m{number:05}"));
        self.with(0, |token| {
            names.fold(token, |token, name| token.claim(name, 1))
        })
    }

    /// The same by members, each as deep as can be: the payload is the first of 128 levels.
    pub(crate) fn with_nesting(&self, size: usize) -> String {
        let deepest = (0..127).fold(json!(1), |inner, level| match level % 2 {
            0 => json!([inner]),
            _ => json!({ "a": inner }),
        });
        let length = deepest.to_string().len() + 10;
        let names = (0..items(size, length)).map(|number| format!("n{number:05}"));
        self.with(0, |token| {
            names.fold(token, |token, name| token.claim(name, deepest.clone()))
        })
    }

    /// The same by a text of nothing but escapes.
    pub(crate) fn with_escapes(&self, size: usize) -> String {
        self.with(0, |token| token.claim("text", "\n".repeat(items(size, 2))))
    }

    /// Signed by two threads: signing takes longer than verifying.
    pub(crate) fn tokens(&self, count: usize) -> Vec<HeaderValue> {
        let half = |start: usize| move || (start..count).step_by(2).map(|n| header(&self.token(n)));
        std::thread::scope(|scope| {
            let halves = [0, 1].map(|start| scope.spawn(move || half(start)().collect::<Vec<_>>()));
            let halves = halves.into_iter();
            halves.flat_map(|half| half.join().unwrap()).collect()
        })
    }

    pub(crate) fn entra(&self, cache_bytes: usize) -> Entra {
        Entra::builder_for(self.authority())
            .token_cache_capacity(cache_bytes)
            .build()
            .unwrap()
    }
}

/// How many items of so many bytes a token of that size holds beside its usual claims.
fn items(size: usize, length: usize) -> usize {
    (size.saturating_sub(2_100)) * 3 / 4 / length
}

/// A key of the same form that signed nothing.
fn decoy(own: &Value, number: usize) -> Value {
    let mut key = own.clone();
    let mut modulus = own["n"].as_str().unwrap().to_owned();
    let place = 50 + number;
    let other = if modulus.as_bytes()[place] == b'A' {
        "B"
    } else {
        "A"
    };
    modulus.replace_range(place..=place, other);
    key["n"] = json!(modulus);
    key["kid"] = json!(format!("decoy-{number}-HyWadeOouYlitjrI-KffTm222X5rrV"));
    key
}

/// A token with one character of its signature changed.
pub(crate) fn forged(token: &str) -> String {
    let mut forged = token.to_owned();
    let place = forged.len() - 100;
    let other = if forged.as_bytes()[place] == b'A' {
        "B"
    } else {
        "A"
    };
    forged.replace_range(place..=place, other);
    forged
}

/// So many object ids of groups.
pub(crate) fn groups(count: u128) -> Vec<String> {
    (1..=count)
        .map(|number| Uuid::from_u128(number).to_string())
        .collect()
}

/// As hyper makes it: bytes that are shared, not copied.
pub(crate) fn header(token: &str) -> HeaderValue {
    let value = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    // The first clone of bytes that are not shared allocates, and would count as the layer's.
    drop(value.clone());
    value
}

async fn hello() -> &'static str {
    "hello"
}

pub(crate) fn route() -> Router {
    Router::new().route("/", get(hello))
}

/// The route behind a layer, as `axum::serve` has it for each connection: a router without this
/// state makes its layers anew for each request.
pub(crate) fn behind<L>(layer: L) -> Router
where
    L: Layer<Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request<Body>>>::Response: IntoResponse + 'static,
    <L::Service as Service<Request<Body>>>::Future: Send + 'static,
{
    route().route_layer(layer).with_state(())
}

/// The route behind the layer and one scope guard.
pub(crate) fn app(entra: &Entra) -> Router {
    behind((entra.layer(), RequireScope("access_as_user")))
}

/// A layer that hands everything on: what any layer costs.
#[derive(Clone)]
pub(crate) struct NoOp;

#[derive(Clone)]
pub(crate) struct NoOpService<S>(S);

impl<S> Layer<S> for NoOp {
    type Service = NoOpService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        NoOpService(inner)
    }
}

impl<R, S: Service<R>> Service<R> for NoOpService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}

/// One request from head to answer, without waiting; gives the status.
pub(crate) fn send(app: &mut Router, token: Option<&HeaderValue>) -> u16 {
    let mut request = Request::new(Body::empty());
    if let Some(token) = token {
        request.headers_mut().insert(AUTHORIZATION, token.clone());
    }
    let mut answer = pin!(app.call(request));
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(answer) = answer.as_mut().poll(&mut context) {
            return answer.unwrap().status().as_u16();
        }
    }
}
