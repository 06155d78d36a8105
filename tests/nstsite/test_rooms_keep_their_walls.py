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
        "generator.render",
        "generator.plan",
    },
    "survey/analysis": {"django", "generator", "nstsite", "torch", "survey.models", "survey.services"},
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
