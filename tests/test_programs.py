"""`make test` finds or installs the programs that tests need; here with stand-ins for apt-get, sudo and the network."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy import install
from tests import programs
from tests.programs import Program

ROOT = Path(__file__).parents[1]


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The only folder of PATH, with nothing in it but what /bin/sh scripts need."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "env").symlink_to("/usr/bin/env")
    (folder / "touch").symlink_to("/usr/bin/touch")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(install, "VENV", tmp_path / "venv")
    monkeypatch.setattr(programs, "_playwright_reachable", lambda: False)
    programs.update.cache_clear()
    return folder


def add(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A program that is there once `installed` exists."""
    installed = tmp_path / "installed"
    return Program("Thing", lambda: str(installed) if installed.exists() else None, ("thing", "fonts"))


def apt(folder: Path, tmp_path: Path) -> None:
    add(folder, "apt-get", f'case "$*" in *"install -y"*"thing fonts"*) touch {tmp_path}/installed;; esac')


def test_what_is_installed_is_left_alone(path, program, tmp_path, capfd):
    (tmp_path / "installed").touch()
    add(path, "apt-get", f"touch {tmp_path}/called")
    assert programs.install(program)
    assert not (tmp_path / "called").exists()
    assert capfd.readouterr().out == ""


def test_root_installs_by_apt_get_with_a_line_a_step(path, program, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    apt(path, tmp_path)
    assert programs.install(program)
    lines = capfd.readouterr().out.splitlines()
    assert [line.split(" ...")[0] for line in lines] == [
        "Installing Debian's list of packages",
        "Installing Thing by apt-get",
    ]


def test_the_list_of_packages_is_read_once_for_all_programs(path, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    apt(path, tmp_path)
    monkeypatch.setattr(programs, "PROGRAMS", [Program(name, lambda: None, ("x",)) for name in "ABC"])
    programs.main()
    assert capfd.readouterr().out.count("list of packages") == 1


def test_where_apt_get_has_not_the_one_package_it_installs_the_other(path, program, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    apt(path, tmp_path)
    add(path, "apt-get", f'{(path / "apt-get").read_text()}\ncase "$*" in *lacking*) exit 100;; esac')
    assert programs.install(replace(program, packages=("lacking",), fallback=program.packages))


def test_another_user_installs_by_sudo_that_asks_no_password(path, program, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    apt(path, tmp_path)
    assert not programs.install(program)
    add(path, "sudo", 'test "$1" = -n && shift && "$@"')
    add(path, "true", "exit 0")
    assert programs.install(program)


def test_a_browser_of_playwright_is_taken_where_its_host_answers(path, tmp_path, monkeypatch):
    installed = tmp_path / "installed"
    chromium = Program("Chromium", lambda: str(installed) if installed.exists() else None, ("chromium",))
    monkeypatch.setattr(programs, "CHROMIUM", chromium)
    monkeypatch.setattr(programs, "_playwright_reachable", lambda: True)
    add(path, "python", f'test "$*" = "-m playwright install chromium" && touch {installed}')
    monkeypatch.setattr(sys, "executable", str(path / "python"))
    assert programs.install(chromium)


def test_a_browser_that_does_not_start_is_not_one(path, monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    add(path, "chromium", "exit 127")
    assert programs.find_chromium() is None
    add(path, "chromium", "exit 0")
    assert programs.find_chromium() == str(path / "chromium")


def test_the_browser_without_a_window_comes_first(path, monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    for name in ("chromium", "chromium-headless-shell"):
        add(path, name, "exit 0")
    assert programs.find_chromium() == str(path / "chromium-headless-shell")


def test_a_driver_that_does_not_start_is_told_before_any_browser_test_runs(path, monkeypatch):
    add(path, "python", "exit 127")
    monkeypatch.setattr(sys, "executable", str(path / "python"))
    with pytest.raises(pytest.fail.Exception, match="as root, apt-get install libatomic1"):
        programs.require_browser()


def test_a_program_that_cannot_be_had_fails_its_tests_in_one_line(path, program, monkeypatch, capfd):
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(programs, "PROGRAMS", (program,))
    programs.main()
    assert capfd.readouterr().err == (
        "Thing is not installed: as root, apt-get install thing fonts. The tests that need it will fail.\n"
    )
    with pytest.raises(pytest.fail.Exception) as failure:
        programs.require(program)
    assert str(failure.value) == "Thing is not installed: as root, apt-get install thing fonts"
    assert not failure.value.pytrace


def test_it_and_the_benchmarks_start_without_settings_of_django():
    modules = "tests.programs, benchmarks.attack, benchmarks.survey_load, benchmarks.large, benchmarks.stored"
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run([sys.executable, "-c", f"import {modules}"], env=environment, cwd=ROOT, check=True)
