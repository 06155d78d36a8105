"""The documentation is easy to read: short sentences, commands and plans that work as they are printed."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import load_command_class

ROOT = Path(settings.BASE_DIR)
PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if not path.is_symlink())]
AT_MOST = 30
#: The house's own dialect, which no page speaks.
DIALECT = re.compile(r"\b(mends?|mended|waist|redoes nothing|way out|at hand|lies in|the house)\b", re.I)


def prose(text: str) -> list[str]:
    """Return the sentences of a page. Code, tables and formulas set apart are no prose."""
    text = re.sub(r"^```.*?^```", "\n\n", text, flags=re.S | re.M)
    lines = ["" if line.startswith(("    ", "|", "#", "![")) else line for line in text.splitlines()]
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[*-]|\d+\.) )", "\n".join(lines))
    sentences = []
    for block in blocks:
        plain = re.sub(r"`[^`]*`|\]\([^)]*\)", "x", " ".join(block.split()))
        sentences += re.split(r"(?<=[.!?:])\s+(?=[A-Z*_“x[])", plain)
    return sentences


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_no_sentence_is_long(page):
    long = [
        sentence for sentence in prose(page.read_text()) if len(re.findall(r"\w[\w'’-]*", sentence)) > AT_MOST
    ]
    assert long == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_no_page_speaks_the_old_dialect(page):
    assert DIALECT.findall(page.read_text()) == []


def commands_in(text: str) -> list[list[str]]:
    """Return the words after `manage.py` of each whole command line that a page prints in a block of code."""
    found = []
    text = text.replace("\\\n", " ")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M) + re.findall(r"^(    .+)$", text, re.M)
    for line in "\n".join(blocks).splitlines():
        match = re.search(r"(?:^|[;&] *|\s)(?:\.venv/bin/)?python manage\.py (.+)", line)
        if match and not re.search(r"[\[\]|]|\.\.\.|&&|(?<!\w)\$", match[1].split("  #")[0]):
            found.append(shlex.split(match[1].split("  #")[0]))
    return found


COMMANDS = [
    pytest.param(words, id=f"{page.stem}: {' '.join(words)}")
    for page in PAGES
    for words in commands_in(page.read_text())
    if page.stem != "commands"
]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_printed_command_has_only_options_that_exist(words):
    name, *rest = words
    apps = {"generate": "survey", "migrate": "django.core", "collectstatic": "django.contrib.staticfiles"}
    for app in (apps.get(name, "survey"), "generator", "django.contrib.auth", "django.core"):
        try:
            command = load_command_class(app, name)
        except ModuleNotFoundError:
            continue
        rest = ["1" if word in {"COUNT", "N", "PX"} else word for word in rest]
        command.create_parser("manage.py", name).parse_args(rest)
        return
    pytest.fail(f"no command {name}")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_printed_toml_can_be_read(page):
    for block in re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.S | re.M):
        tomllib.loads(block)
