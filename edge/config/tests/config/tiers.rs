//! Tiers: callers with windows of their own.

use edge_core::plan::{Condition, Subject, Test, Tier, TierOf, Value, Window};

use crate::support::{WINDOWS, edited, faults};

const FEW: &str = "windows = [{ quota = 9, seconds = 60 }]";
const FREE: &str = "name = \"free\", claim = \"app_metadata.plan\", equals = \"free\"";

/// The valid file, whose limit has these tiers: each on a line of its own, from line 41 on.
fn with(tiers: &[&str]) -> String {
    let tiers = tiers.iter().fold(String::new(), |text, tier| format!("{text}{{ {tier} }},\n"));
    edited(WINDOWS, &format!("{WINDOWS}\ntiers = [\n{tiers}]"))
        .replace("auth = \"user\"\nlimit", "auth = \"any_of\"\nlimit")
}

fn tiers(text: &str) -> &'static [Tier] {
    let plan = he2_config::parse("he2.toml", text).unwrap().plan();
    plan.routes.iter().find_map(|route| route.limit).unwrap().tiers
}

/// Those of one line.
fn found(tier: &str) -> Vec<String> {
    faults(&with(&[tier]))
}

#[test]
fn a_tier_is_of_users_by_a_claim_or_of_api_keys_by_how_they_begin() {
    let subject = Subject::Claim(&["app_metadata", "plan"]);
    let user = |test| TierOf::User(Condition { subject, test });
    let windows: &[Window] = &[Window { quota: 9, seconds: 60, burst: None }];
    for (who, of) in [
        ("equals = \"free\"", user(Test::OneOf(&[Value::Text("free")]))),
        ("one_of = [\"free\", 0]", user(Test::OneOf(&[Value::Text("free"), Value::Number(0)]))),
        ("contains = \"free\"", user(Test::Contains(&[Value::Text("free")]))),
    ] {
        let text = with(&[&format!("name = \"a\", claim = \"app_metadata.plan\", {who}, {FEW}")]);
        assert_eq!(tiers(&text), [Tier { name: "a", of, windows }]);
    }
    for prefix in ["p", "pk_", "pk_Ent7", "he-", "he-a_b-c1234567"] {
        let text = with(&[&format!("name = \"a\", api_key_prefix = \"{prefix}\", {FEW}")]);
        assert_eq!(tiers(&text), [Tier { name: "a", of: TierOf::ApiKey(prefix), windows }]);
    }
}

#[test]
fn tiers_keep_their_order_and_may_have_windows_of_any_length_and_kind() {
    let wide = "windows = [{ quota = 7, seconds = 1, burst = 9 }, { quota = 1, seconds = 86400 }]";
    let text =
        with(&[&format!("{FREE}, {FEW}"), &format!("name = \"keys\", api_key_prefix = \"pk_\", {wide}")]);
    let found: Vec<_> = tiers(&text).iter().map(|tier| (tier.name, tier.windows.len())).collect();
    assert_eq!(found, [("free", 1), ("keys", 2)]);
}

#[test]
fn a_tier_is_of_one_kind() {
    let none = "a tier needs to say whose it is; give it a `claim` with a test, or `api_key_prefix`";
    assert_eq!(found(&format!("name = \"free\", {FEW}")), [format!("he2.toml:41: {none}")]);
    let both = "a tier is by a `claim` or by `api_key_prefix`; remove one";
    assert_eq!(found(&format!("{FREE}, api_key_prefix = \"pk_\", {FEW}")), [format!("he2.toml:41: {both}")]);
}

#[test]
fn what_a_tier_lacks_or_misspells_is_named() {
    let test = "the test of a claim has 0 of `equals`, `one_of` and `contains`; give one";
    for (tier, expected) in [
        (format!("name = \"free\", claim = \"plan\", {FEW}"), test),
        (
            format!("name = \"free\", equals = \"free\", {FEW}"),
            "a tier needs `claim`; give it a string in quotes",
        ),
        (
            format!("name = \"free\", claim = \"user_metadata.plan\", equals = \"free\", {FEW}"),
            "claim `user_metadata.plan` is written by its user and proves nothing; use `app_metadata`",
        ),
        (
            FREE.to_owned(),
            "a tier needs `windows`; give it an array of windows, as [{ quota = 20, seconds = 60 }]",
        ),
        (format!("{FREE}, windows = []"), "tier `free` has no window; give one or remove the tier"),
        (
            format!("{FREE}, windows = [{{ quota = 9, seconds = 60 }}, {{ quota = 5, seconds = 60 }}]"),
            "two windows of 60 s without `burst` in one tier; remove one",
        ),
        (
            format!("{FREE}, windows = [{{ quota = 9, seconds = 2678401 }}]"),
            "seconds 2678401: give 1 to 2678400",
        ),
        (
            format!("{}, {FEW}", FREE.replace("\"free\", c", "\"Free\", c")),
            "name `Free`: use lower-case letters, digits and `-`",
        ),
        (format!("{FREE}, wndows = 1, {FEW}"), "unknown key `wndows` in a tier; did you mean `windows`?"),
        (
            format!("name = \"a\", api_key_prefix = 1, {FEW}"),
            "`api_key_prefix` must be a string in quotes, not the number 1",
        ),
    ] {
        assert_eq!(found(&tier), [format!("he2.toml:41: {expected}")]);
    }
    let nameless = format!("api_key_prefix = \"pk_\", {FEW}");
    assert_eq!(found(&nameless), ["he2.toml:41: a tier needs `name`; give it a string in quotes"]);
}

#[test]
fn a_list_of_tiers_is_one_and_not_empty() {
    assert_eq!(faults(&with(&[])), ["he2.toml:40: `tiers` is empty; give one, or leave it out"]);
    let text = edited(WINDOWS, &format!("{WINDOWS}\ntiers = \"free\""));
    let expected = "he2.toml:40: `tiers` must be an array of tables, each with a `name`, who is of it, and `windows`, not a \
                    string";
    assert_eq!(faults(&text), [expected]);
}

#[test]
fn a_beginning_that_no_api_key_has_or_that_shows_a_secret_is_refused() {
    let too_long = ["a".repeat(33), "a".repeat(13)];
    let [public, secret] = [format!("pk_{}", too_long[0]), format!("he-{}", too_long[1])];
    for prefix in ["", "pk_ent_", "pk-", "pk_a:sk_", "he-a b", "x", &public, &secret] {
        let expected = format!(
            "he2.toml:41: api_key_prefix `{prefix}`: give how API keys begin: `pk_` with up to 32 letters and digits, or \
             `he-` with up to 12 of those, `-` and `_`"
        );
        assert_eq!(found(&format!("name = \"a\", api_key_prefix = \"{prefix}\", {FEW}")), [expected]);
    }
}

#[test]
fn a_tier_twice_or_behind_one_that_takes_its_callers_is_refused() {
    let free = format!("{FREE}, {FEW}");
    let twice = "he2.toml:42: tier `free` is already on line 41; remove one";
    let nobody = |tier: &str, before: &str| {
        format!(
            "he2.toml:42: tier `{tier}` is for nobody: tier `{before}` before it takes all of its callers; change the \
             order, or remove one"
        )
    };
    assert_eq!(faults(&with(&[&free, &free])), [twice.to_owned(), nobody("free", "free")]);
    let other = free.replace("\"free\", c", "\"other\", c");
    assert_eq!(faults(&with(&[&free, &other])), [nobody("other", "free")]);
    let keys = |name: &str, prefix: &str| format!("name = \"{name}\", api_key_prefix = \"{prefix}\", {FEW}");
    assert_eq!(faults(&with(&[&keys("all", "pk_"), &keys("some", "pk_a")])), [nobody("some", "all")]);
    assert_eq!(tiers(&with(&[&keys("some", "pk_a"), &keys("all", "pk_")])).len(), 2);
}

#[test]
fn tiers_are_for_routes_that_can_tell_them() {
    let on = |auth: &str, tier: &str| {
        let text = with(&[tier]).replace("auth = \"any_of\"\nlimit", &format!("auth = {auth}\nlimit"));
        he2_config::parse("he2.toml", &text).map(drop).map_err(|faults| faults.to_string())
    };
    let (users, keys) = (format!("{FREE}, {FEW}"), format!("name = \"a\", api_key_prefix = \"pk_\", {FEW}"));
    let no_users = "he2.toml:65: limit `runs` has tiers of users, and this route knows none; name another\n";
    let no_keys =
        "he2.toml:65: limit `runs` has tiers of API keys, and this route takes none; name another\n";
    for auth in ["\"public\"", "{ class = \"admin\", secret = \"KEY\" }"] {
        assert_eq!(on(auth, &users).unwrap_err(), no_users, "{auth}");
        assert_eq!(on(auth, &keys).unwrap_err(), no_keys, "{auth}");
    }
    for auth in ["\"user\"", "\"optional\""] {
        assert_eq!(on(auth, &users), Ok(()), "{auth}");
        assert_eq!(on(auth, &keys).unwrap_err(), no_keys, "{auth}");
    }
    assert_eq!(on("\"api_key\"", &users).unwrap_err(), no_users);
    assert_eq!(on("\"api_key\"", &keys), Ok(()));
}

#[test]
fn callers_of_different_tiers_count_apart() {
    let tier =
        "name = \"free\", claim = \"plan\", equals = \"free\", windows = [{ quota = 1, seconds = 60 }]";
    let text = |by: &str| with(&[tier]).replace("tiers = [", &format!("by = [{by}]\ntiers = ["));
    let fault = "he2.toml:41: `tiers` need callers that count apart; add \"caller\" to `by`";
    assert_eq!(faults(&text("\"address\"")), [fault]);
    assert_eq!(tiers(&text("\"session\"")).len(), 1);
    let named = tier.replace("\"free\", claim", "\"default\", claim");
    let fault = "he2.toml:41: `default` is what callers of no tier are called; rename the tier";
    assert_eq!(faults(&with(&[&named])), [fault]);
}
