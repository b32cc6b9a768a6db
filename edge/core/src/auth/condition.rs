//! What must hold of a token's claims: for a route, or for all tokens of an issuer.
//!
//! A claim that is not there passes no test, but for the one that says whether the user is anonymous: a token that
//! does not say is of a user with an identity.

use std::fmt;

use serde_json::{Map, Value as Json};

use crate::plan::{ClaimNames, Condition, Subject, Test, Value};

/// Whether all of them hold of these claims.
#[must_use]
pub fn all_hold(conditions: &[Condition], claims: &Map<String, Json>, names: &ClaimNames) -> bool {
    conditions.iter().all(|condition| holds(condition, claims, names))
}

/// Whether it holds of these claims.
#[must_use]
pub fn holds(condition: &Condition, claims: &Map<String, Json>, names: &ClaimNames) -> bool {
    let found = match condition.subject {
        Subject::Aal => claims.get(names.aal),
        Subject::Role => claims.get(names.role),
        Subject::Anonymous => claims.get(names.anonymous).or(Some(&Json::Bool(false))),
        Subject::Claim(path) => member(claims, path),
    };
    found.is_some_and(|claim| passes(condition.test, claim))
}

/// The claim at this path.
pub(crate) fn member<'c>(claims: &'c Map<String, Json>, path: &[&str]) -> Option<&'c Json> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(claims.get(*first)?, |object, name| object.get(name))
}

fn passes(test: Test, claim: &Json) -> bool {
    let among = |wanted: &[Value], given: &Json| wanted.iter().any(|value| is(*value, given));
    match (test, claim) {
        (Test::OneOf(wanted), claim) => among(wanted, claim),
        (Test::Contains(wanted), Json::Array(items)) => items.iter().any(|item| among(wanted, item)),
        (Test::Contains(wanted), Json::String(words)) => {
            let said = |text| words.split(' ').any(|word| word == text);
            wanted.iter().any(|value| matches!(value, Value::Text(text) if said(*text)))
        }
        (Test::Contains(_), _) => false,
    }
}

fn is(value: Value, given: &Json) -> bool {
    match value {
        Value::Text(text) => given.as_str() == Some(text),
        Value::Number(number) => given.as_i64() == Some(number),
        Value::Bool(truth) => given.as_bool() == Some(truth),
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.subject {
            Subject::Aal => f.write_str("aal")?,
            Subject::Role => f.write_str("role")?,
            Subject::Anonymous => f.write_str("anonymous")?,
            Subject::Claim(path) => f.write_str(&path.join("."))?,
        }
        let (verb, values) = match self.test {
            Test::OneOf(values) => ("must be", values),
            Test::Contains(values) => ("must contain", values),
        };
        let values: Vec<_> = values.iter().map(ToString::to_string).collect();
        write!(f, " {verb} {}", values.join(" or "))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Bool(truth) => write!(f, "{truth}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::SUPABASE;

    const PLAN: Subject = Subject::Claim(&["app_metadata", "plan"]);

    fn judged(subject: Subject, test: Test, claims: &Json) -> bool {
        holds(&Condition { subject, test }, claims.as_object().unwrap(), &SUPABASE.claims)
    }

    #[test]
    fn a_claim_is_one_of_several_values() {
        let test = Test::OneOf(&[Value::Text("pro"), Value::Number(2), Value::Bool(true)]);
        for (plan, passes) in [
            (json!("pro"), true),
            (json!(2), true),
            (json!(true), true),
            (json!("free"), false),
            (json!("2"), false),
            (json!(["pro"]), false),
            (json!(null), false),
        ] {
            assert_eq!(judged(PLAN, test, &json!({"app_metadata": {"plan": plan}})), passes, "{plan}");
        }
        assert!(
            !judged(PLAN, test, &json!({"app_metadata": "plan"})),
            "a claim that is not there passes nothing"
        );
        assert!(!judged(PLAN, test, &json!({"app_metadata.plan": "pro"})));
    }

    #[test]
    fn a_claim_contains_a_value_as_a_list_or_as_words() {
        let (scope, test) =
            (Subject::Claim(&["scope"]), Test::Contains(&[Value::Text("read"), Value::Number(7)]));
        for (value, passes) in [
            (json!(["write", "read"]), true),
            (json!([7]), true),
            (json!("write read"), true),
            (json!("readers"), false),
            (json!([]), false),
            (json!({"read": true}), false),
        ] {
            assert_eq!(judged(scope, test, &json!({"scope": value})), passes, "{value}");
        }
    }

    #[test]
    fn a_token_that_does_not_say_is_of_a_user_with_an_identity() {
        let test = Test::OneOf(&[Value::Bool(false)]);
        assert!(judged(Subject::Anonymous, test, &json!({})));
        assert!(judged(Subject::Anonymous, test, &json!({"is_anonymous": false})));
        assert!(!judged(Subject::Anonymous, test, &json!({"is_anonymous": true})));
        assert!(!judged(Subject::Aal, Test::OneOf(&[Value::Text("aal2")]), &json!({})));
    }
}
