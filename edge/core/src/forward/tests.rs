use super::*;
use crate::auth::token::Identity;
use crate::plan::{Admin, Webhook};
use crate::testing::ANY_OF;

const USER_OR_KEY: Auth = Auth::SignIn(ANY_OF);
const OPERATORS: Auth = Auth::Admin(Admin { secret: "ADMIN_API_KEY", networks: &[] });

fn hook(field: &'static str) -> Auth {
    let scheme = Scheme::Shared(field);
    Auth::Webhook(Webhook { scheme, secret: "S", tolerance_seconds: 300, max_body_bytes: 1 })
}

fn map(fields: &[(&'static str, &str)]) -> HeaderMap {
    let pair =
        |&(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
    let mut headers = HeaderMap::new();
    for (name, value) in fields.iter().map(pair) {
        headers.append::<HeaderName>(name, value);
    }
    headers
}

fn user() -> Caller {
    let text = |text: &str| Some(text.to_owned());
    Caller::User(Identity {
        user: "u1".into(),
        role: "authenticated".into(),
        session: text("s1"),
        aal: text("aal1"),
    })
}

fn sent(fields: &[(&'static str, &str)], auth: Auth, caller: &Caller) -> HeaderMap {
    let arrived = map(fields);
    let trace = Trace::new(&arrived, [7; 24]);
    let context = Context {
        method: &Method::GET,
        ip: "192.0.2.1".parse().ok(),
        scheme: "https",
        protocol: Some("HTTP/2"),
        host: "he2.ai",
        request_id: "id",
        trace: &trace,
        lock: ("x-he2-origin-lock", Some("secret")),
    };
    request(&arrived, auth, caller, matches!(caller, Caller::User(_)).then_some("good"), &context)
}

fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

#[test]
fn rfc9110_7_6_1_hop_by_hop_fields_and_those_that_connection_names_stay_behind() {
    let fields = [
        ("connection", "close, X-Custom"),
        ("x-custom", "1"),
        ("keep-alive", "5"),
        ("te", "trailers"),
        ("expect", "100-continue"),
        ("x-kept", "1"),
    ];
    let headers = sent(&fields, Auth::Public, &Caller::Anonymous);
    for gone in ["connection", "x-custom", "keep-alive", "te", "expect"] {
        assert!(!headers.contains_key(gone), "{gone}");
    }
    assert!(headers.contains_key("x-kept"));
}

#[test]
fn a_connection_list_cannot_take_away_what_the_gateway_sets() {
    let fields = [
        ("connection", "authorization, x-he2-user, x-he2-origin-lock, via, x-forwarded-for"),
        ("authorization", "Bearer good"),
    ];
    let headers = sent(&fields, USER_OR_KEY, &user());
    assert_eq!(values(&headers, "authorization"), ["Bearer good"]);
    assert_eq!(values(&headers, "x-he2-user"), ["u1"]);
    assert_eq!(values(&headers, "x-he2-origin-lock"), ["secret"]);
    assert_eq!(values(&headers, "x-forwarded-for"), ["192.0.2.1"]);
    assert_eq!(values(&headers, "via"), ["2 he2-edge"]);
}

#[test]
fn what_a_client_says_about_itself_is_replaced() {
    let fields = [
        ("x-he2-user", "admin"),
        ("x-he2-anything", "1"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-port", "1"),
        ("forwarded", "for=10.0.0.1"),
        ("x-real-ip", "10.0.0.1"),
        ("true-client-ip", "10.0.0.1"),
        ("x-request-id", "mine"),
        ("x-middleware-subrequest", "middleware"),
        ("x-refresh-token", "secret"),
        ("x-he2-origin-lock", "guess"),
    ];
    let headers = sent(&fields, Auth::Public, &Caller::Anonymous);
    for gone in [
        "x-he2-user",
        "x-he2-anything",
        "x-forwarded-port",
        "forwarded",
        "x-real-ip",
        "true-client-ip",
        "x-middleware-subrequest",
        "x-refresh-token",
    ] {
        assert!(!headers.contains_key(gone), "{gone}");
    }
    assert_eq!(values(&headers, "x-forwarded-for"), ["192.0.2.1"]);
    assert_eq!(values(&headers, "x-request-id"), ["id"]);
    assert_eq!(values(&headers, "x-he2-origin-lock"), ["secret"]);
}

#[test]
fn a_credential_goes_on_only_where_it_was_checked() {
    let fields = [("authorization", "Bearer t"), ("x-api-key", "k"), ("x-admin-api-key", "a")];
    let left = |auth, caller: &Caller| {
        let headers = sent(&fields, auth, caller);
        ["authorization", "x-api-key", "x-admin-api-key"].map(|name| headers.contains_key(name))
    };
    assert_eq!(left(Auth::Public, &Caller::Anonymous), [false, false, false]);
    assert_eq!(left(USER_OR_KEY, &user()), [true, false, false]);
    assert_eq!(left(USER_OR_KEY, &Caller::ApiKey("hash".into())), [false, true, false]);
    assert_eq!(left(OPERATORS, &Caller::Admin), [false, false, true]);
    assert_eq!(left(hook("authorization"), &Caller::Webhook), [true, false, false]);
    assert_eq!(left(hook("x-trigger-secret"), &Caller::Webhook), [false, false, false]);
}

#[test]
fn the_identity_of_a_user_travels_in_fields_of_the_gateway() {
    let headers = sent(&[], USER_OR_KEY, &user());
    for (name, value) in [
        ("x-he2-user", "u1"),
        ("x-he2-role", "authenticated"),
        ("x-he2-session", "s1"),
        ("x-he2-aal", "aal1"),
    ] {
        assert_eq!(values(&headers, name), [value]);
    }
}

#[test]
fn a_websocket_upgrade_goes_on_and_no_other() {
    let upgrade = |protocol| {
        sent(
            &[("connection", "keep-alive, Upgrade"), ("upgrade", protocol)],
            Auth::Public,
            &Caller::Anonymous,
        )
    };
    assert_eq!(values(&upgrade("websocket"), "upgrade"), ["websocket"]);
    assert!(!upgrade("h2c").contains_key("upgrade"));
}

#[test]
fn rfc9110_7_6_3_via_names_the_gateway_after_those_before_it() {
    let headers = sent(&[("via", "1.1 proxy.example (comment)")], Auth::Public, &Caller::Anonymous);
    assert_eq!(values(&headers, "via"), ["1.1 proxy.example (comment)", "2 he2-edge"]);
}

#[test]
fn tracestate_goes_on_with_a_valid_traceparent_only() {
    let good = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    assert!(
        sent(&[good, ("tracestate", "a=b")], Auth::Public, &Caller::Anonymous).contains_key("tracestate")
    );
    assert!(!sent(&[("tracestate", "a=b")], Auth::Public, &Caller::Anonymous).contains_key("tracestate"));
}

#[test]
fn the_answer_loses_hop_by_hop_fields_cors_and_what_names_the_software() {
    let fields = [
        ("connection", "keep-alive"),
        ("server", "uvicorn"),
        ("x-powered-by", "Next.js"),
        ("access-control-allow-origin", "*"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
    ];
    let headers = response(&map(&fields));
    assert_eq!(values(&headers, "set-cookie"), ["a=1", "b=2"]);
    assert_eq!(headers.len(), 2);
}

#[test]
fn a_redirect_to_the_origins_own_address_leads_to_the_public_host() {
    let at = |location| relocate(location, "https://origin.he2.ai", "https://he2.ai");
    assert_eq!(at("https://origin.he2.ai/api/agents?x").as_deref(), Some("https://he2.ai/api/agents?x"));
    assert_eq!(at("http://origin.he2.ai").as_deref(), Some("https://he2.ai"));
    assert_eq!(at("https://origin.he2.ai.evil.example/"), None);
    assert_eq!(at("https://billing.example/x"), None);
    assert_eq!(at("/auth"), None);
}
