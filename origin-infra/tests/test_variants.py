"""Settings that he2.toml offers and does not use: what they emit is valid and plans, as the checked-in files do."""

import shutil
import subprocess
from collections.abc import Callable

import pytest

from conftest import ENVIRONMENTS, ROOT, needed
from working_copy import WorkingCopy

HE2 = ROOT.parent.parent / "he2.toml"
MUTUAL_TLS = ("mutual_tls = false", "mutual_tls = true")
BY_HAND = ("manage = true", "manage = false")
VARIANTS = {"mutual-tls": [MUTUAL_TLS], "by-hand": [BY_HAND], "both": [MUTUAL_TLS, BY_HAND]}
CA = ["-var=edge_ca=PEM"]
CERTIFICATE = ["-var=edge_certificate=PEM", "-var=edge_certificate_key=PEM"]
# What is given beside the usual: the edge's certificate where Terraform puts it into the zone.
GIVEN = {"mutual-tls": CA + CERTIFICATE, "by-hand": [], "both": CA}
ORIGIN_PULLS = {
    "cloudflare_authenticated_origin_pulls_certificate.edge[0]",
    "cloudflare_authenticated_origin_pulls_settings.edge[0]",
}


def edited(edits: list[tuple[str, str]]) -> str:
    text = HE2.read_text()
    for old, new in edits:
        assert text.count(f"\n{old}") == 1, f"he2.toml has no line that begins with: {old}"
        text = text.replace(f"\n{old}", f"\n{new}")
    return text


@pytest.fixture(scope="module")
def variant(providers, tmp_path_factory) -> Callable[[str], WorkingCopy]:
    needed("cargo", "https://rustup.rs")
    made: dict[str, WorkingCopy] = {}

    def emit(name: str) -> WorkingCopy:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            (folder / "he2.toml").write_text(edited(VARIANTS[name]))
            shutil.copytree(ROOT.parent / "lambda", folder / "emitted/lambda")
            done = subprocess.run(
                ["cargo", "run", "--quiet", "--package", "origin-infra", "--", "write",
                 "--from", str(folder / "he2.toml"), "--to", str(folder / "emitted/terraform")],
                cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            )
            assert done.returncode == 0, done.stderr
            made[name] = WorkingCopy.of(folder / "emitted/terraform", folder / "origin-infra", providers)
        return made[name]

    return emit


def addresses(plan: dict) -> set[str]:
    return {change["address"] for change in plan["resource_changes"]}


@pytest.mark.parametrize("name", VARIANTS)
def test_it_is_valid_and_formatted(name, variant):
    assert variant(name).faults() == ""
    assert variant(name).terraform("fmt", "-check", "-diff").stdout == ""


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("name", VARIANTS)
def test_it_plans(name, environment, variant, variables):
    plan = variant(name).plan(*variables(environment), *GIVEN[name], out=environment)
    made = addresses(plan)
    assert ("aws_lb_trust_store.edge" in made) == (MUTUAL_TLS in VARIANTS[name])
    assert ORIGIN_PULLS <= made or (name, environment) != ("mutual-tls", "production")
    of_cloudflare = {address for address in made if address.startswith("cloudflare_")}
    assert bool(of_cloudflare) == (BY_HAND not in VARIANTS[name])
    assert ("certificate_validation" in plan["planned_values"]["outputs"]) == (BY_HAND in VARIANTS[name])
