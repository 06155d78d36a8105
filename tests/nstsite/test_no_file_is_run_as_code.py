"""Nothing that the program reads is run as code: no pickle, no eval, no unsafe torch.load."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


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


@pytest.mark.slow
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
