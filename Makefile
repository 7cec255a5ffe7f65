# Everything a developer does, by name. `make help` lists it.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
LOCKS := docker/requirements
WORK_DIR ?= pedigree-work
# What `make run` runs: handwritten digits at the smallest size that ResNet-50 takes.
RUN_OPTIONS ?= --dataset digits --image-size-px 32 --num-epochs 8 --blessing-threshold 0.95
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run ui test check unit integration format golden lock clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/laptop ## Set up, then the whole pipeline on real data, offline
	@$(BIN)/pedigree run --work-dir $(WORK_DIR) $(RUN_OPTIONS)

ui: $(VENV)/laptop ## Serve the pages of the registry that `make run` filled
	@$(BIN)/pedigree ui --work-dir $(WORK_DIR)

test: check unit ## Set up, then the static checks and the tests

check: $(VENV)/dev ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: $(VENV)/dev ## The tests that need nothing beside this folder
	$(BIN)/pytest -m "not integration"

integration: $(VENV)/dev ## The tests with real servers beside them; .ci/run installs what they want
	$(BIN)/pytest -m integration

format: $(VENV)/dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

golden: $(VENV)/dev ## Accept the DAG as it is now as the golden package
	$(BIN)/pedigree compile --output tests/pipeline/golden/training.yaml

lock: ## Resolve the requirement locks anew (wants uv)
	uv pip compile pyproject.toml --extra laptop --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras \
		--no-header --output-file $(LOCKS)/laptop.txt
	uv pip compile pyproject.toml --extra dev --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras \
		--no-header --constraint $(LOCKS)/laptop.txt --output-file $(LOCKS)/dev.txt

clean: ## Remove the environment and everything that runs left
	rm -rf $(VENV) $(WORK_DIR)

$(VENV)/bin/python:
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "make: $(PYTHON) cannot make an environment; on Debian: apt install python3.11-venv" >&2; exit 2; }

# One environment, two sizes: `dev` holds all of `laptop`, in the same versions.
$(VENV)/laptop: $(LOCKS)/laptop.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing from $(LOCKS)/laptop.txt: 2.5 GB, some minutes"
	@$(INSTALL) --require-hashes -r $(LOCKS)/laptop.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: $(LOCKS)/dev.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing from $(LOCKS)/dev.txt: 2.6 GB, some minutes"
	@$(INSTALL) --require-hashes -r $(LOCKS)/dev.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/laptop
