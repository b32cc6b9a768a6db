use serde_json::json;

use super::*;
use crate::plan::Plan;
use crate::testing::{
    AUTH, COGNITO, COGNITO_ISSUER, ISSUER, NOW, SECRET, SUPABASE, Signer, b64, claims, hs256, with,
};

static PLAN: Plan = Plan { issuers: &[SUPABASE, COGNITO], ..crate::testing::PLAN };

fn settings() -> Settings {
    let variables = [
        ("ISSUER", ISSUER),
        ("COGNITO_ISSUER", COGNITO_ISSUER),
        ("COGNITO_CLIENTS", "web app"),
        ("JWT_HS256_SECRET", SECRET),
    ];
    let variables = variables.map(|(name, value)| (name, value.to_owned()));
    Settings { variables: variables.into(), ..Settings::default() }
}

/// What is found before the signature is verified.
fn read(token: &str) -> Result<Statement, TokenFault> {
    let parsed = parse(token, &AUTH)?;
    let issuer = issuer(&parsed, &PLAN, &settings())?;
    statement(&parsed, issuer, &settings(), &AUTH)
}

/// The same for a token that says this, at [`NOW`].
fn verdict(claims: &Value) -> Result<Identity, TokenFault> {
    let statement = read(&hs256(claims))?;
    statement.is_current(&AUTH, 0, NOW).map(|()| statement.identity)
}

#[test]
fn a_good_token_says_who_its_user_is() {
    let identity = verdict(&claims()).unwrap();
    assert_eq!((identity.user.as_str(), identity.role.as_str()), ("u1", "authenticated"));
    assert_eq!((identity.session.as_deref(), identity.aal.as_deref()), (Some("s1"), Some("aal1")));
    assert!(verdict(&with(&json!({"aud": ["x", "authenticated"]}))).is_ok());
    let parsed_claims = super::claims(&hs256(&claims()));
    assert_eq!(parsed_claims, *claims().as_object().unwrap());
}

#[test]
fn rfc7519_4_1_claims_that_are_missing_or_wrong_are_refused() {
    for (changes, fault) in [
        (json!({"exp": NOW - 30}), TokenFault::Expired),
        (json!({"exp": null}), TokenFault::Times),
        (json!({"exp": (NOW + 60).to_string()}), TokenFault::Times),
        (json!({"exp": 1.5e10}), TokenFault::Times),
        (json!({"exp": -1}), TokenFault::Times),
        (json!({"iat": null}), TokenFault::Times),
        (json!({"nbf": "soon"}), TokenFault::Times),
        (json!({"nbf": NOW + 31}), TokenFault::NotYetValid),
        (json!({"iat": NOW + 31}), TokenFault::NotYetValid),
        (json!({"exp": NOW + 86_401}), TokenFault::TooLongLived),
        (json!({"iss": "https://evil.example"}), TokenFault::Issuer),
        (json!({"iss": "supabase"}), TokenFault::Issuer),
        (json!({"iss": format!("{ISSUER}/")}), TokenFault::Issuer),
        (json!({"iss": [ISSUER]}), TokenFault::Issuer),
        (json!({"iss": null}), TokenFault::Issuer),
        (json!({"aud": "other"}), TokenFault::Audience),
        (json!({"aud": []}), TokenFault::Audience),
        (json!({"aud": null}), TokenFault::Audience),
        (json!({"sub": null}), TokenFault::NoSubject),
        (json!({"sub": ""}), TokenFault::Claims),
        (json!({"sub": 7}), TokenFault::Claims),
        (json!({"sub": "a\r\nx-he2-role: admin"}), TokenFault::Claims),
        (json!({"session_id": "x".repeat(257)}), TokenFault::Claims),
        (json!({"role": "anon"}), TokenFault::NotAUser),
        (json!({"role": "service_role"}), TokenFault::NotAUser),
        (json!({"role": null}), TokenFault::NotAUser),
    ] {
        assert_eq!(verdict(&with(&changes)), Err(fault), "{changes}");
    }
}

#[test]
fn clock_differences_are_forgiven_up_to_the_leeway() {
    assert!(verdict(&with(&json!({"exp": NOW - 29}))).is_ok());
    assert!(verdict(&with(&json!({"nbf": NOW + 30, "iat": NOW + 30}))).is_ok());
}

#[test]
fn a_grace_counts_from_the_expiry_and_forgives_nothing_else() {
    let at = |changes: &Value, grace| read(&hs256(&with(changes))).unwrap().is_current(&AUTH, grace, NOW);
    assert_eq!(at(&json!({"exp": NOW - 129}), 100), Ok(()));
    assert_eq!(at(&json!({"exp": NOW - 130}), 100), Err(TokenFault::Expired));
    assert_eq!(at(&json!({"nbf": NOW + 31}), 100), Err(TokenFault::NotYetValid));
}

#[test]
fn each_issuer_has_its_own_audiences_claims_and_kind_of_token() {
    let signer = Signer::new("c1");
    let access = json!({
        "iss": COGNITO_ISSUER, "client_id": "web", "token_use": "access", "sub": "c1", "exp": NOW + 60, "iat": NOW,
        "origin_jti": "o1", "cognito:groups": ["staff"],
    });
    let says = |changes: &Value| {
        let mut claims = access.clone();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        read(&signer.sign(&claims))
    };
    let statement = says(&json!({})).unwrap();
    assert_eq!((statement.issuer, statement.identity.session.as_deref()), (1, Some("o1")));
    assert_eq!(says(&json!({"client_id": "other"})), Err(TokenFault::Audience));
    assert_eq!(says(&json!({"token_use": "id"})), Err(TokenFault::Kind));
    assert_eq!(says(&json!({"role": "service_role"})), Err(TokenFault::NotAUser), "whoever says so");
    assert_eq!(read(&hs256(&access)), Err(TokenFault::Algorithm), "it has no shared secret");
}

#[test]
fn an_issuer_without_an_address_in_the_deployment_is_off() {
    let mut settings = settings();
    settings.variables.remove("ISSUER");
    let token = hs256(&claims());
    let parsed = parse(&token, &AUTH).unwrap();
    assert_eq!(issuer(&parsed, &PLAN, &settings).map(|(place, _)| place), Err(TokenFault::Issuer));
}

#[test]
fn what_no_key_could_make_good_is_refused_for_its_form() {
    let fault = |token: &str| parse(token, &AUTH).unwrap_err();
    assert_eq!(fault("sb_secret_abc"), TokenFault::ApiKeyAsToken);
    for malformed in ["", "a.b", "a.b.c", "..", "e30.e30", "e30.e30.e30.e30"] {
        assert_ne!(parse(malformed, &AUTH).map(drop), Ok(()), "{malformed}");
    }
    assert_eq!(fault(&"a".repeat(8_193)), TokenFault::TooLong);
    let good = hs256(&claims());
    for (what, changed) in [
        ("padding", format!("{good}=")),
        ("space", good.replacen('.', " .", 1)),
        ("not canonical", not_canonical(&good)),
        ("standard alphabet", good.replacen(['-', '_'], "+", 1) + "+"),
        ("bytes that are no UTF-8", format!("{}.{}.", b64(b"{\"alg\":\"HS256\"}"), b64(b"{\"a\":\"\xff\"}"))),
    ] {
        assert_eq!(fault(&changed), TokenFault::Malformed, "{what}");
    }
}

/// With bits in the last letter that 32 bytes leave over.
fn not_canonical(token: &str) -> String {
    let mut changed = token.to_owned();
    let last = changed.pop().unwrap();
    changed.push(char::from(u8::try_from(last).unwrap() + 1));
    changed
}

#[test]
fn rfc8725_2_4_an_object_with_a_member_twice_is_refused() {
    let token =
        |header: &str, claims: &str| format!("{}.{}.AAAA", b64(header.as_bytes()), b64(claims.as_bytes()));
    let (header, claims) = (r#"{"alg":"ES256"}"#, r#"{"sub":"a"}"#);
    assert!(parse(&token(header, claims), &AUTH).is_ok());
    let twice = [(r#"{"alg":"ES256","alg":"ES256"}"#, claims), (header, r#"{"sub":"a","s\u0075b":"b"}"#)];
    for (header, claims) in twice {
        assert_eq!(parse(&token(header, claims), &AUTH), Err(TokenFault::Malformed), "{header} {claims}");
    }
}

#[test]
fn rfc7515_4_1_header_parameters_are_refused_unless_they_are_understood() {
    let of = |header: &Value| {
        let token = format!("{}.{}.AAAA", b64(header.to_string().as_bytes()), b64(b"{}"));
        parse(&token, &AUTH).map(|parsed| parsed.kid)
    };
    for alg in
        [json!("none"), json!("None"), json!("hs256"), json!("HS512"), json!(""), json!(7), json!(["ES256"])]
    {
        assert_eq!(of(&json!({"alg": alg})), Err(TokenFault::Algorithm), "{alg}");
    }
    assert_eq!(of(&json!({})), Err(TokenFault::Algorithm));
    for extra in [
        json!({"crit": ["exp"]}),
        json!({"crit": []}),
        json!({"b64": false}),
        json!({"typ": "dpop+jwt"}),
        json!({"typ": 1}),
        json!({"kid": 7}),
        json!({"kid": null}),
        json!({"kid": "k".repeat(257)}),
    ] {
        let mut header = extra.clone();
        header["alg"] = json!("ES256");
        assert_eq!(of(&header), Err(TokenFault::Header), "{extra}");
    }
    let known =
        json!({"alg": "ES256", "kid": "k", "typ": "at+JWT", "jku": "https://evil.example", "jwk": {}});
    assert_eq!(of(&known), Ok(Some("k".to_owned())), "a key of its own is not read");
    assert_eq!(of(&json!({"alg": "ES256"})), Ok(None));
}
