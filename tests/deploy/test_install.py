from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from deploy import install

ROOT = Path(install.__file__).parents[1]


def test_the_supported_pythons_are_the_same_wherever_they_stand():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = [
        version
        for entry in project["project"]["classifiers"]
        for version in re.findall(r":: Python :: (3\.\d+)$", entry)
    ]
    oldest, newest = listed[0], listed[-1]
    assert oldest == ".".join(map(str, install.MIN_PYTHON)) == project["tool"]["mypy"]["python_version"]
    assert project["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    assert project["project"]["requires-python"] == f">={oldest}"
    noxfile, contributing, container = (
        (ROOT / name).read_text() for name in ("noxfile.py", "CONTRIBUTING.md", "deploy/Containerfile")
    )
    assert f"PYTHONS = {json.dumps(listed)}" in noxfile
    assert f"Python {oldest} or newer" in contributing
    assert f"Python {oldest} to {newest}" in contributing
    assert re.findall(r"^FROM \S*python:(3\.\d+)", container, re.M)[0] in listed


@pytest.fixture(autouse=True)
def venv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(install, "VENV", tmp_path)
    return tmp_path


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_a_step_prints_one_line_with_its_time_and_size(venv, capfd):
    program = f"print('noise'); open({str(venv / 'package')!r}, 'wb').write(bytes(3_000_000))"
    assert install.step("a package", python(program), size=lambda: install.folder_size(venv))
    out, err = capfd.readouterr()
    assert out == "Installing a package ... 0 s, 3 MB\n"
    assert err == ""


def test_a_failed_step_shows_what_its_command_said(capfd):
    assert not install.step("a package", python("import sys; sys.exit('no such package')"))
    out, err = capfd.readouterr()
    assert out == "Installing a package ... failed after 0 s\n"
    assert err == "no such package\n"


def test_a_target_stops_at_the_first_step_that_fails(monkeypatch, capfd):
    monkeypatch.setitem(
        install.STEPS, "runtime", (("one", ("/no/such/program",)), ("two", ("/no/such/program",)))
    )
    assert install.main("runtime") == 1
    out, _ = capfd.readouterr()
    assert out.startswith("Installing one ... failed: ")
    assert "two" not in out


def test_an_old_python_is_refused_in_one_line(monkeypatch, capfd):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert install.main("venv") == 2
    assert capfd.readouterr().err.startswith("Python 3.11 or newer is needed, this is 3.9.2")


@pytest.mark.parametrize(
    ("size", "text"), [(400_000, "0 MB"), (540_000_000, "540 MB"), (5_400_000_000, "5.4 GB")]
)
def test_sizes_have_units(size, text):
    assert install.human(size) == text


def test_every_requirements_file_is_installed_by_some_step():
    named = {argument for steps in install.STEPS.values() for _, given in steps for argument in given}
    files = {path.name for path in install.ROOT.glob("requirements*.txt")}
    # requirements-dev.txt includes it.
    assert files - {"requirements-scale.txt"} <= named
    assert "-r requirements-scale.txt" in (install.ROOT / "requirements-dev.txt").read_text().splitlines()
