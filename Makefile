# Every command a person needs. What is missing on the machine is installed by .tools/.
.DEFAULT_GOAL := help
.PHONY: help dev build test conformance check fuzz bench soak deploy clean

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-12s  %s\n", $$1, $$2 }'

dev: build ## run the Worker at http://127.0.0.1:8787 [ORIGIN=url] [ISSUER=url] [PORT=number]
	@exec .tools/with node tests/dev.mjs

build: ## build the Worker into edge/build
	@.tools/build

test: build ## run every test: native, the Terraform in Terraform, the built Worker in workerd
	@.tools/nextest run --workspace
	@.tools/infra-tests
	@.tools/build tests/extra.toml
	@npm --prefix tests test

conformance: ## run the public HTTP cache tests through the Worker [ID=test: one, with its messages]
	@.tools/build tests/conformance/suite.toml
	@.tools/with node tests/conformance/run.mjs $(if $(ID),--id=$(ID))

check: build ## check format, lints and both deployments, without deploying
	@.tools/with cargo fmt --all --check
	@.tools/with cargo fmt --check --manifest-path edge/core/fuzz/Cargo.toml
	@.tools/with cargo clippy --workspace --all-targets --locked -- -D warnings
	@.tools/wrangler staging --dry-run
	@.tools/wrangler production --dry-run

fuzz: ## give the parsers of credentials made-up input [SECONDS=20 each]
	@.tools/fuzz $(SECONDS)

bench: build ## measure the Worker beside others that do the same [QUICK=1: two minutes]
	@.tools/bench

soak: build ## hold 500 event streams open for minutes, then send the pages' traffic for as long [MINUTES=5] [QUICK=1: a minute each]
	@MINUTES=$(MINUTES) QUICK=$(QUICK) .tools/with node tests/soak/run.mjs

deploy: build ## deploy to Cloudflare, ENV=staging or ENV=production
	@.tools/wrangler "$(ENV)"

clean: ## remove what was built here; the tools in the cache stay
	@rm -rf target edge/build edge/build-* tests/node_modules .wrangler
