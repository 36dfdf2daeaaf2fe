# rolecall: everything a developer types. `make` alone lists the targets.
PYTHON ?= python3
DATA ?= ../shared/data/judged
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check install --quiet --constraint .constraints.txt
SHELL := /bin/bash
.DELETE_ON_ERROR:

.PHONY: help
help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than Python 3.11" >&2; \
		  echo "hint: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.runtime: pyproject.toml .constraints.txt | $(BIN)/python
	$(PIP) --editable '.[plot]'
	@touch $@

.venv/.dev: pyproject.toml .constraints.txt | $(BIN)/python
	$(PIP) --editable '.[train,plot,dev]'
	@touch $@ .venv/.runtime

# mypy sees the folders under the names they are installed by
.names/rolecall:
	@mkdir -p .names/rolecall
	@ln -sfn ../../cli .names/rolecall/cli
	@ln -sfn ../../registry .names/rolecall/registry

.PHONY: install
install: .venv/.runtime ## install the runtime into .venv (no torch)

.PHONY: demo
demo: .venv/.runtime ## route real prompts, explain one, edit a role and see the effect
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash tests/demo/run.sh

.PHONY: check
check: .venv/.dev .names/rolecall ## lint and type-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p rolecall
	$(BIN)/mypy tests

.PHONY: test
test: check ## install everything, then lint, types and tests
	$(BIN)/pytest -q --numprocesses=auto --dist=loadfile $(PYTEST)

.venv-live/.servers: tests/live/requirements.txt .constraints.txt
	$(PYTHON) -m venv .venv-live
	.venv-live/bin/pip --disable-pip-version-check install --quiet --requirement $<
	@touch $@

.PHONY: test-live
test-live: .venv/.dev .venv-live/.servers ## ask real inference servers on this machine (installs them first)
	ROLECALL_LIVE=.venv-live $(BIN)/pytest -q tests/live $(PYTEST)

.PHONY: golden
golden: .venv/.dev ## rewrite the expected texts under tests/golden
	$(BIN)/pytest -q --golden tests/cli tests/test_readme.py

.PHONY: completions
completions: .venv/.runtime ## regenerate completions/
	@for shell in bash zsh fish; do \
		$(BIN)/rolecall completion $$shell > completions/rolecall.$$shell; done

.PHONY: train
train: .venv/.dev ## train the shipped scorer from judged rows (DATA=folder)
	$(BIN)/python -m rolecall.registry.scorer.training.train $(DATA)
	$(BIN)/python -m rolecall.registry.evaluation.model_card $(DATA)

.PHONY: measure
measure: .venv/.dev ## what each part of the scorer adds, and learning curves (DATA=folder)
	$(BIN)/python -m tests.benchmarks.ablation $(DATA)
	$(BIN)/python -m tests.benchmarks.learning_curves $(DATA)

.PHONY: bench
bench: .venv/.dev ## time start-up, decisions, calls and a long history, as ratios; bound tokens
	@$(BIN)/python -m tests.benchmarks.cold
	@$(BIN)/python -m tests.benchmarks.warm
	@$(BIN)/python -m tests.benchmarks.calling
	@$(BIN)/python -m tests.benchmarks.history
	@$(BIN)/python -m tests.benchmarks.tokens

.PHONY: clean
clean: ## remove everything that was made here
	rm -rf .venv .venv-live .names .demo .training build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
