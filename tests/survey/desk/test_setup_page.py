"""The owner's set-up page: link, QR code, state, and the same definition through a form."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from survey.session import services
from survey.study.definition import definition_of
from tests.survey.desk.test_study_form import offered
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return make_study('languages = ["en", "de"]\n[session]\nimages = 4\n')


@pytest.fixture
def owner(client, study):
    study.owner = User.objects.create_user("owner", password="x")
    study.save()
    client.force_login(study.owner)
    return study.owner


def filled(client) -> dict[str, str]:
    """Return the form as the page offers it."""
    return offered(client.get("/studies/study/setup/").context["form"])


@pytest.mark.parametrize("path", ["", "qr.svg"])
def test_strangers_are_told_nothing(client, study, path):
    address = f"/studies/study/setup/{path}"
    assert client.get(address).status_code == 302
    client.force_login(User.objects.create_user("stranger", password="x"))
    assert client.get(address).status_code == 404


def test_the_link_stands_there_as_text_and_as_a_code(client, owner):
    assert "http://testserver/s/study/" in client.get("/studies/study/setup/").content.decode()
    code = client.get("/studies/study/setup/qr.svg")
    assert code.headers["Content-Type"] == "image/svg+xml"
    assert b"<svg" in code.content


@pytest.mark.parametrize("state", ["paused", "closed", "open"])
def test_a_study_is_opened_paused_and_closed(client, owner, study, state):
    client.post("/studies/study/setup/state/", {"state": state})
    study.refresh_from_db()
    assert study.state == state


def test_an_unknown_state_changes_nothing(client, owner, study):
    client.post("/studies/study/setup/state/", {"state": "draft"})
    study.refresh_from_db()
    assert study.state == "open"


def test_the_form_as_offered_changes_nothing(client, owner, study):
    before = study.version
    assert client.post("/studies/study/setup/", filled(client)).status_code == 302
    assert study.version == before
    form = filled(client) | {"title:de": "Eine Studie", "title:en": "A study"}
    assert client.post("/studies/study/setup/", form).status_code == 302
    assert definition_of(study.version).title == {"en": "A study", "de": "Eine Studie"}
    assert study.versions.count() == 1


def test_a_change_after_someone_took_part_is_a_new_version(client, owner, study):
    services.start(study)
    form = filled(client) | {"consent.minutes": "7", "session.images": "", "consent.version": "2"}
    client.post("/studies/study/setup/", form)
    version = study.version
    definition = definition_of(version)
    assert (version.number, definition.consent.minutes, definition.session.images) == (2, 7, None)
    assert definition.consent.version == "2"


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("title:en", "", "This field is required."),
        ("consent.minutes", "46", "less than or equal to 45"),
        ("consent.purpose:en", "Only in English", "Translate this into every language"),
        ("purge_on", "soon", "Enter a valid date"),
        ("languages", [], "This field is required."),
        (
            "questions.1.labels:de",
            "eins\nzwei\ndrei",
            "3 labels (de); the scale 1:5 takes 5, or two for the ends",
        ),
        ("questions.1.scale", "9:1", "is no scale: the low end of a scale must be below its high end"),
        ("questions.1.show_value", "on", "which always show their value"),
        ("questions.1.key", "Overall", "should match pattern"),
        ("questions.2.key", "style", "empty the whole row to take it away"),
        ("recruitment.complete", "C1", "Choose the platform of these codes"),
        ("recruitment.platform", "mturk", "recruitment.complete: Field required"),
    ],
)
def test_a_fault_is_told_beside_its_field_and_nothing_is_saved(client, owner, study, field, value, complaint):
    response = client.post("/studies/study/setup/", filled(client) | {field: value})
    assert response.status_code == 422
    assert complaint in response.content.decode()
    assert study.versions.count() == 1


def test_a_newly_ticked_language_asks_for_its_texts(client, owner, study):
    form = filled(client) | {"languages": ["en", "de", "fr"]}
    response = client.post("/studies/study/setup/", form)
    assert response.status_code == 422
    faulty = response.context["form"].errors
    assert set(faulty) == {"title:fr", "questions.1.text:fr"}
    form |= {"title:fr": "Une étude", "questions.1.text:fr": "Quelle qualité ?"}
    assert client.post("/studies/study/setup/", form).status_code == 302
    definition = definition_of(study.version)
    assert definition.languages == ["en", "de", "fr"]
    assert definition.say(definition.title, "fr") == "Une étude"
    assert definition.labels(definition.questions[0], "fr")[4] == "Excellent"


def test_questions_come_and_go_until_somebody_took_part(client, owner, study):
    style = {
        "questions.2.key": "style",
        "questions.2.text:en": "How close?",
        "questions.2.text:de": "Wie nah?",
    }
    style |= {"questions.2.labels:en": "Not\r\nA bit\r\nPartly\r\nMostly\r\nFully\r\n"}
    client.post("/studies/study/setup/", filled(client) | style)
    assert list(study.questions.values_list("key", flat=True)) == ["overall", "style"]
    asked = definition_of(study.version)
    assert asked.labels(asked.questions[1], "en") == ["Not", "A bit", "Partly", "Mostly", "Fully"]
    assert asked.labels(asked.questions[1], "de")[0] == "Schlecht"
    gone = {name: "" for name in filled(client) if name.startswith("questions.1.")}
    client.post("/studies/study/setup/", filled(client) | gone)
    assert list(study.questions.values_list("key", flat=True)) == ["style"]


def test_afterwards_a_question_changes_its_words_alone(client, owner, study):
    services.start(study)
    form = filled(client)
    assert "questions.2.key" not in client.get("/studies/study/setup/").context["form"].fields
    changed = form | {"questions.1.key": "other", "questions.1.text:en": "How good?"}
    client.post("/studies/study/setup/", changed)
    (question,) = definition_of(study.version).questions
    assert (question.key, study.version.number) == ("overall", 2)
    assert definition_of(study.version).say(question.text, "en") == "How good?"


def test_a_fault_of_a_question_after_an_emptied_row_is_told_beside_its_own(client, owner, study):
    gone = {name: "" for name in filled(client) if name.startswith("questions.1.")}
    other = {
        "questions.2.key": "Style",
        "questions.2.text:en": "How close?",
        "questions.2.text:de": "Wie nah?",
    }
    response = client.post("/studies/study/setup/", filled(client) | gone | other)
    assert set(response.context["form"].errors) == {"questions.2.key"}


def test_a_crowd_platform_is_named_and_left(client, owner, study):
    prolific = {"platform": "prolific", "complete": "C1", "screened_out": "C2", "withdrew": "C3"}
    prolific = {f"recruitment.{name}": value for name, value in prolific.items()}
    elsewhere = prolific | {"recruitment.return_to": "https://example.org/"}
    response = client.post("/studies/study/setup/", filled(client) | elsewhere)
    assert set(response.context["form"].errors) == {"recruitment.return_to"}
    client.post("/studies/study/setup/", filled(client) | prolific)
    recruitment = definition_of(study.version).recruitment
    assert (recruitment.platform, recruitment.withdrew, recruitment.return_to) == ("prolific", "C3", None)
    client.post("/studies/study/setup/", filled(client) | dict.fromkeys(prolific, ""))
    assert definition_of(study.version).recruitment is None


def test_the_page_says_what_stays_and_where_it_stands(client, owner):
    page = client.get("/studies/study/setup/").content.decode()
    assert "Method and images (practice, references, gold, trap) stay as published" in page
    assert 'href="/studies/study/setup/file/"' in page


def test_a_scale_is_set_until_somebody_took_part(client, owner, study):
    form = filled(client) | {"questions.1.scale": "0:100", "questions.1.show_value": "on"}
    form |= {"questions.1.labels:en": "never\nalways"}
    assert client.post("/studies/study/setup/", form).status_code == 302
    (question, *_) = definition_of(study.version).questions
    assert (question.scale, question.show_value) == ("0:100", True)
    assert definition_of(study.version).labels(question, "de") == ["Schlecht", "Ausgezeichnet"]
    services.start(study)
    form = filled(client) | {"questions.1.scale": "1:7"}
    client.post("/studies/study/setup/", form)
    assert definition_of(study.version).questions[0].scale == "0:100"
