"""What the tests share. Without a program that a test needs, it is skipped loudly; in CI it fails."""

import json
import os
import shutil
from pathlib import Path

import pytest

from provider.server import serve
from working_copy import WorkingCopy

ROOT = Path(__file__).parent.parent / "terraform"
ENVIRONMENTS = ["production", "staging"]
# What is given when Terraform is run: secrets, and what each release changes.
GIVEN = {
    "origin_lock_secrets": ["a" * 40, "b" * 40],
    "image_tags": {"frontend": "1", "backend": "1", "workers": "1"},
}


def needed(program: str, where: str) -> None:
    """Skips, or fails in CI, where the program is not installed."""
    if shutil.which(program):
        return
    message = f"{program} is not installed, so this proves nothing: {where}"
    pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)


def pytest_terminal_summary(terminalreporter) -> None:
    """Skipped tests are not a line of dots."""
    for report in terminalreporter.stats.get("skipped", []):
        terminalreporter.write_line(f"NOT TESTED: {report.nodeid}: {report.longrepr[-1]}", red=True)


@pytest.fixture(scope="session")
def providers():
    """The environment in which Terraform finds the providers, served for the whole session."""
    needed("terraform", "https://developer.hashicorp.com/terraform/install")
    with serve() as environment:
        yield environment


@pytest.fixture(scope="session")
def copy(providers, tmp_path_factory) -> WorkingCopy:
    """The emitted root, shared by tests that apply nothing."""
    return WorkingCopy.of(ROOT, tmp_path_factory.mktemp("shared") / "origin-infra", providers)


@pytest.fixture
def fresh_copy(providers, tmp_path) -> WorkingCopy:
    return WorkingCopy.of(ROOT, tmp_path / "origin-infra", providers)


@pytest.fixture(scope="session")
def variables(tmp_path_factory):
    """The options that give an environment its values."""
    given = tmp_path_factory.mktemp("given") / "given.tfvars.json"
    given.write_text(json.dumps(GIVEN))
    return lambda environment: [f"-var-file={environment}.tfvars", f"-var-file={given}"]


@pytest.fixture(scope="session")
def plans(copy, variables) -> dict[str, dict]:
    """The plan of each environment, from nothing; beside the files as `{environment}.json`, too."""
    return {environment: copy.plan(*variables(environment), out=environment) for environment in ENVIRONMENTS}
