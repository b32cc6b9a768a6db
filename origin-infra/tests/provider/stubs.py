"""Registry modules without the registry: stubs made from what the real ones declare.

A stub takes the module's variables and gives its outputs, unknown in a plan, as the real ones are. That catches
unknown and missing inputs, wrong types and unknown outputs; what the module does with them stays unseen.
`inputs` is an output of stubs alone: what was given, for tests to look at.
"""

import json
import re
from pathlib import Path

MODULES = Path(__file__).parent / "modules"
REGISTRY = "registry.terraform.io"
# Where the repository does something with them while planning: as many as, or the same as, an input.
AS_MANY = {f"{tier}_subnets" for tier in ("public", "private", "elasticache", "database", "intra")}
SAME = {f"{tier}_cidr_blocks": tier for tier in AS_MANY} | {"vpc_cidr_block": "cidr", "azs": "azs"}
UNKNOWN = {
    "string": "terraform_data.stub.id",
    "number": "length(terraform_data.stub.id)",
    "bool": 'terraform_data.stub.id != ""',
    "list(string)": "[terraform_data.stub.id]",
    "list(set(string))": "[toset([terraform_data.stub.id])]",
}


def interfaces() -> dict[str, dict]:
    """By source, as a module call has it."""
    read = (json.loads(file.read_text()) for file in MODULES.glob("*.json"))
    return {interface["source"]: interface for interface in read}


def variable(name: str, declared: dict) -> str:
    default = f"\n  default = {declared['default']}" if "default" in declared else ""
    return f'variable "{name}" {{\n  type = {declared["type"]}{default}\n}}\n'


def value(name: str, kind: str, inputs: dict) -> str:
    if name in SAME and SAME[name] in inputs:
        return f"var.{SAME[name]}"
    if name in AS_MANY and name in inputs:
        return f"[for _ in var.{name} : {UNKNOWN['string']}]"
    return UNKNOWN.get(kind, "terraform_data.stub.output")


def source(interface: dict) -> str:
    inputs, kinds = interface["variables"], interface["output_types"]
    parts = [variable(name, declared) for name, declared in inputs.items()]
    given = "".join(f"    {name} = var.{name}\n" for name in inputs)
    parts.append(f'resource "terraform_data" "stub" {{\n  input = {{\n{given}  }}\n}}\n')
    outputs = {name: value(name, kinds.get(name, "string"), inputs) for name in interface["outputs"]}
    outputs["inputs"] = "terraform_data.stub.input"
    parts += [f'output "{name}" {{\n  value = {text}\n}}\n' for name, text in outputs.items()]
    return "\n".join(parts)


def calls(text: str) -> list[tuple[str, str]]:
    """Name and source of every module call in Terraform's own format."""
    return re.findall(r'^module "(\w+)" \{\n(?:.*\n)*?  source += "([^"]+)"', text, re.MULTILINE)


def install(root: Path) -> None:
    """Writes the stubs into a root module, and the manifest by which Terraform takes them for installed."""
    known = interfaces()
    entries = [{"Key": "", "Source": "", "Dir": "."}]
    for name, called in calls("\n".join(file.read_text() for file in sorted(root.glob("*.tf")))):
        assert called in known, f"{MODULES} does not say what {called} declares"
        folder = root / ".terraform/stubs" / name
        folder.mkdir(parents=True)
        (folder / "main.tf").write_text(source(known[called]))
        place = {"Source": f"{REGISTRY}/{called}", "Version": known[called]["version"]}
        entries.append({"Key": name, **place, "Dir": f".terraform/stubs/{name}"})
    manifest = root / ".terraform/modules/modules.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"Modules": entries}))
