//! HTTP/2 as a client writes it: frame by frame, without a library that would refuse what it must not send.
//!
//! Sources: RFC 9113 (frames), RFC 7541 (HPACK: every field a literal that is not indexed).

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::wire::Answer;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// The longest frame that a peer has to take.
const MOST: usize = 16_384;

pub(crate) type Field = (Vec<u8>, Vec<u8>);

/// One request: fields in their order, pseudo-header fields among them.
#[derive(Debug, Clone, Default)]
pub(crate) struct H2Request {
    pub(crate) fields: Vec<Field>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) trailers: Vec<Field>,
}

pub(crate) fn field(name: &str, value: &str) -> Field {
    (name.as_bytes().to_vec(), value.as_bytes().to_vec())
}

impl fmt::Display for H2Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.fields {
            let value = &value[..value.len().min(80)];
            write!(f, "{} = {}, ", name.escape_ascii(), value.escape_ascii())?;
        }
        Ok(())
    }
}

impl H2Request {
    pub(crate) fn get(target: &str) -> Self {
        Self {
            fields: vec![
                field(":method", "GET"),
                field(":scheme", "http"),
                field(":authority", "api.example.com"),
                field(":path", target),
            ],
            ..Self::default()
        }
    }

    pub(crate) fn with(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// With another value of a pseudo-header field.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(own, _)| own != name.as_bytes());
        self.fields.insert(0, field(name, value));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        // No dynamic table, so that answers can be read without one.
        frame(&mut bytes, SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0]);
        let has_trailers = !self.trailers.is_empty();
        let end = |is_last: bool| if is_last { END_STREAM } else { 0 };
        let is_last = self.body.is_none() && !has_trailers;
        headers(&mut bytes, end(is_last), &self.fields);
        if let Some(body) = &self.body {
            frame(&mut bytes, DATA, end(!has_trailers), 1, body);
        }
        if has_trailers {
            headers(&mut bytes, END_STREAM, &self.trailers);
        }
        bytes
    }
}

/// Sends one request on a connection of its own; status 0 if there was no answer.
pub(crate) async fn send(to: SocketAddr, request: &H2Request) -> Answer {
    let answered = timeout(Duration::from_secs(10), exchange(to, request)).await;
    answered.expect("an answer in time").unwrap_or_default()
}

async fn exchange(to: SocketAddr, request: &H2Request) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(&request.bytes()).await?;
    let (mut answer, mut body) = (Answer::default(), Vec::new());
    let mut received = Vec::new();
    let mut chunk = [0; 16_384];
    'connection: loop {
        while let Some((kind, flags, payload)) = take(&mut received) {
            match kind {
                SETTINGS if flags & ACK == 0 => {
                    let mut ack = Vec::new();
                    frame(&mut ack, SETTINGS, ACK, 0, &[]);
                    // It may have closed the connection already.
                    let _ = stream.write_all(&ack).await;
                }
                HEADERS if answer.status == 0 => answer.status = status(&payload),
                DATA => body.extend_from_slice(&payload),
                RST_STREAM | GOAWAY => break 'connection,
                _ => {}
            }
            if matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0 {
                break 'connection;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => break,
            Ok(length) => received.extend_from_slice(&chunk[..length]),
        }
    }
    answer.body = serde_json::from_slice(&body).unwrap_or_default();
    Ok(answer)
}

/// The next whole frame: type, flags, payload.
fn take(received: &mut Vec<u8>) -> Option<(u8, u8, Vec<u8>)> {
    let [a, b, c, kind, flags, ..] = received[..] else {
        return None;
    };
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    let payload = received.get(9..9 + length)?.to_vec();
    received.drain(..9 + length);
    Some((kind, flags, payload))
}

fn frame(bytes: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    bytes.extend_from_slice(&length[1..]);
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
}

/// A block of fields in as many frames as it takes.
fn headers(bytes: &mut Vec<u8>, flags: u8, fields: &[Field]) {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            length(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    let mut parts = block.chunks(MOST).peekable();
    let mut kind = HEADERS;
    while let Some(part) = parts.next() {
        let end = if parts.peek().is_none() {
            END_HEADERS
        } else {
            0
        };
        let flags = if kind == HEADERS { flags | end } else { end };
        frame(bytes, kind, flags, 1, part);
        kind = CONTINUATION;
    }
}

/// An integer with a prefix of seven bits (RFC 7541 section 5.1).
fn length(block: &mut Vec<u8>, length: usize) {
    if length < 127 {
        block.push(u8::try_from(length).unwrap());
        return;
    }
    block.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        block.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}

/// `:status`, which comes first: from the static table, or a literal with its name from there.
fn status(block: &[u8]) -> u16 {
    // A change of the size of the dynamic table can come before.
    let start = block.iter().position(|byte| byte >> 5 != 1).unwrap_or(0);
    match block[start..] {
        [indexed @ 0x88..=0x8e, ..] => {
            [200, 204, 206, 304, 400, 404, 500][usize::from(indexed - 0x88)]
        }
        [0x08..=0x0e | 0x18..=0x1e | 0x48..=0x4e, 3, a, b, c, ..] => {
            let digits = [a, b, c].map(|digit| u16::from(digit - b'0'));
            digits[0] * 100 + digits[1] * 10 + digits[2]
        }
        [
            0x08..=0x0e | 0x18..=0x1e | 0x48..=0x4e,
            length @ 0x80..=0xff,
            ref rest @ ..,
        ] => digits(&rest[..usize::from(length & 0x7f)]),
        _ => panic!("no status: {block:?}"),
    }
}

/// Three digits in Huffman code (RFC 7541 appendix B): 0 to 2 have five bits, the others six.
fn digits(coded: &[u8]) -> u16 {
    let bits: Vec<u16> = coded
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| u16::from(byte >> bit & 1)))
        .collect();
    let number = |bits: &[u16]| bits.iter().fold(0, |number, bit| number * 2 + bit);
    let (mut status, mut at) = (0, 0);
    for _ in 0..3 {
        let five = number(&bits[at..at + 5]);
        let (digit, length) = match five {
            0..=2 => (five, 5),
            _ => (number(&bits[at..at + 6]) - 0b01_1001 + 3, 6),
        };
        status = status * 10 + digit;
        at += length;
    }
    status
}

#[test]
fn a_status_is_read_in_each_of_its_forms() {
    for (block, expected) in [
        (vec![0x88], 200),
        (vec![0x8c], 400),
        (vec![0x20, 0x48, 3, b'4', b'0', b'3'], 403),
        (vec![0x20, 0x0e, 3, b'5', b'0', b'3'], 503),
        // 4: 011010, 0: 00000, 1: 00001.
        (vec![0x48, 0x82, 0b0110_1000, 0b0000_0001], 401),
        // 5: 011011, 0: 00000, 3: 011001, and ones up to the end of the byte.
        (vec![0x08, 0x83, 0b0110_1100, 0b0000_1100, 0b1111_1111], 503),
    ] {
        assert_eq!(status(&block), expected);
    }
}
