//! `he2 purge`, and what reaches the gateway of it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::thread;

use super::support::{complained, said};

/// Made for these tests, with all that curl's configuration would mind.
const KEY: &str = "k\"e\\y # 1";

fn he2(arguments: &[&str], key: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_he2"));
    command
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .env_remove("ADMIN_API_KEY");
    command.envs(key.map(|key| ("ADMIN_API_KEY", key))).output().unwrap()
}

/// Runs the command against a gateway that answers so: what it got, and what the command said.
fn purged(arguments: &[&str], answer: &'static str) -> (String, Output) {
    let gateway = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("http://{}", gateway.local_addr().unwrap());
    let served = thread::spawn(move || {
        let (mut client, _) = gateway.accept().unwrap();
        let mut got = Vec::new();
        while !got.ends_with(b"}") {
            let mut some = [0; 1024];
            let read = client.read(&mut some).unwrap();
            got.extend_from_slice(&some[..read]);
        }
        let length = "{}".len();
        write!(client, "HTTP/1.1 {answer}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{{}}")
            .unwrap();
        String::from_utf8(got).unwrap()
    });
    let output = he2(&[&["purge", "--at", &at], arguments].concat(), Some(KEY));
    (served.join().unwrap(), output)
}

#[test]
fn what_is_to_be_purged_reaches_the_gateway_with_the_operators_key() {
    for (arguments, content) in [
        (&["https://he2.ai/a?b=\"c\""][..], r#"{"url":"https://he2.ai/a?b=\"c\""}"#),
        (&["--prefix", "https://he2.ai/_next/"], r#"{"prefix":"https://he2.ai/_next/"}"#),
        (&["--tag", "templates", "--soft"], r#"{"soft":true,"tag":"templates"}"#),
        (&["--everything"], r#"{"everything":true}"#),
    ] {
        let (got, output) = purged(arguments, "202 Accepted");
        assert!(got.starts_with("POST /.edge/purge HTTP/1.1\r\n"), "{got}");
        assert!(got.contains(&format!("X-Admin-Api-Key: {KEY}\r\n")), "{got}");
        assert!(got.ends_with(&format!("\r\n\r\n{content}")), "{got}");
        assert_eq!(said(&output), (0, "{}\n".to_owned()));
    }
}

#[test]
fn a_purge_that_did_not_happen_is_said_and_the_key_is_not() {
    let (_, output) = purged(&["--everything"], "403 Forbidden");
    let (code, text) = complained(&output);
    assert!(
        code == 2 && text.contains("not purged") && text.contains("403") && !text.contains(KEY),
        "{text}"
    );
}

#[test]
fn a_purge_needs_one_thing_to_purge_and_a_key() {
    for arguments in [&["purge"][..], &["purge", "--everything", "--tag", "a"]] {
        let (code, text) = complained(&he2(arguments, Some(KEY)));
        assert!(code == 2 && text.contains("purge needs one of"), "{text}");
    }
    for key in [None, Some(""), Some("two\nlines")] {
        let (code, text) = complained(&he2(&["purge", "--everything"], key));
        assert!(code == 2 && text.contains("set ADMIN_API_KEY"), "{text}");
    }
}
