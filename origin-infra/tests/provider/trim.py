"""Writes schema/ and modules/: of larger data, what the emitted Terraform and its tests use.

    .tools/python python origin-infra/tests/provider/trim.py FOLDER [TYPE…]

FOLDER holds `provider-schema/*.json`, one per provider, and `module-interfaces/*.json`, one per module; each
names its origin in `source`. Types are those of origin-infra/terraform, of the tests, and those that are named.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent
KINDS = ("resources", "data")
# One that occurs once in a file, or is short, is not worth a name.
SHARED_FROM = 200
# What the packages' data says nothing of: attributes that Terraform hides in its output.
SENSITIVE = {
    "random_password": ["result", "bcrypt_hash"],
    "aws_elasticache_replication_group": ["auth_token"],
    "aws_secretsmanager_secret_version": ["secret_string", "secret_binary"],
}
# Nested attributes came with version 6 of the protocol; the other providers write object types.
NESTED_ATTRIBUTES = ["cloudflare/cloudflare"]


def emitted() -> str:
    return "".join(file.read_text() for file in (HERE / "../../terraform").glob("*.tf"))


def used(kind: str) -> set[str]:
    """Types that the repository names, in Terraform files and in the Python of the tests."""
    tests = (file.read_text() for file in (HERE / "..").glob("*.py"))
    declared = re.compile(rf'^{kind} "(\w+)" "', re.MULTILINE)
    return {name for text in (emitted(), *tests) for name in declared.findall(text)}


def shorten(schema: dict) -> dict:
    """Blocks that repeat (a web ACL repeats its statements at every depth) are written once, under a name."""
    share = Shared(entry for kind in KINDS for entry in schema[kind].values())
    short = {kind: {name: share.shorten(entry) for name, entry in schema[kind].items()} for kind in KINDS}
    legend = f"{schema['legend']}; shared: a block that stands under this name below"
    return {**schema, "legend": legend, **short, "shared": share.blocks}


class Shared:
    def __init__(self, entries: Iterable[dict]):
        self.counts: Counter[str] = Counter()
        self.names: dict[str, str] = {}
        self.blocks: dict[str, dict] = {}
        for entry in entries:
            self.count(entry)

    def count(self, entry: dict) -> None:
        for block in entry.get("blocks", {}).values():
            self.counts[json.dumps(block)] += 1
            self.count(block)

    def shorten(self, entry: dict) -> dict:
        blocks = {name: self.refer(name, block) for name, block in entry.get("blocks", {}).items()}
        return {**entry, "blocks": blocks} if blocks else entry

    def refer(self, name: str, block: dict) -> dict:
        text = json.dumps(block)
        if self.counts[text] < 2 or len(text) < SHARED_FROM:
            return self.shorten(block)
        if text not in self.names:
            self.names[text] = f"{name}-{len(self.names)}"
            self.blocks[self.names[text]] = self.shorten(block)
        return {"shared": self.names[text]}


def mark_sensitive(resources: dict) -> None:
    for name in SENSITIVE.keys() & resources.keys():
        for attribute in SENSITIVE[name]:
            resources[name]["attributes"][attribute]["sensitive"] = True


def trim_schema(schema: dict, resources: set[str], data: set[str]) -> dict:
    schema["resources"] = {name: entry for name, entry in schema["resources"].items() if name in resources}
    schema["data"] = {name: entry for name, entry in schema["data"].items() if name in data}
    schema["nested_attributes"] = schema["provider"] in NESTED_ATTRIBUTES
    mark_sensitive(schema["resources"])
    return shorten(schema)


def lines(value: dict) -> str:
    """JSON with one type, or one variable, to a line: a change of one is a change of one line."""
    parts = []
    for key, part in value.items():
        if isinstance(part, dict) and part:
            inner = ",\n".join(f"    {json.dumps(name)}: {json.dumps(entry)}" for name, entry in part.items())
            parts.append(f"  {json.dumps(key)}: {{\n{inner}\n  }}")
        else:
            parts.append(f"  {json.dumps(key)}: {json.dumps(part)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def write_schemas(folder: Path, resources: set[str], data: set[str]) -> None:
    known = {"terraform_data"}
    for file in sorted(folder.glob("*.json")):
        schema = json.loads(file.read_text())
        known |= schema["resources"].keys() | schema["data"].keys()
        if f'"{schema["provider"]}"' in emitted():
            name = schema["provider"].split("/")[1]
            (HERE / f"schema/{name}.json").write_text(lines(trim_schema(schema, resources, data)))
    if missing := sorted((resources | data) - known):
        sys.exit(f"no schema in {folder} for: {' '.join(missing)}")


def write_modules(folder: Path) -> None:
    for file in sorted(folder.glob("*.json")):
        interface = json.loads(file.read_text())
        if f'"{interface["source"]}"' in emitted():
            (HERE / "modules" / file.name).write_text(lines(interface))


def main(folder: Path, also: set[str]) -> None:
    write_modules(folder / "module-interfaces")
    write_schemas(folder / "provider-schema", used("resource") | also, used("data") | also)


if __name__ == "__main__":
    main(Path(sys.argv[1]), set(sys.argv[2:]))
