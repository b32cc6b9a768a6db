"""A provider's schema data, and the messages that say the same to Terraform.

An entry, `{attributes, blocks}`, is a provider's configuration, a resource, a data source or a nested block.
Modes of an attribute: R required, O optional, C computed, OC the last two, RC required and computed besides.
"""

import json
import re
from functools import cache
from pathlib import Path

from tf.gen import tfplugin_pb2 as pb

# The bytes of `write_only = true`, a field that is younger than the package with the protocol's messages.
WRITE_ONLY = b"\x58\x01"


def load(file: Path) -> dict:
    """The data with what is shared put in its places."""
    data = json.loads(file.read_text())
    entries = [*data["resources"].values(), *data["data"].values(), *data["shared"].values()]
    for entry in entries:
        resolve(entry, data["shared"])
    return data


def resolve(entry: dict, shared: dict) -> None:
    blocks = entry.get("blocks", {})
    for name, block in blocks.items():
        if "shared" in block:
            blocks[name] = shared[block["shared"]]
        else:
            resolve(block, shared)


@cache
def scalar_type(text: str) -> str | list:
    """`map(list(string))` in Terraform's JSON: ["map", ["list", "string"]]."""
    if outer := re.fullmatch(r"(\w+)\((.*)\)", text):
        return [outer[1], scalar_type(outer[2])]
    return "dynamic" if text == "any" else text


def type_of(attribute: dict) -> str | list:
    """The type in Terraform's JSON, of objects too."""
    if "attributes" not in attribute:
        return scalar_type(attribute["type"])
    of = ["object", {name: type_of(inner) for name, inner in attribute["attributes"].items()}]
    return of if attribute["nesting"] == "single" else [attribute["nesting"], of]


def is_computed(attribute: dict) -> bool:
    return "C" in attribute["mode"] and "R" not in attribute["mode"]


def is_write_only(name: str, attribute: dict) -> bool:
    """Providers name them so, and the data does not say it otherwise."""
    return name.endswith("_wo") and "C" not in attribute["mode"]


def attribute_message(name: str, attribute: dict, nested: bool) -> pb.Schema.Attribute:
    mode = attribute["mode"]
    message = pb.Schema.Attribute(
        name=name,
        required="R" in mode,
        optional="O" in mode,
        computed=is_computed(attribute),
        sensitive=attribute.get("sensitive", False),
    )
    if nested and "attributes" in attribute:
        message.nested_type.CopyFrom(nested_message(attribute))
    else:
        message.type = json.dumps(type_of(attribute)).encode()
    if is_write_only(name, attribute):
        message.MergeFromString(WRITE_ONLY)
    return message


def nested_message(attribute: dict) -> pb.Schema.Object:
    attributes = [attribute_message(name, inner, True) for name, inner in attribute["attributes"].items()]
    nesting = pb.Schema.Object.NestingMode.Value(attribute["nesting"].upper())
    return pb.Schema.Object(attributes=attributes, nesting=nesting)


def nested_block_message(name: str, block: dict, nested: bool) -> pb.Schema.NestedBlock:
    message = pb.Schema.NestedBlock(type_name=name, block=block_message(block, nested))
    message.nesting = pb.Schema.NestedBlock.NestingMode.Value(block["nesting"].upper())
    # Terraform takes no limits of a block that can stand only once anyway.
    if block["nesting"] != "single":
        message.min_items, message.max_items = block.get("min", 0), block.get("max", 0)
    return message


def block_message(entry: dict, nested: bool) -> pb.Schema.Block:
    attributes = [attribute_message(name, inner, nested) for name, inner in entry["attributes"].items()]
    blocks = [nested_block_message(name, inner, nested) for name, inner in entry.get("blocks", {}).items()]
    return pb.Schema.Block(attributes=attributes, block_types=blocks)


def schema_message(entry: dict, nested: bool) -> pb.Schema:
    return pb.Schema(block=block_message(entry, nested))


def provider_message(data: dict) -> pb.GetProviderSchema.Response:
    """All that a provider says of itself."""
    nested = data["nested_attributes"]
    # Public modules tell aws by this who calls it.
    agent = {"attributes": {"user_agent": {"type": "list(string)", "mode": "O"}}}
    return pb.GetProviderSchema.Response(
        provider=schema_message(data["provider_config"], nested),
        provider_meta=schema_message(agent, nested),
        resource_schemas={name: schema_message(entry, nested) for name, entry in data["resources"].items()},
        data_source_schemas={name: schema_message(entry, nested) for name, entry in data["data"].items()},
    )
