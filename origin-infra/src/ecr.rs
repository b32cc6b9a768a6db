//! One image repository per service.
//!
//! Decides what may be stored in them and for how long. Leaves out who may push and pull: `iam` says so, in the
//! roles, so the repositories have no policy of their own.

use he2_config::Config;

use crate::tf::{Block, Section, locals, module};

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    vec![Section::new(
        "from he2.toml [service.*]: a repository for each service's image",
        vec![names(config), repositories()],
    )]
}

fn names(config: &Config) -> Block {
    let names: Vec<String> = config.services().iter().map(|service| format!("{:?}", service.name)).collect();
    locals().expr("images", &format!("toset([{}])", names.join(", "))).expr("image_lifecycle", LIFECYCLE)
}

/// ECR applies the first rule that fits an image.
const LIFECYCLE: &str = r#"{
  rules = [
    {
      rulePriority = 1
      description  = "What lost its tag, and the layers of failed pushes"
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
      action       = { type = "expire" }
    },
    {
      rulePriority = 2
      description  = "Releases, far enough back for any rollback"
      selection    = { tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = 100 }
      action       = { type = "expire" }
    }
  ]
}"#;

fn repositories() -> Block {
    module("ecr")
        .skip("CKV_TF_1", "modules of the registry are pinned by version, not by commit")
        .text("source", "terraform-aws-modules/ecr/aws")
        .text("version", "3.0.1")
        .expr("for_each", "local.images")
        .expr("repository_name", "\"${local.name}/${each.key}\"")
        .note("A tag is one build for ever: what was tested is what runs, and what a rollback finds.")
        .text("repository_image_tag_mutability", "IMMUTABLE")
        .flag("repository_image_scan_on_push", true)
        .text("repository_encryption_type", "KMS")
        .expr("repository_kms_key", "aws_kms_key.main.arn")
        .expr("repository_lifecycle_policy", "jsonencode(local.image_lifecycle)")
        .note("The module's own policy would let the whole account pull; the roles say who may.")
        .flag("attach_repository_policy", false)
        .expr("repository_force_delete", "!var.deletion_protection")
}
