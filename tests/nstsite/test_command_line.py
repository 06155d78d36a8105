"""What `manage.py` says of the commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.db import OperationalError

from generator.management.base import of_database
from nstsite.command_line import TASKS, CommandLine

OURS = sorted(name for name, app in get_commands().items() if app in ("generator", "survey"))


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py as somebody at a terminal does."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=settings.BASE_DIR,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_our_commands_by_task_before_djangos():
    text = CommandLine(["manage.py", "help"]).main_help_text()
    ours, _, djangos = text.partition("Django's own")
    lines = {
        line.split()[0]: line.split(maxsplit=1)[1] for line in ours.splitlines() if line.startswith("  ")
    }
    assert set(OURS) <= set(lines)
    assert all(lines[name] for name in lines)
    columns = {line.index(lines[line.split()[0]]) for line in ours.splitlines() if line.startswith("  ")}
    assert len(columns) == 1
    assert "runserver" in djangos
    assert not set(OURS) & set(djangos.replace(",", " ").split())


def test_the_list_names_no_command_that_is_not_there():
    assert {name for named in TASKS.values() for name in named} <= set(get_commands())


@pytest.mark.parametrize("name", OURS)
def test_no_command_waits_for_the_check_that_imports_every_page(name):
    command = load_command_class(str(get_commands()[name]), name)
    assert set(command.requires_system_checks) <= {"generator"}


@pytest.mark.parametrize("name", OURS)
def test_the_help_of_a_command_shows_its_own_options_only(name):
    text = load_command_class(str(get_commands()[name]), name).create_parser("manage.py", name).format_help()
    for noise in ("verbosity", "--settings", "pythonpath", "traceback", "color", "skip-checks", "--version"):
        assert noise not in text


def test_an_unknown_command_exits_with_2_and_the_nearest_name():
    result = manage("generat")
    assert result.returncode == 2
    assert "Did you mean generate?" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    ["create_study x --set y", "createsuperuser --noinput --username ada --email ada@example.org"],
)
def test_a_database_without_tables_is_one_line(tmp_path: Path, command: str):
    result = manage(*command.split(), DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    assert result.returncode == 1
    assert result.stderr.startswith("CommandError: the database lacks tables or columns (")
    assert "run `python manage.py migrate` first" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "line", "status"),
    [
        (OperationalError("connection refused\nmore"), "the database does not answer: connection refused", 1),
        (KeyboardInterrupt(), "stopped", 130),
    ],
)
def test_what_breaks_a_command_from_outside_is_one_line(monkeypatch, error, line, status):
    def fail(*args: object) -> None:
        raise error

    monkeypatch.setattr("survey.management.commands.purge_expired.delete_expired", fail)
    with pytest.raises(CommandError) as caught:
        call_command("purge_expired")
    assert (str(caught.value), caught.value.returncode) == (line, status)


@pytest.mark.slow
def test_a_reader_that_goes_away_leaves_no_traceback(tmp_path: Path):
    command = f"{sys.executable} manage.py weights list | true"
    result = subprocess.run(
        ["bash", "-c", command], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in result.stderr
    assert "Exception" not in result.stderr


def test_a_database_of_an_earlier_version_says_what_to_run():
    said = of_database(OperationalError("table survey_participant has no column named group"))
    assert said.endswith("run `python manage.py migrate` first")
