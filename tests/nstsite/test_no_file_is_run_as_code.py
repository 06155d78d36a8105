"""Imports run one way: nstsite -> survey -> generator -> generator.nst; the two libraries know no Django."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORBIDDEN = {
    "generator/nst": {
        "django",
        "survey",
        "nstsite",
        "PIL",
        "generator.models",
        "generator.making.render",
        "generator.plans.plan",
    },
    "survey/analysis": {
        "django",
        "generator",
        "nstsite",
        "torch",
        "survey.models",
        "survey.session.services",
    },
    "generator": {"survey", "nstsite"},
    "survey": {"nstsite", "torch"},
}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def breaches(room: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for name in sorted(imported(path))
        for wall in FORBIDDEN[room]
        if name == wall or name.startswith(wall + ".")
    ]


# doctor looks at the installation itself, torch included; it is a command, never a page.
ALLOWED = {"survey/doctor.py imports torch"}


@pytest.mark.parametrize("room", FORBIDDEN)
def test_imports_run_one_way(room: str):
    assert set(breaches(room)) <= ALLOWED


#: What turns data into code when it reads a file, or a text.
RUNS_DATA = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}


def risks(path: Path) -> list[str]:
    """Return the calls and imports of one file that would run what a file or a text says."""
    found = [f"imports {name}" for name in imported(path) if name.split(".")[0] in RUNS_DATA]
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        unguarded = name == "torch.load" and options.get("weights_only") != "True"
        pickled = options.get("allow_pickle", "False") != "False" or name.endswith("read_pickle")
        if name in {"eval", "exec", "yaml.load"} or unguarded or pickled:
            found.append(f"line {node.lineno}: {name}")
    return found


@pytest.mark.parametrize("room", ["generator", "survey", "nstsite"])
def test_no_file_is_run_as_code(room: str):
    found = {str(path): risks(path) for path in (ROOT / room).rglob("*.py")}
    assert found
    assert {path: some for path, some in found.items() if some} == {}


def test_the_search_finds_what_it_looks_for(tmp_path: Path):
    bad = tmp_path / "bad.py"
    bad.write_text(
        "import pickle, torch\ntorch.load(f)\ntorch.load(f, weights_only=False)\neval('1')\nx(allow_pickle=True)\n"
    )
    assert len(risks(bad)) == 5
