"""The design's promises, as `terraform test` asks them; see terraform/promises.tftest.hcl."""

import re
import shutil
from pathlib import Path

import pytest

from conftest import ENVIRONMENTS, ROOT
from working_copy import WorkingCopy

PROMISES = Path(__file__).parent / "terraform/promises.tftest.hcl"


def ask(copy: WorkingCopy) -> None:
    """Puts the promises where `terraform test` looks for them."""
    (copy.folder / "tests").mkdir(exist_ok=True)
    shutil.copy(PROMISES, copy.folder / "tests")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_promises_are_kept_in(environment, copy, variables):
    ask(copy)
    assert "Success!" in copy.run("test", *variables(environment))


@pytest.mark.parametrize("kind", ["aws_ecs_service", "aws_lb_listener", "aws_lb_listener_rule"])
def test_the_promises_are_asked_of_every(kind):
    emitted = "".join(file.read_text() for file in ROOT.glob("*.tf"))
    names = re.findall(rf'^resource "{kind}" "(\w+)"', emitted, re.MULTILINE)
    asked = PROMISES.read_text()
    assert names
    assert [name for name in names if f"{kind}.{name}" not in asked] == []


# What workers must not have.
LOAD_BALANCER = """\
  load_balancer {
    target_group_arn = aws_lb_target_group.backend.arn
    container_name   = "workers"
    container_port   = 8000
  }
"""
BROKEN = {
    "one primary and two replicas": (r"cluster_size( +)= 3", r"cluster_size\1= 2"),
    "A replica of Redis takes over": (r"automatic_failover_enabled( +)= true", r"automatic_failover_enabled\1= false"),
    "replicas of Redis are in other zones": (r"multi_az_enabled( +)= true", r"multi_az_enabled\1= false"),
    "Redis encrypts what it keeps": (
        r"at_rest_encryption_enabled( +)= true", r"at_rest_encryption_enabled\1= false",
    ),
    "Redis encrypts what it sends": (
        r"transit_encryption_enabled( +)= true", r"transit_encryption_enabled\1= false",
    ),
    "Redis asks for a password": (r"auth_token( +)= random_password.redis_auth.result", r"auth_token\1= null"),
    "A full Redis refuses": ('"noeviction"', '"allkeys-lru"'),
    "No task has a public address": (r"assign_public_ip( +)= false", r"assign_public_ip\1= true"),
    "asks for the origin lock": (r'"x-he2-origin-lock"', '"x-another"'),
    "The first task of every service": (r'"FARGATE"\n( +weight)', r'"FARGATE_SPOT"\n\1'),
    "No task of backend or workers is on Spot": (r'"FARGATE"\n( +weight)', r'"FARGATE_SPOT"\n\1'),
    "Workers take no traffic": (r'(resource "aws_ecs_service" "workers" \{\n)', rf"\1{LOAD_BALANCER}"),
    "What no rule takes is refused": (r'status_code( +)= "403"', r'status_code\1= "200"'),
    "The load balancer speaks TLS only": (r'protocol( +)= "HTTPS"', r'protocol\1= "HTTP"'),
    "Production refuses to be destroyed": (
        r"enable_deletion_protection( +)= var.deletion_protection", r"enable_deletion_protection\1= false",
    ),
    "each zone's own NAT": (r"one_nat_gateway_per_az( +)= !var.single_nat", r"one_nat_gateway_per_az\1= false"),
    "Environments share no names": (r'"\$\{var\.name\}-\$\{var\.environment\}"', "var.name"),
}


@pytest.fixture(scope="module")
def complaints(providers, variables, tmp_path_factory) -> str:
    """What is said of a root that breaks them all."""
    broken = WorkingCopy.of(ROOT, tmp_path_factory.mktemp("broken") / "origin-infra", providers)
    unbroken = set(BROKEN)
    for file in broken.folder.glob("*.tf"):
        text = file.read_text()
        for promise, change in BROKEN.items():
            text, changes = re.subn(*change, text)
            unbroken -= {promise} if changes else set()
        file.write_text(text)
    assert unbroken <= {"No task of backend or workers is on Spot"}, "the row before breaks it as well"
    ask(broken)
    done = broken.terraform("test", *variables("production"))
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize("complaint", BROKEN)
def test_a_broken_promise_is_found(complaint, complaints):
    assert complaint in complaints
