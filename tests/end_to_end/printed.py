"""What a page prints for its readers to run: blocks of code, and commands carried out as they are typed."""

from __future__ import annotations

import re
import shlex

from django.contrib.auth.models import User
from django.core.management import call_command

from survey.access.roles import Role, give_role, make_groups
from survey.simulation.demo import RESEARCHER


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.S | re.M)


def demo_account() -> User:
    """Make the researcher that `make demo` makes."""
    make_groups()
    researcher = User.objects.create_user(RESEARCHER)
    give_role(researcher, Role.RESEARCHER)
    return researcher


def run(block: str) -> None:
    """Run each line of a block of shell: all are commands of manage.py, and each must succeed."""
    for line in block.splitlines():
        program, script, *words = shlex.split(line)
        assert (program, script) == (".venv/bin/python", "manage.py"), line
        call_command(*words)
