# Written by `cargo infra write` from he2.toml: change that, then write again.

# from he2.toml [service.*]: a repository for each service's image
locals {
  images = toset(["frontend", "backend", "workers"])
  image_lifecycle = {
    rules = [
      {
        rulePriority = 1
        description  = "What lost its tag, and the layers of failed pushes"
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = 7
        }
        action = {
          type = "expire"
        }
      },
      {
        rulePriority = 2
        description  = "Releases, far enough back for any rollback"
        selection = {
          tagStatus = "tagged"
          tagPatternList = [
            "*"
          ]
          countType   = "imageCountMoreThan"
          countNumber = 100
        }
        action = {
          type = "expire"
        }
      }
    ]
  }
}

module "ecr" {
  # checkov:skip=CKV_TF_1: modules of the registry are pinned by version, not by commit
  source          = "terraform-aws-modules/ecr/aws"
  version         = "3.0.1"
  for_each        = local.images
  repository_name = "${local.name}/${each.key}"
  # A tag is one build for ever: what was tested is what runs, and what a rollback finds.
  repository_image_tag_mutability = "IMMUTABLE"
  repository_image_scan_on_push   = true
  repository_encryption_type      = "KMS"
  repository_kms_key              = aws_kms_key.main.arn
  repository_lifecycle_policy     = jsonencode(local.image_lifecycle)
  # The module's own policy would let the whole account pull; the roles say who may.
  attach_repository_policy = false
  repository_force_delete  = !var.deletion_protection
}
