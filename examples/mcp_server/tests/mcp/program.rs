//! The sample as a program: what it prints, and how it ends.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

/// Longer than anything here takes on a busy machine, shorter than the grace of ten seconds.
const SOON: Duration = Duration::from_secs(8);

/// Beside the folder of this test's own program.
fn path() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let path = test.parent()?.parent()?.join("examples/mcp_server");
    path.is_file().then_some(path)
}

async fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    while !text.contains(wanted) {
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "{text}");
        text += &String::from_utf8_lossy(&buffer[..read]);
    }
    text
}

#[tokio::test]
async fn it_prints_lines_to_paste_and_ends_open_event_streams_on_sigterm() {
    let Some(path) = path() else {
        println!("skipped: the example mcp_server is not built");
        return;
    };
    let mut child = Command::new(path)
        .args(["--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().expect("a first line");
    let address = first
        .strip_prefix("listening on http://")
        .unwrap()
        .to_owned();
    let mut curl = String::new();
    while !curl.contains("curl") {
        curl = lines.next_line().await.unwrap().expect("a curl line");
    }
    assert!(curl.contains("grant_type=password"), "{curl}");

    // As the line says it.
    let command = curl
        .strip_prefix("TOKEN=$(")
        .unwrap()
        .strip_suffix(')')
        .unwrap();
    let token = Command::new("sh")
        .args(["-c", command])
        .output()
        .await
        .unwrap();
    let token = String::from_utf8(token.stdout).unwrap().trim().to_owned();
    if token.is_empty() {
        println!("skipped: no curl here");
        return;
    }
    let head = format!(
        "host: {address}\r\nauthorization: Bearer {token}\r\naccept: application/json, text/event-stream\r\n"
    );
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
    let mut begin = TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "POST /mcp HTTP/1.1\r\n{head}content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    begin.write_all(request.as_bytes()).await.unwrap();
    let answer = read_until(&mut begin, "\r\n\r\n").await;
    let session = answer
        .lines()
        .find_map(|line| line.strip_prefix("mcp-session-id: "))
        .expect(&answer);
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let request = format!("GET /mcp HTTP/1.1\r\n{head}mcp-session-id: {session}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let opened = read_until(&mut stream, "\r\n\r\n").await;
    assert!(opened.starts_with("HTTP/1.1 200"), "{opened}");
    assert!(opened.contains("text/event-stream"), "{opened}");

    let id = child.id().unwrap().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status().await;
    assert!(sent.unwrap().success());
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(SOON, stream.read_to_end(&mut rest)).await;
    ended.expect("the stream ends").unwrap();
    let status = tokio::time::timeout(SOON, child.wait())
        .await
        .expect("the program ends");
    assert!(status.unwrap().success());
}
