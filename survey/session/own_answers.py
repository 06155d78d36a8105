"""The study's own questions on the participants' pages: how they are shown, and how a form's answers are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from survey.models import StudyVersion
from survey.study.definition import Definition, definition_of
from survey.study.own_questions import Answer, OwnQuestion

#: What stands before a question's key in a form, so that it is mistaken for no other field.
PREFIX: Final = "n-"


def sent_values(post: MultiValueDict[str, str]) -> dict[str, list[str]]:
    """Return {question: what a form sent for it}; {} where it has none of these fields."""
    return {key.removeprefix(PREFIX): post.getlist(key) for key in post if key.startswith(PREFIX)}


def read(
    questions: Sequence[OwnQuestion], sent: Mapping[str, Sequence[str]], first: str
) -> tuple[dict[str, Answer], list[str]]:
    """Return the answers that were given by question, and the keys of those that cannot be kept.

    Args:
        questions: What is asked.
        sent: As `sent_values` returns it.
        first: The study's first language.
    """
    answers: dict[str, Answer] = {}
    bad = []
    for question in questions:
        try:
            if answer := question.read(sent.get(question.key, ()), first):
                answers[question.key] = answer
        except ValueError:
            bad.append(question.key)
    return answers, bad


def shown(
    questions: Sequence[OwnQuestion],
    definition: Definition,
    language: str,
    sent: Mapping[str, Sequence[str]],
    bad: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Return the questions as their template shows them; what was sent is chosen."""
    first = definition.languages[0]
    found = []
    for question in questions:
        choices = [(str(n), choice) for n, choice in enumerate(question.choices_in(language, first), 1)]
        if question.answer == "one" and not question.required:
            choices.append(("", _("I prefer not to say")))
        found.append(
            {
                "name": f"{PREFIX}{question.key}",
                "text": definition.say(question.text, language),
                "answer": question.answer,
                "choices": choices,
                "required": question.required,
                "most": question.max_length,
                "chosen": list(sent.get(question.key, ())),
                "missing": question.key in bad,
            }
        )
    return found


@lru_cache(maxsize=256)
def asked_of_images(version: int, sha256: str) -> tuple[str, tuple[OwnQuestion, ...]]:
    """Return a version's first language and what it asks about each image besides.

    Kept for each hash: every rating looks here, and a version does not change.
    """
    definition = definition_of(StudyVersion.objects.get(pk=version, sha256=sha256))
    return definition.languages[0], tuple(definition.asked_of_images)
