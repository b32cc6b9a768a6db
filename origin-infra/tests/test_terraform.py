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


@pytest.fixture(scope="module")
def phase_plans(copy, variables) -> list[dict]:
    """The plan of each phase, from nothing."""
    return [copy.plan(*variables("production"), *targets, out="phase") for targets in PHASES]


@pytest.mark.parametrize("phase", range(len(PHASES)), ids=lambda phase: PHASES[phase][0])
def test_a_phase_plans_on_its_own(phase, phase_plans):
    assert created(phase_plans[phase])


RUNNING = ("aws_ecs_service", "aws_lambda_function")
# What refers to a group, role or target group that it is attached to, which so can be made without it.
ATTACHED = {
    "aws_vpc_security_group_ingress_rule": "aws_security_group",
    "aws_vpc_security_group_egress_rule": "aws_security_group",
    "aws_iam_role_policy": "aws_iam_role",
    "aws_iam_role_policy_attachment": "aws_iam_role",
    "aws_lb_listener_rule": "aws_lb_target_group",
}


def references(expressions) -> set[str]:
    """Addresses of all resources that a resource's arguments refer to."""
    match expressions:
        case {"references": [*found]}:
            return {address for address in found if re.fullmatch(r"\w+\.\w+", address)}
        case dict():
            return set().union(*map(references, expressions.values()))
        case list():
            return set().union(*map(references, expressions))
    return set()


class Emitted:
    """What refers to what, as it is written; `depends_on` does not count."""

    def __init__(self, plan: dict):
        resources = plan["configuration"]["root_module"]["resources"]
        self.refers = {each["address"]: references(each.get("expressions", {})) for each in resources}

    def behind(self, address: str) -> set[str]:
        """All that it refers to, also through others."""
        found, todo = set(), {address}
        while todo:
            found |= todo
            todo = set().union(*(self.refers.get(each, set()) for each in todo)) - found
        return found

    def attached(self, to: set[str]) -> set[str]:
        def is_attached(address: str) -> bool:
            kind = ATTACHED.get(address.split(".")[0])
            return kind is not None and any(each.startswith(f"{kind}.") for each in self.refers[address] & to)

        return {address for address in self.refers if is_attached(address)}

    def needed(self, address: str) -> set[str]:
        """What must be there so that it can work: also the rules of the load balancer that leads to it."""
        needed = self.attached(self.behind(address))
        rules = {each for each in needed if each.startswith("aws_lb_listener_rule.")}
        balancers = {each for rule in rules for each in self.refers[rule] if each.startswith("aws_lb_listener.")}
        return needed.union(*(self.attached(self.behind(each)) for each in balancers))


def test_what_a_phase_starts_can_be_reached_and_may_do_its_work(phase_plans):
    emitted, made, started = Emitted(phase_plans[0]), set(), set()
    for targets, plan in zip(PHASES, phase_plans, strict=True):
        made |= created(plan)
        running = {address for address in created(plan) if address.split(".")[0] in RUNNING}
        missing = {address: sorted(emitted.needed(address) - made) for address in running}
        assert {address: rules for address, rules in missing.items() if rules} == {}, targets
        started |= running
    assert started == {address for address in emitted.refers if address.split(".")[0] in RUNNING}


def test_what_something_running_needs_is_found(phase_plans):
    emitted = Emitted(phase_plans[0])
    assert emitted.needed("aws_lambda_function.queue_depth") == {
        "aws_iam_role_policy.queue_depth",
        "aws_vpc_security_group_egress_rule.publisher_internet_443",
        "aws_vpc_security_group_egress_rule.publisher_to_redis",
        "aws_vpc_security_group_ingress_rule.redis_from_publisher",
    }
    assert emitted.needed("aws_ecs_service.workers") >= {
        "aws_iam_role_policy.workers_execution",
        "aws_iam_role_policy.workers_task",
        "aws_vpc_security_group_ingress_rule.redis_from_workers",
    }
    assert emitted.needed("aws_ecs_service.frontend") >= {
        "aws_lb_listener_rule.frontend_1",
        "aws_vpc_security_group_egress_rule.alb_to_frontend",
        "aws_vpc_security_group_ingress_rule.alb_cloudflare_ipv6",
        "aws_vpc_security_group_ingress_rule.frontend_from_alb",
    }


def test_phase_after_phase_makes_everything_and_then_nothing_changes(fresh_copy, variables):
    made: set[str] = set()
    for targets in [*PHASES, []]:
        new = created(fresh_copy.plan(*variables("production"), *targets, out="phase"))
        assert new - made, f"nothing new in {targets or 'the rest'}"
        made |= new
        fresh_copy.run("apply", "-input=false", "phase")
    assert created(fresh_copy.plan(*variables("production"))) == set()
    assert_redis_is_never_made_beside_itself(fresh_copy, variables)


def assert_redis_is_never_made_beside_itself(applied, variables):
    """Whatever has to be replaced of Redis and its password goes first: two cannot have one name."""
    replaced = ["random_password.redis_auth", "module.redis.terraform_data.stub"]
    plan = applied.plan(*variables("production"), *(f"-replace={address}" for address in replaced))
    actions = {change["address"]: change["change"]["actions"] for change in plan["resource_changes"]}
    for address in [*replaced, "aws_secretsmanager_secret_version.redis_auth"]:
        assert actions[address] == ["delete", "create"], address
