"""A copy of a root module in which real Terraform runs without network, account or state elsewhere."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from provider import stubs

# State stays in the copy, wherever the original keeps it.
LOCAL_STATE = 'terraform {\n  backend "local" {}\n}\n'
# No call home, no settings of whoever runs the tests, plain text.
SETTINGS = {
    "CHECKPOINT_DISABLE": "1",
    "TF_CLI_CONFIG_FILE": os.devnull,
    "TF_IN_AUTOMATION": "1",
    "TF_CLI_ARGS": "-no-color",
}


class WorkingCopy:
    """`environment` says where the providers are served."""

    def __init__(self, folder: Path, environment: dict[str, str]):
        self.folder = folder
        self.environment = environment

    @classmethod
    def of(cls, root: Path, project: Path, environment: dict[str, str]) -> "WorkingCopy":
        """Copies the folder that `root` is in as well: what a root reads beside itself, it finds there."""
        ignore = shutil.ignore_patterns(".*", "__pycache__", "src", "tests")
        shutil.copytree(root.parent, project, ignore=ignore)
        copy = cls(project / root.name, environment)
        copy.prepare()
        return copy

    @classmethod
    def from_text(cls, text: str, folder: Path, environment: dict[str, str]) -> "WorkingCopy":
        folder.mkdir(parents=True)
        (folder / "main.tf").write_text(text)
        copy = cls(folder, environment)
        copy.prepare()
        return copy

    def prepare(self) -> None:
        (self.folder / "state_override.tf").write_text(LOCAL_STATE)
        stubs.install(self.folder)
        self.run("init", "-get=false", "-input=false")

    def terraform(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder, env={**os.environ, **SETTINGS, **self.environment},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )

    def run(self, *arguments: str) -> str:
        """Runs what must succeed."""
        done = self.terraform(*arguments)
        assert done.returncode == 0, f"terraform {' '.join(arguments)}\n{done.stderr or done.stdout}"
        return done.stdout

    def faults(self) -> str:
        """What `validate` says of the copy; nothing, if it is valid."""
        report = json.loads(self.terraform("validate", "-json").stdout)
        return "\n".join(f"{each['summary']}: {each.get('detail', '')}" for each in report["diagnostics"])

    def plan(self, *arguments: str, out: str = "plan") -> dict:
        """A plan as Terraform's JSON, which is also beside it in `{out}.json`."""
        self.run("plan", "-refresh=false", "-input=false", f"-out={out}", *arguments)
        text = self.run("show", "-json", out)
        (self.folder / f"{out}.json").write_text(text)
        return json.loads(text)
