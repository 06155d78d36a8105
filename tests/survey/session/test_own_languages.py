"""Languages that ship with no wording: a study brings its own, and says what it lacks."""

from __future__ import annotations

import io
from typing import Any

import pytest
import tomli_w
from django.core.management import call_command
from django.utils import translation
from PIL import Image

from survey.models import Study
from survey.study.readiness import wording_gaps
from survey.study.study_file import DefinitionError, parse, to_toml
from survey.study.trap import WORDS
from survey.study.wording import EVERYBODY, TRAP_REQUEST, TRAP_THANKS, page_texts, plain
from tests.survey.factories import answer, current, folder_of_pictures, join, make_study, rate_all
from tests.survey.session.test_languages import entries

pytestmark = pytest.mark.django_db

LABELS = {
    "en": ["Bad", "Poor", "Fair", "Good", "Excellent"],
    "it": ["Pessima", "Scarsa", "Discreta", "Buona", "Ottima"],
}
ITALIAN: dict[str, Any] = {
    "languages": ["en", "it"],
    "questions": [
        {"key": "overall", "text": {"en": "How good is it?", "it": "Com'è?"}, "labels": LABELS},
    ],
    "wording": {
        "it": {
            "texts": {
                "Begin": "Inizia",
                "Image {n} of {of}": "Immagine {n} di {of}",
                "It takes about {minutes} minute.": "Dura circa {minutes} minuto.",
                "Shown at {n} % of its size": "Mostrata al {n} % della sua grandezza",
                "Answers so far: {of}, saved: {n}": "Salvate {n} su {of}",
                "Thank you": "Grazie",
            }
        }
    },
}


def italian(**more: Any) -> Study:
    """Publish a study in English and Italian."""
    return make_study(tomli_w.dumps({**ITALIAN, **more}))


def test_a_session_in_a_language_of_the_studys_own(client):
    italian()
    page = client.get("/s/study/", headers={"accept-language": "it-CH,en;q=0.5"}).content.decode()
    assert '<html lang="it">' in page
    assert ">Inizia</button>" in page
    assert "Dura circa 1 minuto." in page
    assert ">Italiano</a>" in page
    join(client, Study.objects.get(), language="it")
    page = client.get("/s/study/rate/").content.decode()
    assert "Com&#x27;è?" in page
    assert "Ottima</label>" in page
    assert "Immagine 1 di 6" in page
    assert 'data-count="Immagine {n} di {of}"' in page
    assert 'data-shrunk="Mostrata al {n} % della sua grandezza"' in page
    answer(client, current(Study.objects.get().participants.get()), 4)
    assert "Salvate 1 su 1." in client.get("/s/study/rate/").content.decode()


def test_what_it_leaves_out_is_said_in_english_and_told_to_the_researcher(client):
    study = italian()
    join(client, study, language="it")
    assert ">Next</button>" in client.get("/s/study/rate/").content.decode()
    (gap,) = wording_gaps(parse("title = 'T'\n" + tomli_w.dumps(ITALIAN), "f"))
    assert gap.startswith(
        f"{len(page_texts()) - 6} of {len(page_texts())} texts of the pages have no Italian wording"
    )


def test_one_participants_language_stays_with_them(client):
    study = italian()
    join(client, study, language="it")
    rate_all(study.participants.get())
    assert "Grazie" in client.get("/s/study/done/").content.decode()
    client.cookies.clear()
    assert "Begin" in client.get("/s/study/?language=en").content.decode()
    assert translation.get_language() == "en"


def test_right_to_left_languages_turn_the_page(client):
    labels = {"ar": ["سيئة", "ضعيفة", "مقبولة", "جيدة", "ممتازة"]}
    question = {"key": "overall", "text": {"ar": "كيف؟"}, "labels": labels}
    make_study(
        tomli_w.dumps({"languages": ["ar"], "questions": [question], "wording": {"ar": {"texts": {}}}})
    )
    assert '<html lang="ar" dir="rtl">' in client.get("/s/study/").content.decode()


def test_a_code_that_nobody_knows_can_have_a_name(client):
    question = {"key": "overall", "text": "nuqneH?", "labels": ["1", "5"]}
    wording = {"tlh": {"name": "tlhIngan Hol", "texts": {"Begin": "yItagh"}}}
    make_study(tomli_w.dumps({"languages": ["tlh", "en"], "questions": [question], "wording": wording}))
    page = client.get("/s/study/").content.decode()
    assert "TlhIngan Hol</a>" in page
    assert "yItagh" in page


def test_the_attention_picture_speaks_the_studys_own_wording(monkeypatch):
    said = []

    def draw(label: str, words: tuple[str, str]) -> Image.Image:
        said.append((label, *words))
        return Image.new("RGB", (8, 8))

    monkeypatch.setattr("survey.study.publish.trap_picture", draw)
    texts = {TRAP_REQUEST: "Scelga:"}
    italian(images={"trap": 4}, wording={"it": {"texts": texts}})
    assert said == [("Good", *WORDS["en"]), ("Buona", TRAP_THANKS, "Scelga:")]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"wording": {}}, "languages: 'it' has no accepted wording here"),
        ({"wording": {"it": {}, "de": {}}}, "wording.de: this language has its accepted wording"),
        ({"wording": {"it": {}, "nl": {}}}, "wording.nl: nl is none of languages"),
        ({"wording": {"it": {"texts": {"Beginn": "Inizia"}}}}, "'Begin' is one"),
        ({"wording": {"it": {"texts": {"Image {n} of {of}": "{n}"}}}}, "must have {n}, {of}"),
        ({"languages": ["en", "it-it-it"]}, "languages.2"),
        ({"questions": [{"key": "overall", "text": "?"}]}, "there are no accepted labels in it"),
        ({"questions": []}, "no accepted labels in it"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_its_place(change, fault):
    with pytest.raises(DefinitionError) as error:
        parse("title = 'T'\n" + tomli_w.dumps({**ITALIAN, **change}), "study.toml")
    assert fault in error.value.lines[0]


def test_the_file_says_the_same_again():
    definition = parse("title = 'T'\n" + tomli_w.dumps(ITALIAN), "f")
    assert parse(to_toml(definition), "f") == definition


def test_a_study_with_an_earlier_text_of_a_page_keeps_its_wording(client):
    earlier = {"it": {"texts": {"Saved {n} of {of}": "Salvate {n} su {of}"}}}
    italian(wording=earlier)
    join(client, Study.objects.get(), language="it")
    assert 'data-saved="Salvate {n} su {of}"' in client.get("/s/study/rate/").content.decode()


def test_the_command_says_which_texts_are_missing(tmp_path):
    folder_of_pictures(tmp_path / "images", ["a.png", "b.png"])
    (tmp_path / "study.toml").write_text("title = 'T'\n" + tomli_w.dumps(ITALIAN))
    out = io.StringIO()
    call_command("create_study", "new", images=tmp_path / "images", file=tmp_path / "study.toml", stdout=out)
    assert "texts of the pages have no Italian wording: people see them in English." in out.getvalue()


def test_every_page_text_is_one_that_a_page_says():
    assert {"Begin", "Image {n} of {of}", "It takes about {minutes} minutes.", TRAP_THANKS} <= set(
        page_texts()
    )
    assert len(page_texts()) == len(set(page_texts()))
    assert not [text for text in page_texts() if "%(" in text or "%%" in text or not text]
    assert "Sign in" not in page_texts()
    assert set(EVERYBODY) <= {plain(text) for text, _ in entries("de")} | {
        "It takes about {minutes} minutes."
    }
