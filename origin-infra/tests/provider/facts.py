"""What a made-up value would not do for: other expressions read it in a plan, or the policy scanner does."""

import json
from collections.abc import Callable
from typing import Any

from provider.values import UNKNOWN

ACCOUNT = "123456789012"


def zones(config: dict, region: str) -> dict:
    names = [f"{region}{letter}" for letter in "abc"]
    return {"names": names, "zone_ids": [f"use1-az{number}" for number in (1, 2, 3)], "id": region}


def caller(config: dict, region: str) -> dict:
    return {"account_id": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/tests", "user_id": "AIDATESTS"}


def region_of(config: dict, region: str) -> dict:
    asked = config.get("region") or region
    return {"region": asked, "name": asked, "id": asked}


def partition(config: dict, region: str) -> dict:
    names = {"dns_suffix": "amazonaws.com", "reverse_dns_prefix": "com.amazonaws"}
    return {"partition": "aws", "id": "aws", **names}


def policy_document(config: dict, region: str) -> dict:
    """The JSON of a policy, as IAM has it."""
    sources = [json.loads(text)["Statement"] for text in config.get("source_policy_documents") or []]
    statements = [*sum(sources, []), *map(statement, config.get("statement") or [])]
    policy = {"Version": config.get("version") or "2012-10-17", "Statement": statements}
    return {"json": json.dumps(policy), "minified_json": json.dumps(policy, separators=(",", ":"))}


def statement(config: dict) -> dict:
    fields = {
        "Sid": config.get("sid"),
        "Effect": config.get("effect") or "Allow",
        "Action": config.get("actions"),
        "NotAction": config.get("not_actions"),
        "Resource": config.get("resources"),
        "NotResource": config.get("not_resources"),
        "Principal": principals(config.get("principals")),
        "NotPrincipal": principals(config.get("not_principals")),
        "Condition": conditions(config.get("condition")),
    }
    return {name: value for name, value in fields.items() if value}


def principals(blocks: list[dict] | None) -> dict | str:
    named = {block["type"]: block["identifiers"] for block in blocks or []}
    return "*" if named == {"*": ["*"]} else named


def conditions(blocks: list[dict] | None) -> dict:
    tests: dict[str, dict] = {}
    for block in blocks or []:
        tests.setdefault(block["test"], {})[block["variable"]] = block["values"]
    return tests


def validation_options(value: dict) -> dict:
    """The real provider knows, while planning, which names there will be records for."""
    others = value.get("subject_alternative_names")
    names = [value.get("domain_name"), *(others if isinstance(others, list) else [])]
    unknown = {f"resource_record_{part}": UNKNOWN for part in ("name", "type", "value")}
    return {"domain_validation_options": [{"domain_name": name, **unknown} for name in dict.fromkeys(names)]}


READ: dict[str, Callable[[dict, str], dict[str, Any]]] = {
    "aws_availability_zones": zones,
    "aws_caller_identity": caller,
    "aws_region": region_of,
    "aws_partition": partition,
    "aws_iam_policy_document": policy_document,
}
PLAN: dict[str, Callable[[dict], dict[str, Any]]] = {"aws_acm_certificate": validation_options}
