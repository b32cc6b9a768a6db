"""Terraform's providers without their programs: schema data served over the plugin protocol.

Terraform core checks a configuration against what a provider says of itself, so a process that answers with
the schema is enough for `init`, `validate`, `plan`, `apply` and `test`, with no network and no account.

What stays unseen: values that only the real provider refuses (enums, malformed ARNs, arguments that exclude
each other, a list that is too long), what AWS refuses, and deprecations.
"""
