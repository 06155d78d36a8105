"""The set-up's forms say what the study file says: every key, there and back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from django.forms import FloatField, IntegerField
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.analysis.report.answers import PEOPLE_OUTSIDE
from survey.desk.forms.setup_forms import PrivacyForm, is_untouched
from survey.desk.forms.task_form import TaskForm
from survey.desk.pages.study.setup_tasks import FORMS
from survey.study.about import ABOUT_TEXTS
from survey.study.definition import Definition
from survey.study.parts import Part
from survey.study.scales import LANGUAGES
from survey.study.tables import Goal
from tests.survey.session.test_own_languages import ITALIAN


def offered(form: TaskForm) -> dict[str, Any]:
    """Return what a browser would send of a form that is left as it is: a list for tick boxes, nothing for gaps."""
    initial = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    return {
        name: value if isinstance(value, list) else str(value) for name, value in initial.items() if value
    }


def posted(values: dict[str, Any]) -> MultiValueDict[str, Any]:
    """Return values as a request carries them, lines ended as browsers do."""
    return MultiValueDict(
        {
            name: value if isinstance(value, list) else [value.replace("\n", "\r\n")]
            for name, value in values.items()
        }
    )


def paths(part: type[Part], before: str = "") -> Iterator[str]:
    """Yield the path of each plain value of a table and of the tables in it."""
    for name, field in part.model_fields.items():
        inner = table_in(field.annotation)
        yield from paths(inner, f"{before}{name}.") if inner else [before + name]


def table_in(annotation: Any) -> type[Part] | None:
    """Return the table that an annotation holds (itself, in a list, or None beside it)."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next((found for found in map(table_in, get_args(annotation)) if found), None)


def words(most: int = 60) -> st.SearchStrategy[str]:
    """Return texts that a file may hold."""
    known = st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00")
    return st.text(known, min_size=1, max_size=most)


def five() -> st.SearchStrategy[list[str]]:
    """Return five labels."""
    return st.lists(words(9), min_size=5, max_size=5)


def said(draw: st.DrawFn, languages: list[str], one: st.SearchStrategy[Any]) -> Any:
    """Draw what is the same in all languages, or a table of at least the study's."""
    if draw(st.booleans()):
        return draw(one)
    more = draw(st.lists(st.sampled_from(LANGUAGES), max_size=1))
    return {code: draw(one) for code in {*languages, *more}}


@st.composite
def own_questions(draw: st.DrawFn, languages: list[str]) -> list[dict[str, Any]]:
    """Draw some own questions of each kind."""
    found = []
    for number in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(["text", "one", "several"]))
        question = {
            "key": f"own{number}",
            "text": said(draw, languages, words()),
            "answer": kind,
            "required": draw(st.booleans()),
        }
        question |= draw(st.sampled_from([{"about": "image"}, {"when": "before"}, {}]))
        if kind == "text":
            question["max_length"] = draw(st.integers(1, 2000))
        else:
            question["choices"] = said(draw, languages, st.just([" a", "b"]))
        found.append(question)
    return found


@st.composite
def groups(draw: st.DrawFn, languages: list[str], keys: list[str]) -> list[dict[str, Any]]:
    """Draw two groups or more, or none."""
    found = []
    for number in range(draw(st.sampled_from([0, 2, 3]))):
        group = {
            "key": f"group{number}",
            "share": draw(st.none() | st.integers(1, 1000)),
            "instructions": said(draw, languages, words()) if draw(st.booleans()) else None,
            "questions": draw(st.lists(st.sampled_from(keys), unique=True)) if keys else [],
            "images": draw(st.lists(words(20), max_size=2)),
        }
        found.append(group)
    return found


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Draw a definition that uses any of the form's keys."""
    languages = draw(st.lists(st.sampled_from(LANGUAGES), min_size=1, max_size=3, unique=True))

    def text() -> Any:
        return said(draw, languages, words())

    keys = draw(st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), max_size=4, unique=True))
    questions = [
        {"key": key, "text": text(), "labels": said(draw, languages, five()) if draw(st.booleans()) else None}
        for key in keys
    ]
    method = draw(st.sampled_from(["acr", "acr-hr", "dcr", "pair"]))
    pairs = draw(st.sampled_from(["balanced", "informative"])) if method == "pair" else "balanced"
    orders = [{}, {"order": "fixed"}, {"blocks": "content"}, {"blocks": "content", "order": "latin"}]
    order = draw(st.sampled_from(orders)) if pairs == "balanced" else {}
    recruitment = {"platform": "mturk", "complete": draw(words()), "screened_out": "2", "withdrew": "3"}
    return Definition.model_validate(
        {
            "title": text(),
            "method": method,
            "languages": languages,
            "instructions": text() if draw(st.booleans()) else None,
            "purge_on": draw(st.none() | st.dates(min_value=dt.date(2000, 1, 1))),
            "consent": {"purpose": text(), "contact": draw(st.none() | words()), "version": draw(words(9))},
            "questions": questions,
            "groups": draw(groups(languages, keys)),
            "session": {
                "images": draw(st.none() | st.integers(1, 500)),
                "repeats": draw(st.integers(0, 50)),
                "pairs": pairs,
                **order,
            },
            "goal": {"half_width": draw(st.floats(0.05, 2))},
            "screening": {"vision": draw(st.booleans()), "plates": draw(st.integers(0, 4))},
            "about": draw(st.lists(st.sampled_from(list(ABOUT_TEXTS)), unique=True)),
            "own_questions": draw(own_questions(languages)),
            "invited_only": draw(st.booleans()),
            "recruitment": draw(st.sampled_from([None, recruitment])),
        }
    )


@pytest.mark.slow
@settings(max_examples=40)
@given(definition=definitions(), keys_stay=...)
def test_a_form_left_as_it_is_says_the_same_again(definition: Definition, keys_stay: bool):
    for name, form in FORMS.items():
        if name == "privacy" and is_untouched(definition):
            continue
        values = offered(form(definition=definition, keys_stay=keys_stay))
        again = form(posted(values), definition=definition, keys_stay=keys_stay)
        assert again.is_valid(), (name, again.errors)
        assert again.definition == definition, name
        assert again.definition.sha256 == definition.sha256


def test_every_key_is_in_one_form_or_cannot_change_at_all():
    studies = [Definition(title="T"), Definition(title="T", method="pair")]
    forms = [form(definition=study) for study in studies for form in FORMS.values()]
    names = [re.sub(r"\.\d+\.", ".", name.partition(":")[0]) for form in forms for name in set(form.fields)]
    elsewhere = ("files", "images", "wording")
    # Another language by its code, and the kind of the stop rule: fields that no file has.
    assert set(names) - {"another", "stop_by"} == {
        path for path in paths(Definition) if path.partition(".")[0] not in elsewhere
    }
    for form in forms:
        shown = [field.name for group in form.groups for field in group.fields]
        assert sorted(shown) == sorted(form.fields)


def test_a_form_left_as_it_is_keeps_a_languages_own_wording():
    definition = Definition.model_validate({"title": "T", **ITALIAN})
    for name, form in FORMS.items():
        values = offered(form(definition=definition)) | ({"purge_on": ""} if name == "privacy" else {})
        again = form(posted(values), definition=definition)
        assert again.is_valid(), (name, again.errors)
        assert again.definition.sha256 == definition.sha256, name
    shown = {name.partition(":")[0] for name in FORMS["languages"](definition=definition).fields}
    assert {"wording.name", "wording.texts"} <= shown


def test_every_number_says_its_default():
    for form in (form(definition=Definition(title="T")) for form in FORMS.values()):
        for name, field in form.fields.items():
            if isinstance(field, IntegerField | FloatField):
                said = field.default  # type: ignore[attr-defined]
                assert "Default: " in said, name
                table, _, key = name.partition(".")
                used = getattr(getattr(Definition(title="T"), table, None), key, None)
                if (told := re.search(r"Default: ([\d.]*\d)", said)) and used is not None:
                    assert float(told[1]) == used, name


def test_a_study_wants_as_many_votes_as_its_answer_asks_for():
    assert Goal().votes == PEOPLE_OUTSIDE


def test_the_privacy_form_offers_a_day_90_days_away():
    form = PrivacyForm(definition=Definition(title="T"))
    assert form.fields["purge_on"].initial == timezone.localdate() + dt.timedelta(days=90)
    given = Definition.model_validate({"title": "T", "consent": {"contact": "a@example.org"}})
    assert PrivacyForm(definition=given).fields["purge_on"].initial is None
