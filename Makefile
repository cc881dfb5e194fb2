# One command each, from a clean clone: Python 3.11+, make and git are all it takes.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Each worker has a server and a database of its own; three keep two cores busy while some wait.
TEST := $(BIN)/pytest -n 3 --dist loadfile

# uv installs quickly; it comes into a small environment of its own, so nothing global is touched.
UV := .uv/bin/uv
$(UV):
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check "uv>=0.9,<1"

$(READY): requirements.lock pyproject.toml | $(UV)
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	$(UV) pip sync --quiet --python $(BIN)/python requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $(READY)

.PHONY: setup run test check format bench mutants sim golden lock fuzz help

setup: $(READY) ## install everything into .venv

run: $(READY) ## start everything on an embedded PostgreSQL, port 8000, with demo data
	@$(BIN)/monigo serve

test: $(READY) ## run the whole test suite
	@$(TEST)

check: $(READY) ## format, lint, types, import order, migrations, house rules, tests
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/squawk db/migrations/*.sql db/functions/*.sql
	@$(TEST)

format: $(READY) ## format the code and mend what the linter can
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench: $(READY) ## measure, side by side in one run; WHAT=charges|closing|dashboard|idle|lists|logins|movements|payouts|persons|realtime|rules|singles; see bench/README.md
	@$(BIN)/python bench/$(or $(WHAT),run).py

mutants: $(READY) ## change the code in many places, count what tests notice; N=400 SEED=1 ONLY=money ARGS=…
	@$(BIN)/python tests/mutants/run.py --count $(or $(N),400) --seed $(or $(SEED),1) --only "$(ONLY)" $(ARGS)

fuzz: $(READY) ## throw ten minutes of generated requests at every route
	@$(BIN)/python bench/fuzz.py

# Each seed is a story of its own; the tables tell what was tried, and how often it was refused.
sim: $(READY) ## compare random use with independent auditors; SEED=… N=20 STEPS=150 WHAT=alerts|billing|money|payouts|people|usage|wallets
	@MONIGO_SIM_SEED=$(SEED) MONIGO_SIM_STEPS=$(or $(STEPS),150) MONIGO_SIM_N=$(or $(N),20) \
		$(BIN)/pytest tests/simulation$(if $(WHAT),/test_$(WHAT).py) -k long -s

golden: $(READY) ## rewrite the golden files; read the diff before you commit it
	@MONIGO_GOLDEN=write $(BIN)/pytest tests/golden_files

lock: | $(UV) ## resolve the dependencies anew into requirements.lock
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--group dev --output-file requirements.lock pyproject.toml

help: ## list these commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'
