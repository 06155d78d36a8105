"""Every option, setting and key is described, and no link is dead. tests/survey/desk/test_help.py follows links in docs/."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

import pytest
from django.conf import settings
from django.core.management import get_commands
from pydantic import BaseModel

from generator.plans.document import Document
from survey.analysis.participants.rules import RULES
from survey.desk import documents
from survey.study.about import ABOUT_TEXTS, AboutQuestion
from survey.study.definition import Definition

ROOT = Path(settings.BASE_DIR)
REFERENCE = ROOT / "docs/reference"
#: Files of text in which a page of the documentation may be named.
NAMING = {".py", ".md", ".toml", ".html", ".txt", ".sh", ".yaml", ".yml", ".conf", ".service"}


def _writer():
    spec = importlib.util.spec_from_file_location("write_commands", ROOT / "docs/write_commands.py")
    assert spec
    module = importlib.util.module_from_spec(spec)
    assert spec.loader
    spec.loader.exec_module(module)
    return module


WRITER = _writer()
OPTIONS = [
    pytest.param(action, id=f"{name} {action.option_strings[-1] if action.option_strings else action.dest}")
    for name, parser in WRITER.parsers().items()
    for action in WRITER.own_actions(parser)
]


def test_the_page_of_commands_is_what_the_commands_say_now():
    assert (REFERENCE / "commands.md").read_text() == WRITER.page(), (
        "run: .venv/bin/python docs/write_commands.py"
    )


@pytest.mark.parametrize("name", WRITER.parsers())
def test_a_command_says_what_it_does(name):
    assert WRITER.parsers()[name].description


@pytest.mark.parametrize("action", OPTIONS)
def test_an_option_says_what_it_does(action):
    assert action.help


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (list, dict, Union, UnionType, Annotated):
        for part in get_args(annotation):
            yield from _models(part)


def keys_of(model: type[BaseModel]) -> set[str]:
    """Return every key that a file of this model may hold, at any depth."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        found.add(name)
        for inner in _models(field.annotation):
            found |= keys_of(inner)
    return found


@pytest.mark.parametrize("key", sorted(keys_of(Definition)))
def test_every_key_of_a_study_file_is_described(key):
    text = (REFERENCE / "study.md").read_text()
    assert re.search(rf"^\| `{key}` \||^## `\[+{key}\]+`", text, re.M)


@pytest.mark.parametrize("question", get_args(AboutQuestion))
def test_every_question_about_the_person_has_its_texts_and_is_described(question):
    assert question in ABOUT_TEXTS
    assert re.search(rf"^\| `about` \| .*`{question}`", (REFERENCE / "study.md").read_text(), re.M)


@pytest.mark.parametrize("key", sorted(keys_of(Document)))
def test_every_key_of_a_plan_is_described(key):
    text = (REFERENCE / "plans.md").read_text()
    assert re.search(rf"^\| `(\[*{key}\]*)` \|", text, re.M)


@pytest.mark.parametrize("rule", RULES)
def test_every_screening_rule_is_described(rule):
    assert f"\n| `{rule}` |" in (ROOT / "docs/explanation/method.md").read_text()


def test_every_link_of_the_readme_leads_to_a_file_and_a_section():
    text = (ROOT / "README.md").read_text()
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        if not path.startswith("http"):
            assert (ROOT / path).exists(), link
            if anchor:
                page = documents.document(documents.name_of((ROOT / path).resolve()))
                assert anchor in {section.anchor for section in page.sections}, link


def test_every_page_that_a_file_of_the_project_names_is_there():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    dead = [
        f"{name}: {page}"
        for name in tracked.splitlines()
        if Path(name).suffix in NAMING and (ROOT / name).is_file()
        for page in re.findall(
            r"\bdocs/[\w/-]+\.(?:md|jpg|png|py)\b", (ROOT / name).read_text(encoding="utf-8")
        )
        if not (ROOT / page).is_file()
    ]
    assert not dead


def test_the_architecture_names_files_and_folders_that_are_there():
    text = (ROOT / "docs/architecture.md").read_text()
    named = set(re.findall(r"`([\w.-]+/[\w./-]*)`", text))
    assert len(named) > 50
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_the_architecture_names_code_that_is_there():
    """Also where it names a function, a constant or a file without its folder."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / name for name in listed.stdout.splitlines() if not name.startswith("docs/")]
    code = (path for path in files if path.suffix in {".py", ".js", ".html", ".toml"} and path.is_file())
    words = set(re.findall(r"\w+", " ".join(path.read_text(encoding="utf-8") for path in code)))
    text = (ROOT / "docs/architecture.md").read_text()
    named = set(re.findall(r"`([A-Za-z_]\w*)(?:\([^`]*\))?`", text))
    assert len(named) > 100
    assert sorted(named - words - set(get_commands())) == []
    named = set(re.findall(r"`([\w-]+\.(?:py|html|js|css|md|sh|toml))`", text))
    assert sorted(named - {path.name for path in files}) == []


def test_every_page_in_pictures_has_its_pictures_and_none_is_left_over():
    shown = re.findall(r"screenshots/([\w-]+\.webp)", (REFERENCE / "pages.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(path.name for path in (ROOT / "docs/screenshots").iterdir())
