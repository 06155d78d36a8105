"""Write docs/reference/commands.md from the commands themselves: `.venv/bin/python docs/write_commands.py`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
TARGET: Final = ROOT / "docs/reference/commands.md"
APPS: Final = ("generator", "survey")
#: What Django adds to every command.
DJANGO: Final = frozenset(
    "help version verbosity settings pythonpath traceback no_color force_color skip_checks".split()  # noqa: SIM905
)
INTRODUCTION: Final = """# Commands

Run each command as `.venv/bin/python manage.py NAME`. `manage.py NAME --help` prints the same options.
Django's own options (`--verbosity`, `--settings` and so on) work with all of them.

Exit codes: 0 success, 1 the work failed, 2 bad input. Bad input gives one line on standard error.

This page is written by `docs/write_commands.py`; do not edit it.
"""


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command of this project by its name; of `weights`, one for each subcommand."""
    from django.core.management import get_commands, load_command_class

    found: dict[str, argparse.ArgumentParser] = {}
    for name, app in sorted(get_commands().items()):
        if app not in APPS:
            continue
        parser = load_command_class(str(app), name).create_parser("manage.py", name)
        nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        if not nested:
            found[name] = parser
        for group in nested:
            helps = {choice.dest: choice.help for choice in group._choices_actions}
            for word, inner in group.choices.items():
                inner.description = inner.description or helps.get(word)
                found[f"{name} {word}"] = inner
    return found


def own_actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the options and arguments that the command itself declares."""
    return [action for action in parser._actions if action.dest not in DJANGO]


def page() -> str:
    """Return the whole page."""
    return "\n".join([INTRODUCTION, *(_section(name, parser) for name, parser in parsers().items())])


def _section(name: str, parser: argparse.ArgumentParser) -> str:
    actions = own_actions(parser)
    lines = [f"## {name}", "", parser.description or "", "", f"    {_usage(name, actions)}", ""]
    if actions:
        lines += ["| option | default | meaning |", "|---|---|---|"]
        lines += [
            f"| `{_cell(_spelling(action))}` | {_cell(_default(action))} | {_cell(_meaning(parser, action))} |"
            for action in actions
        ]
    return "\n".join([*lines, ""])


def _usage(name: str, actions: list[argparse.Action]) -> str:
    return " ".join(["python manage.py", name, *_needed(actions), *_optional(actions)])


def _needed(actions: list[argparse.Action]) -> Iterator[str]:
    for action in actions:
        if not action.option_strings:
            yield f"[{_spelling(action)}]" if action.nargs in ("?", "*") else _spelling(action)
        elif action.required:
            yield _spelling(action)


def _optional(actions: list[argparse.Action]) -> Iterator[str]:
    if any(action.option_strings and not action.required for action in actions):
        yield "[OPTIONS]"


def _spelling(action: argparse.Action) -> str:
    """Return an option as it is typed, such as `--output DIR`."""
    metavar = action.metavar if isinstance(action.metavar, str) else None
    value = metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    several = " ..." if action.nargs in ("+", "*") else ""
    if not action.option_strings:
        return value + several
    option = action.option_strings[-1]
    return option if action.nargs == 0 else f"{option} {value}{several}"


def _default(action: argparse.Action) -> str:
    if action.required or action.nargs == 0 or action.default in (None, False, "", [], argparse.SUPPRESS):
        return ""
    values = action.default if isinstance(action.default, list | tuple) else [action.default]
    return "`" + " ".join(map(str, values)) + "`"


def _meaning(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    return parser._get_formatter()._expand_help(action) if action.help else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nstsite.settings")
    import django

    django.setup()
    TARGET.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {TARGET.relative_to(ROOT)}\n")
