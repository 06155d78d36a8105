"""What is wrong with a value of a plan or a study file is said in words, with the value that stands there."""

from __future__ import annotations

import pytest

from generator.plans.document import PlanError, document_of
from survey.study.study_file import DefinitionError, parse

TITLE = 'title = "T"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = 5", "title: must be text in quotes, not 5"),
        (
            'slug = "Not Good"',
            "slug: must be small letters, digits, - and _, and begin with a letter or a digit, not",
        ),
        ("repeats = true", "repeats: must be a whole number, not true"),
        ("repeats = 0", "repeats: must be at least 1, not 0"),
        ('images = "x"', "images: must be a table of keys and values, not 'x'"),
        ('[images]\ncontent = "a.jpg"', "images.content: must be a list in brackets, not 'a.jpg'"),
        ('[images]\npairs = [["a"]]', "images.pairs.1: must have at least 2 entries"),
        ("[factors]\nsize = []", "factors.size: must not be empty"),
        (
            '[[blends]]\nname = "x*"\nstyles = [{file = "a"}]',
            "blends.1.name: must have 1 to 100 characters, none",
        ),
        (
            '[[blends]]\nname = "x"\nstyles = [{file = "a", weight = -1}]',
            "blends.1.styles.1.weight: must be above 0, not -1",
        ),
    ],
)
def test_of_a_plan(text, message):
    with pytest.raises(PlanError) as caught:
        document_of(text, "plan.toml")
    assert f"plan.toml: {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('title = ""', "title: must not be empty"),
        (TITLE + "consent = 5", "consent: must be a table of keys and values, not 5"),
        (TITLE + '[consent]\nminutes = "eight"', "consent.minutes: must be a whole number, not 'eight'"),
        (TITLE + "[session]\nimages = true", "session.images: must be a whole number, not true"),
        (TITLE + 'languages = ["english"]', "languages.1: must be the code of a language"),
        (
            TITLE + "purge_on = 2099-12-31T10:00:00",
            "purge_on: must be a date without a time, such as 2026-12-31, not 2099",
        ),
        (TITLE + '[viewing]\ndistance = "far"', "viewing.distance: must be true or false, not 'far'"),
        (
            TITLE + 'method = "pairs"',
            "method: must be 'acr', 'acr-hr', 'dcr' or 'pair', not 'pairs' (did you mean 'pair'?)",
        ),
        (
            TITLE + '[[questions]]\nkey = "Overall quality"\ntext = "x"',
            "questions.1.key: must be at most 40 small letters",
        ),
        (TITLE + '[[questions]]\ntext = "x"', "questions.1.key: is missing"),
    ],
)
def test_of_a_study(text, message):
    with pytest.raises(DefinitionError) as caught:
        parse(text, "study.toml")
    assert f"study.toml: {message}" in str(caught.value)
