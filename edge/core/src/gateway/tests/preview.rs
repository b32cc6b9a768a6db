//! What a preview asks of others, and in which order.

use http::Response;

use super::fake::{Fake, done};
use crate::host::SendError;

const ID: &str = "0b5e9c1a-7f2d-4e60-9d3c-1a2b3c4d5e6f";
const SANDBOX: &str = "daytona GET /sandbox/0b5e9c1a-7f2d-4e60-9d3c-1a2b3c4d5e6f";
const DOOR: &str = "daytona GET /sandbox/0b5e9c1a-7f2d-4e60-9d3c-1a2b3c4d5e6f/ports/8080/preview-url";
const START: &str = "daytona POST /sandbox/0b5e9c1a-7f2d-4e60-9d3c-1a2b3c4d5e6f/start";

fn url(path: &str) -> String {
    format!("https://8080-{ID}.previews.example{path}")
}

/// Who was asked, in their order. That an answer is read goes without saying.
fn asked(fake: &Fake) -> Vec<String> {
    fake.take_effects().into_iter().filter(|effect| effect != "read").collect()
}

fn view(fake: &Fake) -> u16 {
    fake.status("GET", &url("/"), &[])
}

fn described(path: &str, state: &str) -> Response<String> {
    Response::new(match path.ends_with("/preview-url") {
        true => r#"{"url":"https://8080-x.proxy.example","token":"the-token"}"#.to_owned(),
        false => format!(r#"{{"state":"{state}","public":true}}"#),
    })
}

fn started(path: &str) -> Response<String> {
    described(path, "started")
}

fn stopped(path: &str) -> Response<String> {
    described(path, "stopped")
}

fn broken(_: &str) -> Response<String> {
    Response::builder().status(500).body(String::new()).unwrap()
}

fn restarted(path: &str) -> Response<String> {
    match path.ends_with("/preview-url") {
        true => Response::new(r#"{"url":"https://8080-x.proxy.example","token":"another"}"#.to_owned()),
        false => started(path),
    }
}

fn awake() -> Fake {
    let mut fake = Fake::new();
    fake.daytona = started;
    fake
}

#[test]
fn a_door_is_asked_for_once_in_two_minutes() {
    let fake = awake();
    let (answer, record) = fake.answer("GET", &url("/a?password=x"), &[]);
    assert_eq!((answer.status().as_u16(), answer.body().as_str()), (200, "from the origin"));
    assert_eq!(asked(&fake), [SANDBOX, DOOR, "origin"]);
    let sent = fake.sent.take().unwrap();
    assert_eq!(sent.url, "https://8080-x.proxy.example/a?password=x");
    assert_eq!(sent.headers["x-daytona-preview-token"], "the-token");
    assert!(!sent.headers.contains_key("x-he2-origin-lock") && !sent.headers.contains_key("x-he2-identity"));
    assert_eq!((record.sandbox.as_deref(), record.port, record.path.as_str()), (Some(ID), Some(8080), "/a"));
    fake.wait(119);
    assert_eq!(view(&fake), 200);
    assert_eq!(asked(&fake), ["origin"]);
    fake.wait(1);
    assert_eq!(view(&fake), 200);
    assert_eq!(asked(&fake), [SANDBOX, DOOR, "origin"]);
}

#[test]
fn what_is_refused_by_name_port_path_or_loop_has_asked_nobody() {
    let fake = awake();
    for (status, url, fields) in [
        (403, format!("https://22-{ID}.previews.example/"), &[][..]),
        (403, format!("https://81-{ID}.previews.example/"), &[]),
        (421, "https://8080-name.previews.example/".to_owned(), &[]),
        (421, "https://previews.example/".to_owned(), &[]),
        (400, url("/x%2f..%2f2280"), &[]),
        (400, url("/%252e%252e/2280"), &[]),
        (508, url("/"), &[("via", "1.1 he2-edge")]),
    ] {
        assert_eq!(fake.status("GET", &url, fields), status, "{url}");
    }
    assert!(asked(&fake).is_empty());
}

#[test]
fn without_the_key_a_preview_is_misdirected() {
    let mut fake = awake();
    fake.settings.variables.remove("DAYTONA_API_KEY");
    assert_eq!(view(&fake), 421);
    assert!(asked(&fake).is_empty());
}

#[test]
fn a_sleeping_sandbox_is_woken_once_and_not_by_those_who_look_ahead() {
    let mut fake = Fake::new();
    fake.daytona = stopped;
    assert_eq!(fake.status("HEAD", &url("/"), &[]), 503);
    assert_eq!(asked(&fake), [SANDBOX]);
    let (answer, record) = fake.answer("GET", &url("/"), &[]);
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"5".parse().unwrap()));
    assert_eq!((asked(&fake), record.degraded), (vec![START.to_owned()], vec![]));
    assert_eq!(view(&fake), 503);
    assert!(asked(&fake).is_empty(), "it was asked for a moment ago, and told to start");
    fake.wait(2);
    assert_eq!(view(&fake), 503);
    assert_eq!(asked(&fake), [SANDBOX]);
    fake.daytona = started;
    fake.wait(2);
    assert_eq!(view(&fake), 200);
}

#[test]
fn a_refused_start_is_for_the_log() {
    let mut fake = Fake::new();
    fake.daytona = |path| match path.ends_with("/start") {
        true => Response::builder().status(402).body(String::new()).unwrap(),
        false => stopped(path),
    };
    let (answer, record) = fake.answer("GET", &url("/"), &[]);
    assert_eq!((answer.status().as_u16(), record.degraded.len()), (503, 1), "{:?}", record.degraded);
    assert!(record.degraded[0].contains("402"));
}

#[test]
fn an_answer_that_speaks_against_the_door_is_followed_by_a_question_and_another_try() {
    let mut fake = awake();
    view(&fake);
    fake.origin = || Ok(Response::builder().status(401).body(String::new()).unwrap());
    asked(&fake);
    assert_eq!(view(&fake), 401);
    assert_eq!(asked(&fake), ["origin"], "what was asked for a moment ago is not doubted");
    fake.wait(5);
    assert_eq!(view(&fake), 401);
    assert_eq!(asked(&fake), ["origin", SANDBOX, DOOR], "the door is the same, so the word is the app's");
    fake.daytona = restarted;
    fake.wait(5);
    view(&fake);
    assert_eq!(asked(&fake), ["origin", SANDBOX, DOOR, "discard", "origin"]);
    assert_eq!(fake.sent.take().unwrap().headers["x-daytona-preview-token"], "another");
    fake.daytona = started;
    fake.wait(5);
    assert_eq!(fake.status("POST", &url("/"), &[]), 503, "its content is gone");
    assert_eq!(done(&fake, "origin"), 1);
}

#[test]
fn a_sandbox_that_does_not_answer_may_have_fallen_asleep() {
    let mut fake = awake();
    view(&fake);
    fake.origin = || Err(SendError::Failed("refused".into()));
    fake.wait(5);
    assert_eq!(view(&fake), 502);
    fake.daytona = stopped;
    fake.wait(5);
    assert_eq!(view(&fake), 503);
    assert_eq!(done(&fake, START), 1);
}

#[test]
fn while_the_api_is_down_old_doors_are_good_and_it_is_left_alone() {
    let mut fake = awake();
    view(&fake);
    fake.wait(1_000);
    fake.daytona = broken;
    asked(&fake);
    let (answer, record) = fake.answer("GET", &url("/"), &[]);
    assert_eq!((answer.status().as_u16(), record.degraded), (200, vec!["Daytona: status 500".to_owned()]));
    for _ in 0..10 {
        assert_eq!(view(&fake), 200);
    }
    assert_eq!(done(&fake, SANDBOX), 3);
    let other = url("/").replace("0b5e", "0b5f");
    let (answer, record) = fake.answer("GET", &other, &[]);
    assert_eq!(answer.status().as_u16(), 503);
    assert!(record.internal.unwrap().contains("rests"));
}

#[test]
fn the_apps_pages_are_no_readers_of_a_preview_unless_it_says_so() {
    let fake = awake();
    let page = ("origin", "https://he2.ai");
    let (answer, _) = fake.answer("GET", &url("/"), &[page]);
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    let preflight = [page, ("access-control-request-method", "POST")];
    assert_eq!(fake.status("OPTIONS", &url("/"), &preflight), 200, "the sandbox answers it");
}
