# The two commands of a new user: `make demo` and `make test`. `make help` lists the rest.
#
# Build output and tools are kept outside the clone, so that a second clone starts with the dependencies built:
# in $ATTRIUM_CACHE, or ~/.cache/attrium when it is not set.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

CACHE ?= $(or $(ATTRIUM_CACHE),$(HOME)/.cache/attrium)
export CARGO_TARGET_DIR ?= $(CACHE)/target

ATTRIUM := $(CARGO_TARGET_DIR)/release/attrium
TOOLS := $(CACHE)/tools
DENY_VERSION := 0.20.2
CYCLONEDX_VERSION := 0.5.9
FUZZ_VERSION := 0.13.2
# What `make fuzz` and `make fuzz-night` give to each target.
FUZZ_SECONDS ?= 60
FUZZ_TEXT_RUNS ?= 10000000
FUZZ_IMAGE_RUNS ?= 1000000
SIMULATION_STEPS ?= 1000000
# Of intervals, thresholds, patients who come twice, recalibrations and control charts: examples of attrium-evaluation.
SIMULATIONS := coverage thresholds clusters recalibration monitor
# Compiles the feature `cuda` where there is no CUDA toolkit; nothing so compiled runs.
CUDA := DOCS_RS=1 CUDARC_CUDA_VERSION=12080
SCRIPTS := .ci/run .ci/reproducible fuzz/run images/bases benches/run benches/peers benches/learning/run benches/learning/few benches/reconcile benches/station examples/demo/run examples/ci/retrain tests/chart/check \
  $(addprefix tests/cluster/,build component down exports image install load-image run try up upload)

# No path of this machine is in what is built: sources of dependencies, generated files and the compiler's
# own go by other names. Not the clone's, which is in no path that the compiler is given, and which would make
# a second clone compile the dependencies again. RUSTFLAGS takes the place of these flags.
CARGO_FOLDER := $(or $(CARGO_HOME),$(HOME)/.cargo)
RUSTUP_FOLDER := $(or $(RUSTUP_HOME),$(HOME)/.rustup)
REMAPPED := $(CARGO_FOLDER)=/cargo $(RUSTUP_FOLDER)=/rustup $(CARGO_TARGET_DIR)=/target
export CARGO_BUILD_RUSTFLAGS := $(addprefix --remap-path-prefix=,$(REMAPPED))
# Once, however often make calls itself: other flags would compile all of C again.
MAPPED := $(addprefix -ffile-prefix-map=,$(REMAPPED))
export CFLAGS := $(filter-out $(MAPPED),$(CFLAGS)) $(MAPPED)

# Debian's packages: a C compiler for TLS and JPEG 2000, one for the other architecture, a browser that opens
# the report, a linter.
BUILD_PACKAGES := gcc libc6-dev
ARM64_PACKAGES := gcc-aarch64-linux-gnu libc6-dev-arm64-cross
TEST_PACKAGES := chromium fonts-dejavu-core dcmtk dicom3tools openssl
CHECK_PACKAGES := shellcheck

.PHONY: help build programs demo test check fmt clippy doc generated deny scripts chart unit cluster-test cluster cluster-down \
  advisories sbom reproducible arm64 bases fuzz fuzz-night simulate coverage sanitize bench bench-peers bench-learning bench-kernels bench-reconcile bench-station crds chart-readme own-output build-packages check-packages \
  test-packages clean-demo

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The binary alone, of which the features are those that all packages ask for together: what is built then serves
# the tests too.
build: build-packages ## Build the attrium binary
	cargo build --release --locked --bin attrium

programs: build-packages ## Build the binary and all tests, side by side
	cargo test --release --locked --no-run --lib --bins --test integration --test cluster

demo: build ## Make a synthetic cohort, train on it, screen with the result, show the report
	examples/demo/run $(ATTRIUM)

clean-demo: ## Forget the demo's cohort and results
	rm -rf demo

# The scenarios mostly wait for a cluster, and so run beside the tests; each tells what it has to say when it ends.
test: fmt scripts clippy programs check ## Run every check and every test
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target unit cluster-test
	@$(call count,test.log cluster-test.log)

check: fmt scripts build-packages clippy generated chart doc deny ## Run the checks without the tests

fmt: ## Check the formatting
	cargo fmt --all --check

# All targets are all but the scenarios, whatever else is named beside them.
clippy: build-packages ## Check the code, the feature `cuda` too, with warnings denied
	$(CUDA) cargo clippy --release --locked --all-targets --features cuda -- -D warnings
	$(CUDA) cargo clippy --release --locked --test cluster --features cuda -- -D warnings

scripts: check-packages ## Check the shell scripts
	shellcheck $(SCRIPTS)

generated: build ## Check that crds/, and the chart's copy of it, are what the types generate
	scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	$(ATTRIUM) crds --out "$$scratch" && diff -ru crds "$$scratch" && diff -ru charts/attrium/files/crds "$$scratch"

chart: ## Check the chart: lint, every optional part, values that are refused
	tests/cluster/build helm helm-docs
	PATH="$(CACHE)/cluster/bin:$$PATH" tests/chart/check

doc: build-packages ## Build the documentation with warnings denied
	$(CUDA) RUSTDOCFLAGS='-D warnings' cargo doc --release --locked --no-deps --features cuda

deny: $(TOOLS)/bin/cargo-deny ## Check the licences and sources of the dependencies
	cargo fetch --quiet --locked
	$(TOOLS)/bin/cargo-deny --offline --all-features check bans licenses sources

advisories: $(TOOLS)/bin/cargo-deny ## Check the dependencies against the RustSec advisories of today; needs a network
	$(TOOLS)/bin/cargo-deny --locked --all-features check advisories

# Of what FEATURES add as well. The tool writes a file for each crate, of which only the program's is kept.
sbom: $(TOOLS)/bin/cargo-cyclonedx ## Write what the program is made of, as CycloneDX, beside the program
	PATH="$(TOOLS)/bin:$$PATH" cargo cyclonedx --quiet --format json --spec-version 1.5 --no-build-deps \
	  $(if $(FEATURES),--features $(FEATURES)) --override-filename attrium-sbom
	mkdir -p $(CARGO_TARGET_DIR)/release
	sed 's|file://$(CURDIR)|file:///attrium|g' attrium-sbom.json >$(CARGO_TARGET_DIR)/release/attrium.cdx.json
	rm -f attrium-sbom.json crates/*/attrium-sbom.json fuzz/attrium-sbom.json
	@echo $(CARGO_TARGET_DIR)/release/attrium.cdx.json

reproducible: build-packages ## Build the last commit twice, from two folders, and compare the programs
	.ci/reproducible

arm64: build-packages ## Check that the program compiles for the other architecture
	@command -v aarch64-linux-gnu-gcc >/dev/null || { $(call debian_packages,$(ARM64_PACKAGES)); }
	rustup target add aarch64-unknown-linux-gnu
	CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc cargo check --locked --target aarch64-unknown-linux-gnu \
	  --package attrium

bases: ## Pin the images that ours are built on by their digests of today; needs a network and docker
	images/bases pin

unit: build-packages test-packages ## Run the tests
	set -o pipefail; cargo test --release --locked 2>&1 | tee "$(CARGO_TARGET_DIR)/test.log"
	@$(call count,test.log)

cluster-test: build ## Run the scenarios on a Kubernetes that is started for them; needs root
	set -o pipefail; tests/cluster/run 2>&1 | tee "$(CARGO_TARGET_DIR)/cluster-test.log"

cluster: build ## Start a Kubernetes with attrium on this machine, and leave it running; needs root
	tests/cluster/build
	tests/cluster/try $(ATTRIUM)

cluster-down: ## Stop that Kubernetes and remove its state
	tests/cluster/down --clean

# The corpora that grow while fuzzing are kept apart from those of the repository.
FUZZ := PATH="$(TOOLS)/bin:$$PATH" CARGO_TARGET_DIR="$(CACHE)/fuzz" FUZZ_CORPUS="$(CACHE)/fuzz-corpus" fuzz/run

fuzz: $(TOOLS)/bin/cargo-fuzz ## Fuzz each input parser for FUZZ_SECONDS (60)
	$(FUZZ) "-max_total_time=$(FUZZ_SECONDS)" "-max_total_time=$(FUZZ_SECONDS)"

fuzz-night: $(TOOLS)/bin/cargo-fuzz ## Fuzz each parser of text FUZZ_TEXT_RUNS (10^7) times, of images FUZZ_IMAGE_RUNS (10^6)
	$(FUZZ) "-runs=$(FUZZ_TEXT_RUNS)" "-runs=$(FUZZ_IMAGE_RUNS)"

simulate: build-packages ## Simulate the operator for SIMULATION_STEPS (1000000)
	ATTRIUM_SIMULATION_STEPS=$(SIMULATION_STEPS) cargo test --release --locked --package attrium-operator --lib simulation

coverage: build-packages ## Simulate how often intervals and recalibrations hold what they promise; fails where they do not
	@for simulation in $(SIMULATIONS); do \
	  echo "$$simulation" && \
	  cargo run --quiet --release --locked --package attrium-evaluation --example "$$simulation" || exit 1; \
	done

sanitize: ## Run the engine's tests with the address sanitiser; needs a nightly compiler
	RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR="$(CACHE)/engine" cargo +nightly test --release --locked \
	  --package attrium-engine --target x86_64-unknown-linux-gnu --lib

bench: build-packages ## Measure decoding, cropping and memory against their bars
	benches/run

bench-peers: build-packages ## Measure training, inference, an epoch and a screening against PyTorch and its like
	benches/peers

bench-learning: build-packages ## Compare networks with those of PyTorch on the same synthetic cohorts
	benches/learning/run

bench-kernels: build-packages ## Measure each kernel of the engine against the processor's peak
	cargo bench --locked --package attrium-engine --bench kernels

bench-reconcile: build-packages ## Measure the operator against a real API server; needs root
	benches/reconcile

bench-station: build test-packages ## Measure a station's intake against Orthanc and storescp, and the time to a message
	@command -v Orthanc >/dev/null || { $(call debian_packages,orthanc); }
	benches/station $(ATTRIUM)

crds: build ## Write crds/, and the chart's copy of it, from the types
	$(ATTRIUM) crds --out crds
	$(ATTRIUM) crds --out charts/attrium/files/crds

chart-readme: ## Write the chart's README from values.yaml
	tests/cluster/build helm-docs
	$(CACHE)/cluster/bin/helm-docs --chart-search-root charts --log-level error

$(TOOLS)/bin/cargo-deny:
	cargo install --locked --debug --root $(TOOLS) cargo-deny@$(DENY_VERSION)

$(TOOLS)/bin/cargo-cyclonedx:
	cargo install --locked --root $(TOOLS) cargo-cyclonedx@$(CYCLONEDX_VERSION)

$(TOOLS)/bin/cargo-fuzz:
	cargo install --locked --root $(TOOLS) cargo-fuzz@$(FUZZ_VERSION)

# Says how many tests the logs of these names tell of.
count = cd "$(CARGO_TARGET_DIR)" && awk '/^test result:/ { passed += $$4; failed += $$6; ignored += $$8 } \
  END { printf "%d passed, %d failed, %d skipped\n", passed, failed, ignored }' $(1)

# Installs what is missing where this user may, and names it where not.
define debian_packages
missing=$$({ dpkg-query -W -f '$${Package} $${db:Status-Abbrev}\n' $(1) 2>/dev/null || true; } | awk '$$2 == "ii" { print $$1 }' \
  | sort | comm -13 - <(printf '%s\n' $(1) | sort)); \
if [ -n "$$missing" ]; then \
  if [ "$$(id -u)" = 0 ]; then apt=; elif sudo -n true 2>/dev/null; then apt=sudo; else \
    echo "Install these packages, then run make again: " $$missing >&2; exit 1; fi; \
  $$apt apt-get update -q && $$apt apt-get install -qy --no-install-recommends $$missing; \
fi
endef

build-packages: own-output
	@command -v cc >/dev/null || { $(call debian_packages,$(BUILD_PACKAGES)); }

# Cargo goes by the times of files: what another clone has built since they were written passes for theirs.
own-output:
	@mkdir -p $(CARGO_TARGET_DIR)
	@if [ "$$(cat $(CARGO_TARGET_DIR)/clone 2>/dev/null)" != "$(CURDIR)" ]; then \
	  cargo clean --quiet --release --workspace && echo "$(CURDIR)" >$(CARGO_TARGET_DIR)/clone; \
	fi

check-packages:
	@command -v shellcheck >/dev/null || { $(call debian_packages,$(CHECK_PACKAGES)); }

test-packages:
	@{ [ -n "$(ATTRIUM_CHROMIUM)" ] || command -v chromium; } >/dev/null && command -v storescu dciodvfy openssl >/dev/null || \
	{ $(call debian_packages,$(TEST_PACKAGES)); }
