"""The participant's pages in English, French, German and Spanish, with each language's accepted labels."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Collection
from pathlib import Path

import pytest

import survey
from survey.study.scales import ACR, DCR, LANGUAGES, QUESTIONS
from survey.study.trap import WORDS
from tests.survey.factories import join, make_study

LOCALE = Path(survey.__file__).parent / "locale"
OTHERS = [code for code in LANGUAGES if code != "en"]


def entries(language: str) -> list[tuple[str, str]]:
    """Return (text, first translation) of a catalogue, as gettext's text format has them."""
    text = (LOCALE / language / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
    quoted = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
    found = re.findall(
        rf"^msgid {quoted}(?:msgid_plural {quoted})?msgstr(?:\[0\])? {quoted}", text, re.MULTILINE
    )
    join_lines = lambda lines: "".join(ast.literal_eval(line) for line in lines.split("\n") if line)  # noqa: E731
    return [(join_lines(key), join_lines(value)) for key, _, value in found if join_lines(key)]


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_and_compiled(language):
    """A machine with pip alone has no msgfmt: the compiled catalogue is kept, and must not lag behind."""
    compiled = gettext.translation("django", LOCALE, [language])
    texts = entries(language)
    assert len(texts) >= 130
    for text, translation in texts:
        assert translation
        assert compiled.ngettext(text, text, 1) == translation or compiled.gettext(text) == translation
        assert sorted(re.findall(r"%\(\w+\)s|\{\w+\}", text)) == sorted(
            re.findall(r"%\(\w+\)s|\{\w+\}", translation)
        )


def test_every_scale_question_and_trap_is_there_in_every_language():
    tables: list[Collection[str]] = [ACR, DCR, WORDS, *QUESTIONS.values()]
    assert all(set(table) == set(LANGUAGES) for table in tables)
    for scale in (ACR, DCR):
        assert all(len(set(labels)) == 5 for labels in scale.values())


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_session_in_each_language_shows_its_labels_and_no_other_languages(client, language):
    join(client, make_study(f'languages = ["{language}"]\n'))
    page = client.get("/s/study/rate/").content.decode()
    assert f'lang="{language}"' in page
    assert all(f"{label}</label>" in page for label in ACR[language])
    if language != "en":
        assert not [
            text
            for text in ("Next<", "Undo<", "Stop or withdraw", "Answers so far", "Image 1 of")
            if text in page
        ]


@pytest.mark.django_db
def test_a_percent_sign_survives_translation(client):
    join(client, make_study('languages = ["de"]\n'))
    assert 'data-shrunk="Auf {n} % seiner Größe verkleinert"' in client.get("/s/study/rate/").content.decode()
