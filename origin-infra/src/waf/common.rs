//! Rules of AWS's common group that only count here, each with the reason.

use crate::tf::{Block, block};

/// Rule, the name in the label that it leaves on a request, and reason. Everything else of the group blocks.
const COUNTED: [(&str, &str, &str); 8] = [
    ("SizeRestrictions_BODY", "SizeRestrictions_Body", "Uploads and long prompts are larger than 8 kB."),
    ("CrossSiteScripting_BODY", "CrossSiteScripting_Body", "Prompts and files hold web pages."),
    ("GenericLFI_BODY", "GenericLFI_Body", "Prompts and files hold paths as `../src`."),
    ("GenericRFI_BODY", "GenericRFI_Body", "Prompts and agents' tools hold addresses of servers."),
    (
        "EC2MetaDataSSRF_BODY",
        "EC2MetaDataSSRF_Body",
        "Prompts ask about clouds; the tasks' metadata needs a token anyway.",
    ),
    (
        "RestrictedExtensions_URIPATH",
        "RestrictedExtensions_URIPath",
        "Sandboxes hold files as `app.log`, named in the path.",
    ),
    (
        "RestrictedExtensions_QUERYARGUMENTS",
        "RestrictedExtensions_QueryArguments",
        "The same, named in the query.",
    ),
    ("NoUserAgent_HEADER", "NoUserAgent_Header", "Webhooks come from programs."),
];

pub(super) fn exceptions() -> impl Iterator<Item = Block> {
    COUNTED.into_iter().map(|(rule, _, reason)| {
        block("rule_action_override")
            .note(reason)
            .text("name", rule)
            .nest(block("action_to_use").nest(block("count")))
    })
}

pub(super) fn labels() -> impl Iterator<Item = String> {
    COUNTED.into_iter().map(|(_, label, _)| format!("awswaf:managed:aws:core-rule-set:{label}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_its_rules_name_in_another_case() {
        for (rule, label, _) in COUNTED {
            assert!(rule.eq_ignore_ascii_case(label), "{rule}: {label}");
        }
    }
}
