"""The check itself: it finds nothing wrong where all is well, and what is wrong wherever it is planted."""

import pytest

from working_copy import WorkingCopy

SOUND = """\
terraform {
  required_providers {
    aws        = { source = "hashicorp/aws" }
    cloudflare = { source = "cloudflare/cloudflare" }
  }
}

module "ecr" {
  source          = "terraform-aws-modules/ecr/aws"
  version         = "3.0.1"
  repository_name = "he2"
}

resource "aws_lb" "main" {
  name         = "he2"
  idle_timeout = 120

  access_logs {
    bucket = "logs"
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.main.arn
  port              = 443

  default_action {
    type = "fixed-response"
  }
}

resource "cloudflare_ruleset" "main" {
  zone_id = "zone"
  name    = "he2"
  kind    = "zone"
  phase   = "http_request_firewall_managed"
  rules   = [{ action = "block", expression = "true" }]
}

output "url" {
  value = module.ecr.repository_url
}
"""
ACTION = """
  default_action {
    type = "fixed-response"
  }
"""
PLANTED = {
    "unknown argument": ("idle_timeout ", "idle_timeouts", '"idle_timeouts" is not expected here'),
    "unknown block": ("access_logs {", "access_log {", 'Blocks of type "access_log" are not expected here'),
    "unknown type": ('"aws_lb" "main"', '"aws_lbs" "main"', 'does not support resource type "aws_lbs"'),
    "block for attribute": (
        'rules   = [{ action = "block", expression = "true" }]',
        'rules {\n    action     = "block"\n    expression = "true"\n  }',
        'Blocks of type "rules" are not expected here',
    ),
    "attribute for block": ("access_logs {", "access_logs = {", '"access_logs" is not expected here'),
    "wrong type": ("= 120", '= "long"', "a number is required"),
    "wrong type in a nested attribute": ('action = "block"', "action = []", "string required"),
    "missing required argument": ('  kind    = "zone"\n', "", 'The argument "kind" is required'),
    "missing required block": (ACTION, "", "At least 1 \"default_action\" blocks are required"),
    "bad reference": ("aws_lb.main.arn", "aws_lb.other.arn", '"aws_lb" "other" has not been declared'),
    "unknown attribute": ("aws_lb.main.arn", "aws_lb.main.urn", "no argument, nested block, or exported"),
    "cycle": ('name         = "he2"', "name         = aws_lb_listener.https.arn", "Cycle"),
    "unknown module input": ("repository_name ", "repository_names", '"repository_names" is not expected here'),
    "wrong type of a module input": ('= "he2"\n}', "= []\n}", "string required"),
    "unknown module output": ("repository_url", "repository_uri", 'have an attribute named "repository_uri"'),
}


@pytest.fixture(scope="session")
def sound(providers, tmp_path_factory) -> WorkingCopy:
    return WorkingCopy.from_text(SOUND, tmp_path_factory.mktemp("planted") / "root", providers)


@pytest.fixture
def rewritten(sound):
    """Writes another text into the copy, whose modules and providers stay those of the sound one."""
    main = sound.folder / "main.tf"

    def rewrite(text: str) -> WorkingCopy:
        main.write_text(text)
        return sound

    yield rewrite
    main.write_text(SOUND)


def test_nothing_is_wrong_where_all_is_well(sound):
    assert sound.faults() == ""
    assert len(sound.plan()["resource_changes"]) == 4


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_error_is_found(rewritten, name):
    right, wrong, complaint = PLANTED[name]
    assert SOUND.count(right) == 1, "planted in one place"
    faults = rewritten(SOUND.replace(right, wrong)).faults()
    assert complaint in " ".join(faults.split())


def test_a_module_of_another_version_is_not_taken_for_the_one_that_is_known(rewritten):
    faults = rewritten(SOUND.replace('"3.0.1"', '"3.2.0"')).faults()
    assert "Module version requirements have changed" in faults
