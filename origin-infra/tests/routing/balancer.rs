//! A load balancer by AWS's words, over the listener and the rules of an emitted file.

use hcl::{Block, Body, Expression};
use http::{HeaderMap, Method};

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Service(String),
    Fixed(u16),
}

#[derive(Debug, Clone)]
pub(crate) struct Balancer {
    /// By priority.
    pub(crate) rules: Vec<Rule>,
    default_status: u16,
}

#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) priority: u32,
    pub(crate) conditions: Vec<Condition>,
    service: String,
}

/// Values of one condition; one of them must fit.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    Header(String, Vec<String>),
    Method(Vec<String>),
    Path(Vec<String>),
}

impl Balancer {
    /// From the file's text; `locks` are the values of its variable. What it does not know, it refuses.
    pub(crate) fn read(text: &str, locks: &[&str]) -> Self {
        let body: Body = hcl::parse(text).expect("the emitted file is HCL");
        let of_kind =
            |kind: &'static str| body.blocks().filter(move |block| labels(block).first() == Some(&kind));
        let listener = of_kind("aws_lb_listener").next().expect("a listener");
        let mut rules: Vec<Rule> = of_kind("aws_lb_listener_rule").map(|block| rule(block, locks)).collect();
        rules.sort_by_key(|rule| rule.priority);
        Self { rules, default_status: default_status(listener) }
    }

    pub(crate) fn without(&self, priority: u32) -> Self {
        let others = self.rules.iter().filter(|rule| rule.priority != priority);
        Self { rules: others.cloned().collect(), ..*self }
    }

    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let takes = |rule: &&Rule| rule.conditions.iter().all(|condition| condition.holds(request));
        match self.rules.iter().find(takes) {
            Some(rule) => Answer::Service(rule.service.clone()),
            None => Answer::Fixed(self.default_status),
        }
    }
}

impl Condition {
    pub(crate) fn values(&self) -> &[String] {
        let (Self::Header(_, values) | Self::Method(values) | Self::Path(values)) = self;
        values
    }

    pub(crate) fn is_of_header(&self, wanted: &str) -> bool {
        matches!(self, Self::Header(name, _) if name == wanted)
    }

    fn holds(&self, request: &Request) -> bool {
        match self {
            Self::Header(name, values) => {
                let sent = request.headers.get_all(name.as_str());
                let mut sent = sent.iter().filter_map(|sent| sent.to_str().ok());
                sent.any(|sent| values.iter().any(|value| fits(value, sent, Case::Same)))
            }
            Self::Method(values) => values.iter().any(|value| value == request.method.as_str()),
            Self::Path(values) => values.iter().any(|value| fits(value, &request.path, Case::Differs)),
        }
    }
}

/// What capital letters are.
#[derive(Clone, Copy, PartialEq)]
enum Case {
    Same,
    Differs,
}

fn fits(pattern: &str, text: &str, case: Case) -> bool {
    let (mut expected, mut found) = (pattern.chars(), text.chars());
    match (expected.next(), found.next()) {
        (None, None) => true,
        (Some('*'), next) => {
            fits(expected.as_str(), text, case) || next.is_some() && fits(pattern, found.as_str(), case)
        }
        (Some(one), Some(other)) => {
            let same = one == other || case == Case::Same && one.eq_ignore_ascii_case(&other);
            (one == '?' || same) && fits(expected.as_str(), found.as_str(), case)
        }
        _ => false,
    }
}

fn labels(block: &Block) -> Vec<&str> {
    block.labels().iter().map(hcl::BlockLabel::as_str).collect()
}

fn rule(block: &Block, locks: &[&str]) -> Rule {
    let forward = nested(block, "action");
    assert_eq!(text(attribute(forward, "type")), "forward", "{block:?}");
    let target = attribute(forward, "target_group_arn").to_string();
    let service = target.strip_prefix("aws_lb_target_group.").and_then(|rest| rest.strip_suffix(".arn"));
    let conditions = block.body().blocks().filter(|nested| nested.identifier() == "condition");
    Rule {
        priority: number(attribute(block, "priority")),
        conditions: conditions.map(|block| condition(block, locks)).collect(),
        service: service.unwrap_or_else(|| panic!("no target group: {target}")).to_owned(),
    }
}

fn condition(block: &Block, locks: &[&str]) -> Condition {
    let kinds: Vec<&Block> = block.body().blocks().collect();
    let [kind] = kinds[..] else { panic!("a condition has one kind: {block:?}") };
    let values = values(attribute(kind, "values"), locks);
    match kind.identifier() {
        "http_header" => Condition::Header(text(attribute(kind, "http_header_name")), values),
        "http_request_method" => Condition::Method(values),
        "path_pattern" => Condition::Path(values),
        other => panic!("the test does not know the condition {other}"),
    }
}

fn values(expression: &Expression, locks: &[&str]) -> Vec<String> {
    match expression {
        Expression::Array(values) => values.iter().map(text).collect(),
        other if other.to_string() == "var.origin_lock_secrets" => {
            locks.iter().map(|&lock| lock.into()).collect()
        }
        other => panic!("no list of strings: {other}"),
    }
}

fn default_status(listener: &Block) -> u16 {
    let action = nested(listener, "default_action");
    assert_eq!(text(attribute(action, "type")), "fixed-response");
    text(attribute(nested(action, "fixed_response"), "status_code")).parse().expect("a status code")
}

fn nested<'a>(block: &'a Block, name: &str) -> &'a Block {
    let mut all = block.body().blocks().filter(|nested| nested.identifier() == name);
    match (all.next(), all.next()) {
        (Some(one), None) => one,
        _ => panic!("not exactly one {name} in {block:?}"),
    }
}

fn attribute<'a>(block: &'a Block, name: &str) -> &'a Expression {
    let found = block.body().attributes().find(|attribute| attribute.key() == name);
    found.unwrap_or_else(|| panic!("no {name} in {block:?}")).expr()
}

fn text(expression: &Expression) -> String {
    match expression {
        Expression::String(text) => text.clone(),
        other => panic!("no string: {other}"),
    }
}

fn number(expression: &Expression) -> u32 {
    expression.to_string().parse().expect("a number")
}

#[test]
fn wildcards_are_awss() {
    for (pattern, text, expected) in [
        ("/img/*", "/img/", true),
        ("/img/*", "/img/a/b.png", true),
        ("/img/*", "/img", false),
        ("/img/*", "/IMG/a", false),
        ("/img/*/pics", "/img/a/b/pics", true),
        ("/img/*/pics", "/img/pics", false),
        ("/a?c", "/abc", true),
        ("/a?c", "/ac", false),
        ("/a", "/a/", false),
    ] {
        assert_eq!(fits(pattern, text, Case::Differs), expected, "{pattern} {text}");
    }
    assert!(fits("API.he2.ai", "api.HE2.ai", Case::Same));
}
