//! The origin lock in the firewall.
//!
//! A group of its own: Terraform hides every rule beside a secret, and the other rules should show in a plan.

use super::visibility;
use crate::tf::{Block, block, resource};

const LABEL: &str = "edge";

pub(super) fn group(lock: &str) -> Block {
    // One value or two; an "or" needs two.
    let secrets =
        ["var.origin_lock_secrets[0]", "var.origin_lock_secrets[length(var.origin_lock_secrets) - 1]"];
    let known =
        block("or_statement").nest_all(secrets.map(|secret| block("statement").nest(is(lock, secret))));
    let unknown = block("not_statement").nest(block("statement").nest(marked(&format!("\"{LABEL}\""))));
    let mark = block("rule_label").text("name", LABEL);
    resource("aws_wafv2_rule_group", "origin_lock")
        .expr("name", "\"${local.name}-origin-lock\"")
        .text("scope", "REGIONAL")
        .note("Cannot be changed later: room for longer conditions.")
        .number("capacity", 50_u64)
        .nest(rule_of("known", 0, "count", known).nest(mark))
        .nest(rule_of("unknown", 1, "block", unknown))
        .nest(visibility("origin-lock"))
}

/// The group in the firewall, before all others.
pub(super) fn rule() -> super::Rule {
    let reference =
        block("rule_group_reference_statement").expr("arn", "aws_wafv2_rule_group.origin_lock.arn");
    let action = block("override_action").nest(block("none"));
    ("origin-lock", vec![action, block("statement").nest(reference)])
}

/// Whether the group has found the lock.
pub(super) fn marked_here() -> Block {
    let account = "data.aws_caller_identity.current.account_id";
    marked(&format!("\"awswaf:${{{account}}}:rulegroup:${{aws_wafv2_rule_group.origin_lock.name}}:{LABEL}\""))
}

fn marked(key: &str) -> Block {
    block("label_match_statement").text("scope", "LABEL").expr("key", key)
}

fn rule_of(name: &str, priority: u64, action: &str, statement: Block) -> Block {
    block("rule")
        .text("name", name)
        .number("priority", priority)
        .nest(block("action").nest(block(action)))
        .nest(block("statement").nest(statement))
        .nest(visibility(name))
}

fn is(lock: &str, secret: &str) -> Block {
    block("byte_match_statement")
        .text("positional_constraint", "EXACTLY")
        .expr("search_string", secret)
        .nest(block("field_to_match").nest(block("single_header").text("name", lock)))
        .nest(block("text_transformation").number("priority", 0_u64).text("type", "NONE"))
}
