"""The questions of a rating page: buttons for up to eleven categories, a slider for other scales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from survey.analysis.scale import number_text
from survey.models import Preference
from survey.session.pages.visit import Visit
from survey.study.definition import Definition
from survey.study.tables import AskedQuestion

#: The key of each choice between two images. The template `rate.html` and its translations name them.
PAIR_KEYS: Final = {Preference.Choice.FIRST: "1", Preference.Choice.SECOND: "2", Preference.Choice.TIE: "0"}


def questions_of(visit: Visit, given: Mapping[str, Any], missing: Sequence[str]) -> list[dict[str, Any]]:
    """Return what the page asks; what was just sent, or given before an undo, is chosen."""
    keys = answer_keys(visit.definition)
    return [
        {
            "key": question.key,
            "text": visit.text(question.text),
            "chosen": visit.request.POST.get(f"q-{question.key}") or _text(given.get(question.key, "")),
            "missing": question.key in missing,
            **_answers(visit, question, keys),
        }
        for question in visit.definition.questions
    ]


def answer_keys(definition: Definition) -> dict[str, str]:
    """Return which key gives each answer to every question of a study; empty where a key says too little.

    A key has one digit: on a scale that has longer values some could not be reached, and 1 might be meant for 10.
    """
    if definition.method == "pair":
        return {choice.value: key for choice, key in PAIR_KEYS.items()}
    scales = {question.asked_on for question in definition.questions}
    values = [number_text(value) for scale in scales for value in scale.categories or ()]
    single = all(value.isdigit() and len(value) == 1 for value in values)
    return {value: value for value in values} if len(scales) == 1 and single else {}


def _answers(visit: Visit, question: AskedQuestion, keys: Mapping[str, str]) -> dict[str, Any]:
    """Return the buttons, best first; numbered points between two ends, low end first; or a slider. A button has its key."""
    if visit.definition.method == "pair":
        return {"choices": [(value, label, keys[value]) for value, label in _pair_choices()]}
    scale, labels = question.asked_on, visit.definition.labels(question, visit.language)
    ends = list(zip(("low", "high"), (labels[0], labels[-1]), strict=True))
    if scale.is_slider:
        # As fine as a finger can tell apart, and coarse enough for keys to get everywhere.
        step = number_text(scale.resolution)
        return {
            "ends": ends,
            "slider": {
                "low": number_text(scale.low),
                "high": number_text(scale.high),
                "step": step,
                "typed_step": "any" if scale.step is None else step,
                "shows_value": question.show_value,
            },
        }
    values = [number_text(value) for value in scale.categories or ()]
    if len(labels) < len(values):
        return {"points": [(value, keys.get(value)) for value in values], "ends": ends}
    buttons = zip(values, labels, map(keys.get, values), strict=True)
    return {"choices": list(buttons)[::-1]}


def _pair_choices() -> list[tuple[str, str]]:
    return [
        (Preference.Choice.FIRST.value, _("A is better")),
        (Preference.Choice.SECOND.value, _("B is better")),
        (Preference.Choice.TIE.value, _("No difference")),
    ]


def _text(given: float | str) -> str:
    return given if isinstance(given, str) else number_text(given)
