//! Where sandboxes are shown, and which of their ports: only where nothing of the app's is in reach.

use edge_core::plan::{Ports, Previews};
use edge_core::preview::name::is_shown;

use crate::support::{VALID, edited, faults};

const LEAST: &str = "domain = \"previews.example\"\nports = [8080]";

/// The valid file with previews before its limits; what is said of them stands from line 39 on.
fn with(said: &str) -> String {
    edited("[limit.runs]", &format!("[previews]\n{said}\n[limit.runs]"))
}

fn previews(said: &str) -> Previews {
    he2_config::parse("he2.toml", &with(said)).unwrap().plan().previews.unwrap()
}

fn fault(said: &str) -> String {
    let all = faults(&with(said));
    assert_eq!(all.len(), 1, "{all:#?}");
    all.concat()
}

#[test]
fn without_the_section_nothing_is_shown() {
    let plan = he2_config::parse("he2.toml", VALID).unwrap().plan();
    assert_eq!(plan.previews, None);
    assert!(!plan.variables.contains(&"DAYTONA_API_KEY"));
}

#[test]
fn what_previews_leave_out_has_its_default() {
    let found = previews(LEAST);
    assert_eq!((found.domain, found.api), ("previews.example", "https://app.daytona.io/api"));
    assert_eq!(found.ports, [Ports { first: 8080, last: 8080 }]);
    assert_eq!(found.reserved, [22, 2280, 22222, 33333]);
    assert_eq!((found.route.limit, found.route.first_byte_ms), (None, 90_000));
    let plan = he2_config::parse("he2.toml", &with(LEAST)).unwrap().plan();
    assert!(["DAYTONA_API", "DAYTONA_API_KEY"].iter().all(|name| plan.variables.contains(name)));
}

#[test]
fn every_word_of_previews_has_its_meaning() {
    let found = previews(
        "domain = \"p.example\"\nports = [\"80-81\", \"2000-3000\", \"3000 - 4000\"]\nreserved = [9229, 80, 2500]\n\
         api = \"https://daytona.example:8443/v1/api\"\nlimit = \"runs\"\nfirst_byte_seconds = 30",
    );
    assert_eq!(found.ports[1..], [Ports { first: 2000, last: 3000 }, Ports { first: 3000, last: 4000 }]);
    assert_eq!(found.reserved, [22, 80, 2280, 2500, 9229, 22222, 33333]);
    let shown: Vec<u16> =
        [80, 2000, 2280, 2500, 4000, 4001].into_iter().filter(|port| is_shown(&found, *port)).collect();
    assert_eq!(shown, [2000, 4000]);
    assert_eq!(found.api, "https://daytona.example:8443/v1/api");
    assert_eq!((found.route.limit.unwrap().name, found.route.first_byte_ms), ("runs", 30_000));
}

#[test]
fn previews_share_no_domain_with_the_app() {
    let shares = "sandboxes could set cookies for the app there; use another registrable domain";
    for domain in ["he2.ai", "previews.he2.ai", "ai"] {
        let expected = match domain.contains('.') {
            true => format!("he2.toml:39: previews domain `{domain}`: {shares}"),
            false => {
                "he2.toml:39: previews domain `ai`: write it as `previews.example`, in lower case".to_owned()
            }
        };
        assert_eq!(fault(&LEAST.replace("previews.example", domain)), expected);
    }
    assert_eq!(previews(&LEAST.replace("previews.example", "nothe2.ai")).domain, "nothe2.ai");
}

#[test]
fn a_value_that_previews_do_not_know_is_refused() {
    let array = "an array of ports and ranges of them, as [8080, \"3000-3010\"]";
    for (said, expected) in [
        (
            LEAST.replace("[8080]", "[]"),
            "40: `ports` is empty; name at least one, or remove [previews]".to_owned(),
        ),
        (LEAST.replace("8080", "2280"), "40: port 2280 is reserved and never shown; remove it".to_owned()),
        (
            LEAST.replace("8080", "\"9-8\""),
            "40: ports `9-8`: the last comes before the first; turn them round".to_owned(),
        ),
        (LEAST.replace("8080", "\"8-x\""), format!("40: `ports` must be {array}, not an array")),
        (LEAST.replace("8080", "65536"), format!("40: `ports` must be {array}, not an array")),
        (LEAST.replace("[8080]", "8080"), format!("40: `ports` must be {array}, not the number 8080")),
        (
            LEAST.replace("previews.example", "Previews.Example"),
            "39: previews domain `Previews.Example`: write it as `previews.example`, in lower case"
                .to_owned(),
        ),
        (
            format!("{LEAST}\napi = \"http://daytona.example/api\""),
            "41: api `http://daytona.example/api`: write it as `https://app.daytona.io/api`".to_owned(),
        ),
        (
            format!("{LEAST}\napi = \"https://daytona.example/api/\""),
            "41: api `https://daytona.example/api/`: write it as `https://app.daytona.io/api`".to_owned(),
        ),
        (format!("{LEAST}\nlimit = \"run\""), "41: unknown limit `run`; did you mean `runs`?".to_owned()),
        (
            format!("{LEAST}\nfirst_byte_seconds = 9999"),
            "41: first_byte_seconds 9999: give at most 3600".to_owned(),
        ),
        (
            format!("{LEAST}\nport = 1"),
            "41: unknown key `port` in [previews]; did you mean `ports`?".to_owned(),
        ),
        ("ports = [80]".to_owned(), "38: [previews] needs `domain`; give it a string in quotes".to_owned()),
    ] {
        assert_eq!(fault(&said), format!("he2.toml:{expected}"), "{said}");
    }
}

#[test]
fn a_limit_of_previews_knows_addresses_alone() {
    let by = |by: &str| {
        let text = with(&format!("{LEAST}\nlimit = \"shown\""));
        faults(&text.replace(
            "[limit.runs]",
            &format!("[limit.shown]\nwindows = [{{ quota = 1, seconds = 1 }}]\n{by}\n[limit.runs]"),
        ))
    };
    let expected = "he2.toml:41: limit `shown` asks who calls or what it costs, and previews know addresses alone; name one \
                    without";
    for part in
        ["by = [\"session\"]", "by = [\"service\"]", "by = [{ claim = \"a\" }]", "cost_header = \"x-cost\""]
    {
        assert_eq!(by(part), [expected], "{part}");
    }
}

#[test]
fn a_limit_that_only_previews_name_is_used() {
    let text = with(&format!("{LEAST}\nlimit = \"shown\""));
    let text =
        text.replace("[limit.runs]", "[limit.shown]\nwindows = [{ quota = 1, seconds = 1 }]\n[limit.runs]");
    assert!(he2_config::parse("he2.toml", &text).is_ok());
}
