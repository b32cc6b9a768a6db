"""The emitted Terraform, with real Terraform against the real providers' schemas.

It is valid, it plans, phase by phase and as a whole, and what it has made it leaves alone.
"""

import re
import shlex

import pytest

from conftest import ENVIRONMENTS, ROOT

READMES = [ROOT.parent / "README.md", ROOT.parent.parent / "README.md"]


def phases() -> list[list[str]]:
    """The targets of every documented command that applies a part, in order."""
    text = "".join(readme.read_text() for readme in READMES if readme.exists())
    commands = re.findall(r"^ *terraform apply .*-target.*$", text.replace("\\\n", " "), re.MULTILINE)
    return [[word for word in shlex.split(command) if word.startswith("-target=")] for command in commands]


PHASES = phases()


def created(plan: dict) -> set[str]:
    """Addresses of what a plan makes; it must not touch anything else."""
    changes = [(change["address"], change["change"]["actions"]) for change in plan["resource_changes"]]
    assert [change for change in changes if change[1] not in (["create"], ["no-op"], ["read"])] == []
    return {address for address, actions in changes if actions == ["create"]}


def test_it_is_formatted_as_terraform_formats(copy):
    assert copy.terraform("fmt", "-check", "-diff", "-recursive", str(ROOT)).stdout == ""


def test_it_is_valid(copy):
    assert copy.faults() == ""


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_it_plans_in(environment, plans):
    assert created(plans[environment]) >= {"aws_lb.main", "aws_ecs_service.backend", "aws_wafv2_web_acl.main"}


def test_the_phases_of_the_design_are_documented():
    assert len(PHASES) >= 3, "README has `terraform apply … -target=…` for each but the last"


@pytest.mark.parametrize("targets", PHASES, ids=lambda targets: targets[0])
def test_a_phase_plans_on_its_own(targets, copy, variables):
    assert created(copy.plan(*variables("production"), *targets, out="phase"))


def test_phase_after_phase_makes_everything_and_then_nothing_changes(fresh_copy, variables):
    made: set[str] = set()
    for targets in [*PHASES, []]:
        new = created(fresh_copy.plan(*variables("production"), *targets, out="phase"))
        assert new - made, f"nothing new in {targets or 'the rest'}"
        made |= new
        fresh_copy.run("apply", "-input=false", "phase")
    assert created(fresh_copy.plan(*variables("production"))) == set()
