# make demo    from nothing to a table of Mean Opinion Scores
# make serve   the site on http://127.0.0.1:8000 with the production server
# make test    the whole test suite; installs Chromium and PostgreSQL where they are missing
# make screenshots   the pictures of every page, for the documentation
# make docs    the documentation as a site, in site/
# make check   Python linters and quick tests without a browser, in about two minutes
# make setup   only the virtual environment, in .venv

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000
INSTALL := @$(PYTHON) deploy/install.py
# Browser tests and fault tests wait half of their time: two processes more than there are processors.
WORKERS = $(shell expr $$(nproc || getconf _NPROCESSORS_ONLN) + 2)
# Python keeps what it has compiled, whatever the environment says: the tests start hundreds of processes.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup setup-dev programs demo serve screenshots test check lint lint-js lint-python lint-style lint-types lint-layers docs

setup: .venv/runtime
setup-dev: .venv/development

.venv/pip:
	$(INSTALL) venv
	@touch $@

.venv/runtime: .venv/pip requirements-web.txt requirements.txt requirements-files.txt
	$(INSTALL) runtime
	@touch $@

.venv/development: .venv/runtime requirements-scale.txt requirements-dev.txt
	$(INSTALL) development
	@touch $@

# Node and the tools that check the scripts of the pages: for developers alone.
.venv/javascript: .venv/pip tests/javascript/requirements.txt tests/javascript/package-lock.json
	$(INSTALL) javascript
	@touch $@

# Chromium and PostgreSQL, found or installed.
programs: setup-dev
	@$(BIN)/python -m tests.programs

demo: setup
	$(BIN)/python manage.py demo

serve: setup
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	@echo "Open http://127.0.0.1:$(PORT). Ctrl-C stops the server."
	$(BIN)/gunicorn nstsite.wsgi --bind 127.0.0.1:$(PORT)

# Pictures of every page, in docs/screenshots. SITE=FOLDER keeps the installation that is shown; PAGES=EXPRESSION takes some pages.
screenshots: programs
	SCREENSHOTS=$(or $(SCREENSHOTS),docs/screenshots) $(BIN)/python -m pytest tests/browser/screenshots.py \
	  tests/browser/desk_screenshots.py tests/browser/test_prolific.py $(if $(PAGES),-k "$(PAGES)")

test: programs
	$(BIN)/python $(COVERAGE) -m pytest --numprocesses $(WORKERS) $(PYTEST)

check: setup-dev
	@$(MAKE) --no-print-directory --jobs 2 --output-sync lint-python
	$(BIN)/python -m pytest --numprocesses auto -m "not slow and not browser" $(PYTEST)

lint-js: .venv/javascript
	$(BIN)/python -m tests.javascript.check

lint: lint-python lint-js

lint-python: lint-types lint-style lint-layers

lint-style: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-types: setup-dev
	$(BIN)/mypy .

lint-layers: setup-dev
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

docs: setup-dev
	$(BIN)/python docs/write_commands.py
	$(BIN)/mkdocs build --strict --quiet
	@echo "Open site/index.html"
