"""The suite on each supported Python: `pipx run nox` (or `nox --session tests-3.13 -- tests/survey`).

Each session installs its own environment, PyTorch included: 6 GB.
"""

from __future__ import annotations

import nox

nox.options.reuse_existing_virtualenvs = True
PYTHONS = ["3.11", "3.12", "3.13"]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the whole suite, or the tests named after `--`."""
    session.install("-r", "requirements-dev.txt")
    session.install("--no-deps", "-r", "requirements-files.txt")
    session.run("python", "-m", "tests.programs")
    session.run("python", "-m", "pytest", "--numprocesses", "auto", *session.posargs)


@nox.session(python=PYTHONS)
def web(session: nox.Session) -> None:
    """Serve, analyse and export in an environment that has the packages of requirements-web.txt and no others."""
    session.install("-r", "requirements-web.txt")
    folder = session.create_tmp()
    environment = {"DATA_DIR": f"{folder}/data"}
    session.run("python", "manage.py", "check", env=environment)
    session.run("python", "manage.py", "migrate", "--verbosity", "0", env=environment)
    session.run("python", "manage.py", "doctor", env=environment)
