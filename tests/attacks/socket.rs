//! HTTP/1.1 as an attacker writes it: byte by byte, without a library that would tidy it up.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::authority::Address;
use crate::forge::Made;
use crate::routes::Answer;
use crate::row::Row;

pub(crate) async fn send(to: Address, made: &Made, row: &Row) -> Answer {
    let mut request =
        format!("GET {}?{} HTTP/1.1\r\nhost: {to}\r\n", row.path, made.query).into_bytes();
    for value in &made.headers {
        request.extend_from_slice(b"Authorization: ");
        request.extend_from_slice(value);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"connection: close\r\n\r\n");
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    read(&answer).unwrap_or_else(|| panic!("{}: {}", row.name, String::from_utf8_lossy(&answer)))
}

fn read(answer: &[u8]) -> Option<Answer> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        headers.append(
            HeaderName::try_from(name).ok()?,
            HeaderValue::try_from(value).ok()?,
        );
    }
    Some(Answer {
        status: StatusCode::from_bytes(status.as_bytes()).ok()?,
        headers,
        body: body.to_owned(),
    })
}
