//! Bodies that are messages, and bodies that are none.

use super::*;

fn is_read(body: &str) -> bool {
    Messages::read(body.as_bytes()).is_ok()
}

fn nested(levels: usize) -> String {
    let (open, close) = ("[".repeat(levels), "]".repeat(levels));
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"x":{open}{close}}}}}"#)
}

#[test]
fn a_request_names_its_method_and_its_tool_however_they_are_written() {
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{}}}"#,
        r#"{"params":{"arguments":{"name":"x"},"name":"add"},"method":"tools\/call","jsonrpc":"2.0"}"#,
        " {\"jsonrpc\" : \"2.0\",\n\"m\\u0065thod\":\"t\\u006fols/call\",\"params\":{\"name\":\"\\u0061dd\"}} ",
    ] {
        let messages = Messages::read(body.as_bytes()).unwrap();
        let [message] = messages.all() else {
            panic!("{body}")
        };
        assert_eq!(message.method(), Some("tools/call"), "{body}");
        let name = message.name().and_then(Member::text);
        assert_eq!(name, Some("add"), "{body}");
    }
}

#[test]
fn what_is_no_message_is_refused_and_its_counterpart_is_read() {
    let table = [
        ("", r#"{"jsonrpc":"2.0","method":"ping"}"#),
        ("[]", r#"[{"jsonrpc":"2.0","method":"ping"}]"#),
        ("[1]", r#"[{"jsonrpc":"2.0","id":1,"result":{}}]"#),
        (
            r#"[[{"jsonrpc":"2.0","method":"ping"}]]"#,
            r#"{"jsonrpc":"2.0","method":"ping","params":[]}"#,
        ),
        (
            r#"["2.0",1,"tools/call",{}]"#,
            r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#,
        ),
        (
            r#"{"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","method":"ping"}"#,
        ),
        (
            r#"{"jsonrpc":"1.0","method":"ping"}"#,
            r#"{"method":"ping","jsonrpc":"2.0"}"#,
        ),
        (
            r#"{"jsonrpc":2.0,"method":"ping"}"#,
            r#"{"jsonrpc":"2\u002e0","method":"ping"}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":null,"result":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":1}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"result":1,"error":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":-1.5e3,"method":"ping"}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":"\ud83d\ude00","method":"ping"}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":"\ud83d","method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":"","method":"ping"}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"ping","params":"x"}"#,
            r#"{"jsonrpc":"2.0","method":"ping","params":null}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","method":"tools/list"}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"tools/call","params":["add",{}]}"#,
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":""}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":["add"]}}"#,
            r#"{"jsonrpc":"2.0","method":"prompts/get","params":{"name":["add"]}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"ping"} {}"#,
            "{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}\r\n",
        ),
        (
            "\u{feff}{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}",
            "\t{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}",
        ),
        (
            r#"{"jsonrpc":"2.0","method":"ping",}"#,
            r#"{"jsonrpc":"2.0","method":"ping","x":{}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"ping","Method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","method":"ping","methods":"tools/call"}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a","NAME":"b"}}"#,
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a","arguments":{"NAME":"b","name":"c"}}}"#,
        ),
        (
            r#"{"$serde_json::private::RawValue":"{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}"}"#,
            r#"{"jsonrpc":"2.0","method":"ping","$serde":"x"}"#,
        ),
    ];
    for (refused, accepted) in table {
        assert!(!is_read(refused), "{refused}");
        assert!(is_read(accepted), "{accepted}");
    }
    assert_eq!(
        Messages::read(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}").err(),
        Some(NotJsonRpc)
    );
}

#[test]
fn a_member_that_is_there_twice_is_refused_at_every_level() {
    let doubled = |inner: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"_meta":{{}},"a":{inner}}}}}"#
        )
    };
    for (refused, accepted) in [
        (r#"{"x":1,"x":1}"#, r#"{"x":1,"X":1}"#),
        (r#"{"x":1,"\u0078":1}"#, r#"{"x":1,"\u0079":1}"#),
        (r#"[[{"y":{"x":1,"x":1}}]]"#, r#"[[{"y":{"x":1}},{"x":1}]]"#),
    ] {
        assert!(!is_read(&doubled(refused)), "{refused}");
        assert!(is_read(&doubled(accepted)), "{accepted}");
    }
    for refused in [
        r#"{"jsonrpc":"2.0","method":"ping","method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","method":"ping","params":{"_meta":{"a":1,"a":1}}}"#,
        r#"{"jsonrpc":"2.0","method":"ping","params":{"_meta":{},"_meta":{}}}"#,
        r#"[{"jsonrpc":"2.0","method":"ping","id":1,"id":2}]"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":1}}"#,
    ] {
        assert!(!is_read(refused), "{refused}");
    }
}

#[test]
fn nesting_ends_where_the_library_of_the_sdk_ends() {
    assert!(is_read(&nested(100)));
    assert!(!is_read(&nested(130)));
    assert!(!is_read(&nested(500_000)));
}

#[test]
fn the_version_is_that_of_the_messages_own_meta() {
    let version = |params: &str| {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{params}}}"#);
        let messages = Messages::read(body.as_bytes()).unwrap();
        messages.all()[0].version().text().map(str::to_owned)
    };
    let stated = r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#;
    assert_eq!(version(stated).as_deref(), Some("2026-07-28"));
    for none in [
        "{}",
        r#"{"_meta":{}}"#,
        r#"{"_meta":null}"#,
        r#"{"arguments":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#,
    ] {
        assert_eq!(version(none), None, "{none}");
    }
    let number = r#"{"jsonrpc":"2.0","method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":1}}}"#;
    let messages = Messages::read(number.as_bytes()).unwrap();
    assert_eq!(*messages.all()[0].version(), Member::Other);
}
