//! HTTP/1.1 as a client writes it: byte by byte, without a library that would tidy it up.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Answer {
    /// 0 if the connection was closed without an answer.
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let own = self.headers.iter().filter(|(own, _)| own == name);
        own.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        self.body["reason"].as_str()
    }
}

pub(crate) async fn get(to: SocketAddr, target: &str) -> Answer {
    send(to, "GET", target, &[]).await
}

/// One request with these header lines (name and value as bytes), on a connection of its own.
pub(crate) async fn send(
    to: SocketAddr,
    method: &str,
    target: &str,
    lines: &[(&str, &[u8])],
) -> Answer {
    let mut request =
        format!("{method} {target} HTTP/1.1\r\nHost: api.example.com\r\n").into_bytes();
    for (name, value) in lines {
        request.extend_from_slice(name.as_bytes());
        request.extend_from_slice(b": ");
        request.extend_from_slice(value);
        request.extend_from_slice(b"\r\n");
    }
    let names_connection = |(name, _): &(&str, &[u8])| name.eq_ignore_ascii_case("connection");
    if !lines.iter().any(names_connection) {
        request.extend_from_slice(b"Connection: close\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let answered = timeout(Duration::from_secs(10), exchange(to, &request)).await;
    answered.expect("an answer in time").unwrap_or_default()
}

async fn exchange(to: SocketAddr, request: &[u8]) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    let mut chunk = [0; 16_384];
    loop {
        if let Some(whole) = read(&answer) {
            return Ok(whole);
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return Ok(last(&answer).unwrap_or_default()),
            Ok(length) => answer.extend_from_slice(&chunk[..length]),
        }
    }
}

/// A whole answer, by its own length.
fn read(answer: &[u8]) -> Option<Answer> {
    let head = last(answer)?;
    let body = answer.len() - head_length(answer)?;
    let lengths = head.all("content-length");
    let length: usize = lengths.first()?.parse().ok()?;
    (body >= length).then_some(head)
}

/// What there is of an answer.
fn last(answer: &[u8]) -> Option<Answer> {
    let length = head_length(answer)?;
    let head = String::from_utf8_lossy(&answer[..length]).into_owned();
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers: Vec<(String, String)> = headers
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut body = String::from_utf8_lossy(&answer[length..]).into_owned();
    let is_chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    if is_chunked {
        // One chunk: its length, its text.
        let (_, rest) = body.split_once("\r\n").unwrap_or_default();
        body = rest.split("\r\n").next().unwrap_or_default().to_owned();
    }
    Some(Answer {
        status,
        headers,
        body: serde_json::from_str(&body).unwrap_or_default(),
    })
}

fn head_length(answer: &[u8]) -> Option<usize> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(end + 4)
}
