//! The service behind the proxies: it answers what it was sent, and counts.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::service::Runs;

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) runs: Runs,
    seen: Arc<Mutex<Vec<Value>>>,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let runs = Runs::default();
        let counted = runs.clone();
        let seen = Arc::<Mutex<Vec<Value>>>::default();
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (counted, kept) = (counted.clone(), Arc::clone(&kept));
                let answer = service_fn(move |request| {
                    counted.note();
                    let told = told(&request);
                    let answer = Response::new(told.to_string());
                    kept.lock().unwrap().push(told);
                    async { Ok::<_, Infallible>(answer) }
                });
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        Self {
            address,
            runs,
            seen,
        }
    }

    /// What it answered so far.
    pub(crate) fn seen(&self) -> Vec<Value> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.runs.count()
    }
}

/// Target, method and all headers.
fn told(request: &Request<Incoming>) -> Value {
    let headers: Vec<Value> = request
        .headers()
        .iter()
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect();
    json!({
        "method": request.method().as_str(),
        "target": request.uri().to_string(),
        "headers": headers,
    })
}
