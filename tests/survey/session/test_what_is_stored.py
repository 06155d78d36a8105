"""The welcome page names everything that is stored of a person."""

from __future__ import annotations

import re
from typing import Final

import pytest
from django.apps import apps
from django.db.models import Model

from survey.models import Exclusion, Invitation, OwnAnswer, Participant, Preference, Rating, Recruit, Trial
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db

ASKS_ALL: Final = """
about = ["age"]
languages = ["en", "de"]
[screening]
vision = true
[viewing]
card = true
distance = true
[[own_questions]]
key = "job"
text = "What do you do?"
[[own_questions]]
key = "why"
about = "image"
text = "Why?"
[recruitment]
platform = "prolific"
complete = "DONE1234"
screened_out = "OUT12345"
withdrew = "LEFT1234"
"""
#: Set by the program before anybody answers, or by the rules: it tells nothing of the person.
PROGRAM: Final = ""
TIMES: Final = "Your answers, their times"
ANSWERS: Final = "Your answers"
LANGUAGE, INPUT, CHANGED = "in which language", "by mouse, touch or keys", "whether you changed your answer"
COOKIE: Final = "One cookie lets you come back"
ANSWER: Final = {
    "id": PROGRAM,
    "trial": PROGRAM,
    "question": PROGRAM,
    "changes": CHANGED,
    "rt_ms": TIMES,
    "input": INPUT,
    "created_at": TIMES,
    "value": ANSWERS,
    "first_value": CHANGED,
}
#: Each column of each table that holds something of a person -> the words of the page that name it.
NAMED: Final[dict[type[Model], dict[str, str]]] = {
    Participant: {
        **dict.fromkeys(("id", "study", "version", "code", "order_row", "block_order", "seed"), PROGRAM),
        **dict.fromkeys(
            ("consent_version", "is_preview", "is_simulated", "group", "batches", "review"), PROGRAM
        ),
        "token": COOKIE,
        "withdrawal": "You get a code",
        "state": ANSWERS,
        "language": LANGUAGE,
        **dict.fromkeys(("consented_at", "started_at", "last_seen_at", "finished_at"), TIMES),
        "screening": "What you answer in the short tests at the start",
        "viewing": "How large the pixels of your screen are, and how far away you sit",
        "before": "What you answer to a few questions about yourself",
        "about": "what you choose to say about yourself, in broad groups",
    },
    Trial: {
        **dict.fromkeys(("id", "participant", "stimulus", "other", "position", "phase", "block"), PROGRAM),
        **dict.fromkeys(("token", "counted"), PROGRAM),
        "revision": CHANGED,
        "outcome": ANSWERS,
        # Why an image could not be shown.
        "reason": "how long it took to load",
        "shown_at": TIMES,
        "answered_at": TIMES,
        "viewport_w": "the size of your window",
        "viewport_h": "the size of your window",
        "shown_w": "the size of the images on your screen",
        "shown_h": "the size of the images on your screen",
        "dpr": "the sharpness of your screen",
        "zoom": "whether the image was enlarged or zoomed",
        "enlarged": "whether the image was enlarged or zoomed",
        "load_ms": "how long it took to load",
    },
    Rating: ANSWER,
    Preference: ANSWER,
    OwnAnswer: {
        "id": PROGRAM,
        "trial": PROGRAM,
        **dict.fromkeys(("key", "words", "chosen"), "What you answer to further questions about the images"),
    },
    Recruit: {
        **dict.fromkeys(("id", "study", "participant"), PROGRAM),
        **dict.fromkeys(
            ("platform", "person", "session", "assignment"), "The participant number from the platform"
        ),
    },
    Invitation: {
        **dict.fromkeys(("id", "study", "token", "created_at"), PROGRAM),
        # The link that brings them back: it does what the cookie does.
        "participant": COOKIE,
        "used_at": TIMES,
    },
}


@pytest.mark.parametrize("table", NAMED, ids=lambda table: table.__name__)
def test_every_column_that_is_stored_is_named_on_the_welcome_page(client, table):
    assert {field.name for field in table._meta.concrete_fields} == set(NAMED[table])
    make_study(ASKS_ALL)
    page = re.sub(r"\s+", " ", client.get("/s/study/?PROLIFIC_PID=p1&language=en").content.decode())
    stored = page.partition("What is stored")[2]
    assert not [words for words in NAMED[table].values() if words not in stored]


def test_no_table_that_holds_something_of_a_person_is_forgotten():
    of_people = {
        model
        for model in apps.get_app_config("survey").get_models()
        if any(field.related_model in (Participant, Trial) for field in model._meta.concrete_fields)
    }
    # An exclusion is the researcher's decision, which the log keeps.
    assert of_people == set(NAMED) - {Participant} | {Exclusion}


def test_what_a_study_does_not_ask_is_not_named(client):
    make_study()
    page = client.get("/s/study/").content.decode()
    for words in ("short tests", "pixels of your screen", "about yourself", "further questions", "platform"):
        assert words not in page
