//! Rules of AWS's common group that only count here, each with the reason.

use crate::tf::{Block, block};

/// Rule and reason. Everything else of the group blocks.
const COUNTED: [(&str, &str); 8] = [
    ("SizeRestrictions_BODY", "Uploads and long prompts are larger than 8 kB."),
    ("CrossSiteScripting_BODY", "Prompts and files hold web pages."),
    ("GenericLFI_BODY", "Prompts and files hold paths as `../src`."),
    ("GenericRFI_BODY", "Prompts and agents' tools hold addresses of servers."),
    ("EC2MetaDataSSRF_BODY", "Prompts ask about clouds; the tasks' metadata needs a token anyway."),
    ("RestrictedExtensions_URIPATH", "Sandboxes hold files as `app.log`, named in the path."),
    ("RestrictedExtensions_QUERYARGUMENTS", "The same, named in the query."),
    ("NoUserAgent_HEADER", "Webhooks come from programs."),
];

pub(super) fn exceptions() -> impl Iterator<Item = Block> {
    COUNTED.into_iter().map(|(rule, reason)| {
        block("rule_action_override")
            .note(reason)
            .text("name", rule)
            .nest(block("action_to_use").nest(block("count")))
    })
}
