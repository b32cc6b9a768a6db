"""Values between Terraform and a provider: what is unknown in a plan, and what is made up after it."""

from collections.abc import Callable
from typing import Any

import msgpack
from tf.gen import tfplugin_pb2 as pb

from provider.schema import is_computed, is_write_only, type_of

UNKNOWN = msgpack.ExtType(0, b"\x00")
MADE_UP = {"string": "made-up", "number": 1, "bool": False}

Leaf = Callable[[str, dict, Any], Any]


def read(value: pb.DynamicValue) -> Any:
    return msgpack.unpackb(value.msgpack, raw=False, strict_map_key=False)


def write(value: Any) -> pb.DynamicValue:
    return pb.DynamicValue(msgpack=msgpack.packb(value))


def is_unknown(value: Any) -> bool:
    return isinstance(value, msgpack.ExtType)


def updated(name: str, attribute: dict, value: Any) -> Any:
    """As proposed; but what is write-only is never kept."""
    return None if is_write_only(name, attribute) else value


def created(name: str, attribute: dict, value: Any) -> Any:
    """What only the provider can say is unknown until it has said it."""
    return UNKNOWN if value is None and is_computed(attribute) else updated(name, attribute, value)


def applied(name: str, attribute: dict, value: Any) -> Any:
    return known(value, type_of(attribute), name)


def read_back(name: str, attribute: dict, value: Any) -> Any:
    return made_up(type_of(attribute), name) if value is None and is_computed(attribute) else value


def made_up(kind: str | list, name: str) -> Any:
    """Something of the type. An ARN has the form of one: some are taken apart by what they are given to."""
    if isinstance(kind, str):
        address = kind == "string" and name.endswith("arn")
        return "arn:aws:made-up:us-east-1:123456789012:made/up" if address else MADE_UP.get(kind)
    # An object that nobody set stays so: made up, it would be a change in the next plan.
    return {"object": None, "map": {}}.get(kind[0], [])


def known(value: Any, kind: str | list, name: str) -> Any:
    """The value with everything unknown in it made up."""
    if is_unknown(value):
        return made_up(kind, name)
    if value is None or isinstance(kind, str):
        return value
    if kind[0] == "object":
        return {name: known(inner, kind[1][name], name) for name, inner in value.items()}
    if kind[0] == "map":
        return {key: known(inner, kind[1], name) for key, inner in value.items()}
    return [known(inner, kind[1], name) for inner in value]


def each(nesting: str, value: Any, change: Callable[[dict], dict]) -> Any:
    """Changes the objects in a block or a nested attribute, which stands once, or in a list, a set or a map."""
    if value is None or is_unknown(value):
        return value
    if nesting == "single":
        return change(value)
    if nesting == "map":
        return {key: change(inner) for key, inner in value.items()}
    return [change(inner) for inner in value]


def settle(entry: dict, value: dict, leaf: Leaf, nested: bool) -> dict:
    """The value with every attribute, at any depth, as `leaf` has it."""
    settled = {}
    for name, attribute in entry["attributes"].items():
        settled[name] = leaf(name, attribute, value.get(name))
        if nested and "attributes" in attribute:
            settled[name] = settle_all(attribute, settled[name], leaf, nested)
    for name, block in entry.get("blocks", {}).items():
        settled[name] = settle_all(block, value.get(name), leaf, nested)
    return settled


def settle_all(entry: dict, value: Any, leaf: Leaf, nested: bool) -> Any:
    return each(entry["nesting"], value, lambda inner: settle(entry, inner, leaf, nested))
