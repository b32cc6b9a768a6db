"""What a policy scanner finds in the plan: nothing, but for what the emitted file gives a reason for."""

import json
import re
import subprocess

from conftest import ROOT, needed

# Wants modules by a commit's hash. Those of the registry have versions instead, and these are exact.
NOT_FOR_REGISTRY_MODULES = "CKV_TF_1"
SKIP = re.compile(r"# *checkov:skip=(\w+)(.*)")


def test_the_plan_fails_no_check_of_checkov(copy, plans):
    needed("checkov", ".tools/python runs these tests where it is")
    done = subprocess.run(
        ["checkov", "--file", "production.json", "--framework", "terraform_plan",
         "--skip-check", NOT_FOR_REGISTRY_MODULES, "--repo-root-for-plan-enrichment", ".",
         "--skip-download", "--quiet", "--compact", "--output", "json"],
        cwd=copy.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )
    report = json.loads(done.stdout)
    failed = report["results"]["failed_checks"]
    found = [f"{each['check_id']} {each['resource']}: {each['check_name']}" for each in failed]
    assert found == [], "\n".join(found)
    assert report["summary"]["parsing_errors"] == 0
    # Less would mean that it has not read the plan.
    assert report["summary"]["passed"] > 250
    assert report["summary"]["resource_count"] > 100


def test_whatever_is_skipped_has_its_reason_beside_it():
    skips = [skip for file in ROOT.glob("*.tf") for skip in SKIP.findall(file.read_text())]
    assert [(check, reason) for check, reason in skips if len(reason.strip(": ").split()) < 3] == []
