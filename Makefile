# make demo    from nothing to a table of Mean Opinion Scores
# make serve   the site on http://127.0.0.1:8000 with the production server
# make test    the whole test suite
# make setup   only the virtual environment, in .venv

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000

.PHONY: setup setup-dev demo serve test lint

setup: .venv/runtime
setup-dev: .venv/development

.venv/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=/path/to/python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	@touch $@

.venv/runtime: .venv/pip requirements.txt requirements-files.txt
	@echo "Installing into .venv (PyTorch with its CUDA libraries is about 5 GB) ..."
	$(BIN)/pip install --quiet -r requirements.txt
	$(BIN)/pip install --quiet --no-deps -r requirements-files.txt
	@touch $@

.venv/development: .venv/runtime requirements-dev.txt
	$(BIN)/pip install --quiet -r requirements-dev.txt
	@touch $@

demo: setup
	$(BIN)/python manage.py demo

serve: setup
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	$(BIN)/gunicorn nstsite.wsgi --bind 127.0.0.1:$(PORT) --workers 2 --worker-class gthread --threads 4

test: setup-dev
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --ignore tests/end_to_end --ignore tests/faults $(PYTEST)
	@# Apart: Playwright leaves an event loop running in its process, and the fault tests want the machine to themselves.
	$(BIN)/python -m pytest tests/end_to_end tests/faults $(PYTEST)

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run
