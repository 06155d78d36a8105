"""The owner's set-up: the list of tasks, a page for each, and the check before a study opens."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from survey.models import Stimulus, Study
from survey.session import starting
from survey.study.definition import Definition, definition_of
from survey.study.pictures import PublishError
from survey.study.readiness import practice_alike, same_pictures
from survey.study.revise import revise
from survey.study.wording import page_texts
from tests.survey.desk.test_task_forms import offered
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db

SETUP = "/studies/study/setup/"


@pytest.fixture
def study() -> Study:
    return make_study('languages = ["en", "de"]\n[session]\nimages = 4\n')


@pytest.fixture
def owner(client, study):
    study.owner = User.objects.create_user("owner", password="x")
    study.save()
    client.force_login(study.owner)
    return study.owner


@pytest.fixture
def draft(owner: User, study: Study) -> Study:
    study.state = Study.State.DRAFT
    study.save()
    return study


def filled(client, task: str) -> dict[str, Any]:
    """Return a task's form as the page offers it."""
    return offered(client.get(f"{SETUP}{task}/").context["form"])


def send(client, task: str, **changes: Any):
    """Send a task's form with some fields changed; `__` in a name stands for a dot."""
    return client.post(f"{SETUP}{task}/", filled(client, task) | changes)


def statuses(client) -> dict[str, str]:
    """Return the status of each task on the list."""
    groups = client.get(SETUP).context["setup"].groups
    return {task.title: task.status for group in groups for task in group.tasks}


@pytest.mark.parametrize("path", ["", "qr.svg", "texts/", "open/"])
def test_strangers_are_told_nothing(client, study, path):
    assert client.get(SETUP + path).status_code == 302
    client.force_login(User.objects.create_user("stranger", password="x"))
    assert client.get(SETUP + path).status_code == 404


def test_the_link_is_there_as_text_and_as_a_code(client, owner):
    assert "http://testserver/s/study/" in client.get(SETUP).content.decode()
    code = client.get(f"{SETUP}qr.svg")
    assert code.headers["Content-Type"] == "image/svg+xml"
    assert b"<svg" in code.content


@pytest.mark.parametrize("state", ["paused", "closed", "open"])
def test_a_study_is_opened_paused_and_closed(client, owner, study, state):
    client.post(f"{SETUP}state/", {"state": state})
    study.refresh_from_db()
    assert study.state == state


def test_an_unknown_state_changes_nothing(client, owner, study):
    client.post(f"{SETUP}state/", {"state": "draft"})
    study.refresh_from_db()
    assert study.state == "open"


def test_the_list_says_what_is_left(client, draft):
    page = client.get(SETUP).content.decode()
    assert "Two things are left before you can open this study." in page
    told = statuses(client)
    assert told["State privacy and who is responsible"] == "Say who is responsible"
    assert told["Check, then open the study"] == "Cannot start yet"
    assert told["Take part yourself"] == "Not yet tried"
    send(client, "privacy", **{"consent.organiser:en": "A lab", "consent.organiser:de": "Ein Labor"})
    assert "One thing is left" in client.get(SETUP).content.decode()
    send(client, "privacy", **{"consent.contact": "lab@example.org"})
    assert "Everything is ready." in client.get(SETUP).content.decode()
    assert statuses(client)["State privacy and who is responsible"] == "Done"


def test_what_nobody_needs_is_optional_until_it_is_used(client, draft):
    told = statuses(client)
    assert told["Ask more, if you like"] == told["Compare groups of people, if you like"] == "Optional"


def test_an_open_study_says_what_its_people_are_not_told(client, owner, study):
    """A command opens a study without a name and a contact."""
    page = client.get(SETUP).content.decode()
    assert "People can take part already, but something is missing" in page
    assert f'<a href="{SETUP}privacy/">Say who is responsible.</a>' in page
    said = {"consent.organiser:en": "A lab", "consent.organiser:de": "Labor", "consent.contact": "a@b.org"}
    send(client, "privacy", **said)
    assert "something is missing" not in client.get(SETUP).content.decode()


def test_a_draft_without_a_contact_does_not_open(client, draft):
    response = client.post(f"{SETUP}state/", {"state": "open", "page": "live"}, follow=True)
    assert response.request["PATH_INFO"] == f"{SETUP}open/"
    assert "Give a contact that people can write to." in response.content.decode()
    draft.refresh_from_db()
    assert draft.state == "draft"
    assert b"Open the study</button>" not in response.content


def test_a_draft_that_is_ready_opens_and_says_since_when(client, draft):
    said = {
        "consent.organiser:en": "A lab",
        "consent.organiser:de": "Labor",
        "consent.contact": "a@example.org",
    }
    send(client, "privacy", **said)
    assert b"Open the study</button>" in client.get(f"{SETUP}open/").content
    response = client.post(f"{SETUP}state/", {"state": "open", "page": "live"}, follow=True)
    assert response.request["PATH_INFO"] == "/studies/study/live/"
    assert "Open since " in response.content.decode()
    draft.refresh_from_db()
    assert draft.state == "open"


def test_what_does_not_block_is_said_as_well(client, draft):
    page = client.get(f"{SETUP}open/").content.decode()
    assert "You have not tried it yourself." in page
    assert "No gold images and no attention picture" in page
    assert "The smallest image is 48 px wide" in page


@pytest.mark.parametrize("task", ["texts", "languages", "questions", "assignment", "recruitment"])
def test_a_form_as_offered_changes_nothing(client, owner, study, task):
    before = study.version
    assert send(client, task).status_code == 302
    assert study.version == before


def test_one_task_is_saved_and_no_other(client, owner, study):
    response = client.post(
        f"{SETUP}texts/", filled(client, "texts") | {"title:de": "Eine Studie"}, follow=True
    )
    assert "Saved: texts." in response.content.decode()
    definition = definition_of(study.version)
    assert (definition.title, definition.session.images) == ({"en": "A study", "de": "Eine Studie"}, 4)
    assert study.versions.count() == 1


def test_a_change_after_someone_took_part_is_a_new_version(client, owner, study):
    starting.start(study)
    send(client, "assignment", **{"consent.minutes": "7", "session.images": ""})
    version = study.version
    definition = definition_of(version)
    assert (version.number, definition.consent.minutes, definition.session.images) == (2, 7, None)


@pytest.mark.parametrize(
    ("task", "field", "value", "complaint"),
    [
        ("texts", "title:en", "", "Give the study a title."),
        (
            "texts",
            "consent.purpose:en",
            "Only in English",
            "(German): translate this, or clear it in every language.",
        ),
        ("assignment", "consent.minutes", "46", "less than or equal to 45"),
        ("assignment", "goal.half_width", "9", "less than or equal to 2"),
        ("privacy", "purge_on", "soon", "Enter a valid date"),
        ("languages", "languages", [], "Tick at least one language."),
        (
            "questions",
            "questions.1.labels:de",
            "eins\nzwei\ndrei",
            "3 labels (de); the scale 1:5 takes 5, or two for the ends",
        ),
        ("questions", "questions.1.scale", "9:1", "is no scale: the low end of a scale must be below"),
        ("questions", "questions.1.show_value", "on", "which always show their value"),
        ("questions", "questions.1.key", "Overall", "Must be at most 40 small letters"),
        ("questions", "questions.2.key", "style", "clear all its fields to remove it"),
        ("recruitment", "recruitment.complete", "C1", "Choose the platform of these codes"),
        ("recruitment", "recruitment.platform", "mturk", "Fill this in."),
    ],
)
def test_a_fault_is_told_above_and_beside_its_field_and_nothing_is_lost(
    client, owner, study, task, field, value, complaint
):
    sent = filled(client, task) | {field: value}
    response = client.post(f"{SETUP}{task}/", sent)
    assert response.status_code == 422
    page = response.content.decode()
    form = response.context["form"]
    problems = [problem for problem in form.problems if complaint in problem.text]
    assert problems
    assert page.count(complaint) == 2 * len(problems)
    for problem in problems:
        assert f'href="#{problem.target}"' in page
        assert f'id="{problem.target}"' in page
    assert all(form[name].value() == (True if value == "on" else value) for name, value in sent.items())
    assert study.versions.count() == 1


def test_a_newly_ticked_language_asks_for_the_own_texts_alone(client, owner, study):
    response = send(client, "languages", languages=["en", "de", "fr"])
    assert set(response.context["form"].errors) == {"title:fr"}
    assert "Translate “Title” into French, or use the English text." in response.content.decode()
    send(client, "languages", languages=["fr", "de", "en"], **{"title:fr": "Une étude"})
    definition = definition_of(study.version)
    assert definition.languages == ["en", "de", "fr"]
    assert definition.say(definition.title, "fr") == "Une étude"
    assert definition.say(definition.questions[0].text, "fr").startswith("Comment évaluez-vous")
    assert definition.labels(definition.questions[0], "fr")[4] == "Excellent"


def test_a_text_may_stay_in_the_first_language(client, owner, study):
    assert (
        send(client, "languages", languages=["en", "de", "es"], **{"same.title:es": "on"}).status_code == 302
    )
    definition = definition_of(study.version)
    assert definition.say(definition.title, "es") == "A study"


def test_own_questions_and_answers_are_translated_too(client, owner, study):
    own = {"questions.1.text:en": "How blue?", "questions.1.text:de": "Wie blau?"}
    own |= {"questions.1.labels:en": "a\nb\nc\nd\ne", "questions.1.labels:de": "f\ng\nh\ni\nj"}
    send(client, "questions", **own)
    response = send(client, "languages", languages=["en", "de", "fr"], **{"title:fr": "T"})
    assert set(response.context["form"].errors) == {"questions.1.text:fr", "questions.1.labels:fr"}
    said = {"title:fr": "T", "questions.1.text:fr": "Bleu ?", "questions.1.labels:fr": "1\n2\n3\n4\n5"}
    assert send(client, "languages", languages=["en", "de", "fr"], **said).status_code == 302
    definition = definition_of(study.version)
    assert definition.labels(definition.questions[0], "fr") == ["1", "2", "3", "4", "5"]


def test_a_language_is_taken_away(client, owner, study):
    assert send(client, "languages", languages=["de"]).status_code == 302
    assert definition_of(study.version).languages == ["de"]


def test_questions_come_and_go_until_somebody_took_part(client, owner, study):
    style = {
        "questions.2.key": "style",
        "questions.2.text:en": "How close?",
        "questions.2.text:de": "Wie nah?",
    }
    style |= {"questions.2.labels:en": "Not\r\nA bit\r\nPartly\r\nMostly\r\nFully\r\n"}
    send(client, "questions", **style)
    assert list(study.questions.values_list("key", flat=True)) == ["overall", "style"]
    asked = definition_of(study.version)
    assert asked.labels(asked.questions[1], "en") == ["Not", "A bit", "Partly", "Mostly", "Fully"]
    assert asked.labels(asked.questions[1], "de")[0] == "Schlecht"
    gone = {name: "" for name in filled(client, "questions") if name.startswith("questions.1.")}
    send(client, "questions", **gone)
    assert list(study.questions.values_list("key", flat=True)) == ["style"]


def test_afterwards_a_question_changes_its_words_alone(client, owner, study):
    starting.start(study)
    assert "questions.2.key" not in client.get(f"{SETUP}questions/").context["form"].fields
    changed = {"questions.1.key": "other", "questions.1.text:en": "How good?", "method": "pair"}
    send(client, "questions", **changed)
    (question,) = definition_of(study.version).questions
    assert (question.key, study.version.number, definition_of(study.version).method) == ("overall", 2, "acr")
    assert definition_of(study.version).say(question.text, "en") == "How good?"


def test_a_fault_of_a_question_after_an_emptied_row_is_told_beside_its_own(client, owner, study):
    gone = {name: "" for name in filled(client, "questions") if name.startswith("questions.1.")}
    other = {
        "questions.2.key": "Style",
        "questions.2.text:en": "How close?",
        "questions.2.text:de": "Wie nah?",
    }
    response = send(client, "questions", **gone, **other)
    assert set(response.context["form"].errors) == {"questions.2.key"}


def test_a_scale_is_set_until_somebody_took_part(client, owner, study):
    changed = {"questions.1.scale": "0:100", "questions.1.show_value": "on"}
    changed |= {"questions.1.labels:en": "never\nalways"}
    assert send(client, "questions", **changed).status_code == 302
    (question, *_) = definition_of(study.version).questions
    assert (question.scale, question.show_value) == ("0:100", True)
    assert definition_of(study.version).labels(question, "de") == ["Schlecht", "Ausgezeichnet"]
    starting.start(study)
    send(client, "questions", **{"questions.1.scale": "1:7"})
    assert definition_of(study.version).questions[0].scale == "0:100"


def test_the_ends_of_a_slider_come_with_a_new_language(client, owner, study):
    send(client, "questions", **{"questions.1.scale": "0:100", "questions.1.labels:en": "Bad\nExcellent"})
    response = send(client, "languages", languages=["en", "de", "fr"], **{"title:fr": "T"})
    assert response.status_code == 302
    definition = definition_of(study.version)
    assert definition.labels(definition.questions[0], "fr") == ["Mauvais", "Excellent"]


def test_a_crowd_platform_is_named_and_left(client, owner, study):
    prolific = {"platform": "prolific", "complete": "C1", "screened_out": "C2", "withdrew": "C3"}
    prolific = {f"recruitment.{name}": value for name, value in prolific.items()}
    elsewhere = prolific | {"recruitment.return_to": "https://example.org/"}
    response = send(client, "recruitment", **elsewhere)
    assert set(response.context["form"].errors) == {"recruitment.return_to"}
    send(client, "recruitment", **prolific)
    recruitment = definition_of(study.version).recruitment
    assert (recruitment.platform, recruitment.withdrew, recruitment.return_to) == ("prolific", "C3", None)
    send(client, "recruitment", **dict.fromkeys(prolific, ""))
    assert definition_of(study.version).recruitment is None


def test_privacy_is_saved_with_the_day_that_was_offered(client, draft):
    said = {
        "consent.organiser:en": "A lab",
        "consent.organiser:de": "Labor",
        "consent.contact": "a@example.org",
    }
    send(client, "privacy", **said)
    definition = definition_of(draft.version)
    assert definition.purge_on == timezone.localdate() + dt.timedelta(days=90)
    send(client, "privacy", purge_on="")
    assert definition_of(draft.version).purge_on is None


def named(study: Study) -> dict[str, str]:
    """Return {item: opaque name}."""
    return dict(study.stimuli.values_list("item", "name"))


def test_images_get_roles_by_selects(client, draft):
    names = named(draft)
    changes = {f"role.{names['cat-weak']}": "practice", f"role.{names['dog-weak']}": "left-out"}
    changes |= {f"role.{names['owl-weak']}": "gold", f"answer.{names['owl-weak']}": "1", "trap": "4"}
    assert send(client, "images", **changes).status_code == 302
    images = definition_of(draft.version).images
    assert (images.practice, images.left_out, images.trap) == (["cat-weak"], ["dog-weak"], 4)
    assert [(gold.item, gold.answer) for gold in images.gold] == [("owl-weak", 1)]
    assert "3 rated, 1 for practice, 1 gold, an attention picture" in client.get(SETUP).content.decode()
    before = draft.version.sha256
    assert send(client, "images").status_code == 302
    assert draft.version.sha256 == before


def test_a_gold_image_needs_its_answer_and_two_images_must_be_rated(client, draft):
    names = named(draft)
    response = send(client, "images", **{f"role.{names['cat-weak']}": "gold"})
    assert "Say the right answer for “cat-weak”." in response.content.decode()
    assert response.context["form"][f"role.{names['cat-weak']}"].value() == "gold"
    response = send(client, "images", **{f"role.{name}": "practice" for name in names.values()})
    assert "At least two images must be rated." in response.content.decode()


def test_a_name_with_a_star_means_itself(client, draft):
    draft.stimuli.filter(item="cat-weak").update(item="*[x]")
    names = named(draft)
    send(client, "images", **{f"role.{names['*[x]']}": "practice"})
    assert list(draft.stimuli.filter(role="practice").values_list("item", flat=True)) == ["*[x]"]


def test_factors_of_uploaded_images_are_typed_into_a_table(client, draft):
    draft.stimuli.update(factors={}, condition="")
    names = named(draft)
    said = {f"factor.0.{names['cat-weak']}": "0.1", f"content.{names['cat-weak']}": "tabby"}
    response = send(client, "images", **said)
    assert "Name this factor." in response.content.decode()
    assert send(client, "images", **said, **{"factor.0": "ratio"}).status_code == 302
    cat = draft.stimuli.get(item="cat-weak")
    assert (cat.factors, cat.content, cat.condition) == ({"ratio": 0.1}, "tabby", "ratio 0.1")
    assert draft.stimuli.get(item="dog-weak").factors == {}


def test_after_the_first_person_images_and_roles_stay(client, owner, study):
    starting.start(study)
    names = named(study)
    page = client.get(f"{SETUP}images/").content.decode()
    assert "images and roles stay as they are" in page
    # As text: a select for each of a thousand images took seconds.
    assert page.count("<span>cat-weak</span>") == 1
    assert 'name="role.' not in page
    client.post(f"{SETUP}images/", {f"role.{names['cat-weak']}": "practice"})
    assert definition_of(study.version).images.practice == []


def test_one_tap_goes_with_one_question(client, owner, study):
    assert send(client, "questions", answer="tap").status_code == 302
    assert definition_of(study.version).answer == "tap"
    style = {"questions.2.key": "style", "questions.2.text:en": "?", "questions.2.text:de": "?"}
    response = send(client, "questions", **style)
    assert set(response.context["form"].errors) == {"answer"}
    assert send(client, "questions", **style, answer="next").status_code == 302


ASKED: dict[str, Any] = {
    "own_questions.1.text:en": "Have you seen it?",
    "own_questions.1.text:de": "Kennen Sie es?",
    "own_questions.1.key": "seen",
    "own_questions.1.about": "image",
    "own_questions.1.answer": "one",
    "own_questions.1.choices:en": "Yes\nNo",
    "own_questions.1.choices:de": "Ja\nNein",
}


def test_own_questions_are_asked_by_the_form_and_removed_by_clearing_it(client, owner, study):
    assert send(client, "own_questions", **ASKED).status_code == 302
    (asked,) = definition_of(study.version).own_questions
    assert (asked.key, asked.about, asked.answer, asked.required) == ("seen", "image", "one", False)
    assert asked.choices == {"en": ["Yes", "No"], "de": ["Ja", "Nein"]}
    assert "1 about each image" in client.get(SETUP).content.decode()
    emptied = {name: "" for name in ASKED if name.endswith((":en", ":de", ".key"))}
    send(client, "own_questions", **emptied)
    assert definition_of(study.version).own_questions == []


@pytest.mark.parametrize(
    ("changed", "field", "told"),
    [
        ({"own_questions.1.choices:de": "Ja"}, "own_questions.1.choices:en", "at least 2"),
        ({"own_questions.1.key": "Seen it"}, "own_questions.1.key", "Must be at most 40 small letters"),
        ({"own_questions.1.text:de": ""}, "own_questions.1.text:de", "in every language"),
        ({"own_questions.1.answer": "text"}, "own_questions.1.choices:en", "An answer in words has none"),
    ],
)
def test_a_fault_of_an_own_question_stands_beside_its_field(client, owner, changed, field, told):
    page = send(client, "own_questions", **(ASKED | changed))
    assert page.status_code == 422
    assert told in str(page.context["form"].errors[field])
    assert "Have you seen it?" in page.content.decode()


def test_answers_of_one_kind_stay_of_that_kind_once_given(client, owner, study):
    send(client, "own_questions", **ASKED)
    starting.start(study)
    other = definition_of(study.version).model_dump(mode="json")
    other["own_questions"][0] |= {"answer": "text", "choices": None}
    with pytest.raises(PublishError, match="has answers of another kind already"):
        revise(study, Definition.model_validate(other))
    assert send(client, "own_questions", **{"own_questions.1.text:en": "Have you met it?"}).status_code == 302


def test_a_new_language_asks_for_the_own_questions_in_it(client, owner, study):
    send(client, "own_questions", **ASKED)
    page = send(client, "languages", languages=["en", "de", "fr"])
    assert page.status_code == 422
    names = page.context["form"].fields
    assert {"own_questions.1.text:fr", "own_questions.1.choices:fr"} <= set(names)


def test_a_language_that_does_not_ship_asks_for_every_text_and_is_then_spoken(client, owner, study):
    page = send(client, "languages", another="IT")
    assert page.status_code == 422
    needed = {
        "title:it": "Uno studio",
        "questions.1.text:it": "Com'è?",
        "questions.1.labels:it": "No\nForse\nSì",
    }
    assert set(needed) <= set(page.context["form"].errors)
    assert "Your own texts in Italian" in page.content.decode()
    begin = page_texts().index("Begin")
    wanted = needed | {f"wording.texts:it:{begin}": "Inizia", "another": "it"}
    wrong = client.post(f"{SETUP}languages/", {"languages": ["en", "de"], **wanted})
    assert "3 labels (it); the scale 1:5 takes 5" in wrong.content.decode()
    wanted["questions.1.labels:it"] = "Pessima\nScarsa\nDiscreta\nBuona\nOttima"
    assert client.post(f"{SETUP}languages/", {"languages": ["en", "de"], **wanted}).status_code == 302
    definition = definition_of(study.version)
    assert definition.languages == ["en", "de", "it"]
    assert definition.wording["it"].texts == {"Begin": "Inizia"}
    assert definition.labels(definition.questions[0], "de")[4] == "Ausgezeichnet"
    assert "Inizia</button>" in client.get("/s/study/?language=it").content.decode()
    told = client.get(f"{SETUP}open/").content.decode()
    assert "texts of the pages have no Italian wording: people see them in English." in told


@pytest.mark.slow
def test_wording_is_marked_as_accepted_or_own_and_goes_with_its_language(client, owner, study):
    sent = {
        "another": "it",
        "title:it": "T",
        "questions.1.text:it": "?",
        "questions.1.labels:it": "1\n2\n3\n4\n5",
    }
    send(client, "languages", **sent)
    page = client.get(f"{SETUP}languages/").content.decode()
    assert "Accepted wording: filled in" in page
    assert "Your own wording: " in page
    changed = send(
        client, "languages", **{f"wording.texts:it:{page_texts().index('Image {n} of {of}')}": "{n}"}
    )
    assert "Keep {n}, {of}, as in the English text." in changed.content.decode()
    assert send(client, "languages", languages=["en", "de"]).status_code == 302
    assert definition_of(study.version).wording == {}


@pytest.mark.parametrize(
    ("practice", "warns"),
    [('["*-weak"]', True), ('["cat-*"]', False), ('["cat-weak"]', False), ("[]", False)],
)
def test_practice_images_of_one_level_are_pointed_out(practice, warns):
    study = make_study(
        f"[images]\npractice = {practice}\n",
        slug="other",
        contents=("cat", "dog"),
        conditions=("weak", "mid", "strong"),
    )
    study.stimuli.update(factors={})
    found = practice_alike(study)
    assert bool(found) == warns
    assert not warns or found == [
        "All practice images look alike (condition weak): let them span bad to good."
    ]


def test_a_picture_that_is_rated_twice_is_pointed_out(client, owner, study):
    assert same_pictures(study) == []
    one, other, *_ = study.stimuli.filter(role=Stimulus.Role.MAIN).order_by("pk")
    Stimulus.objects.filter(pk=other.pk).update(sha256=one.sha256)
    (found,) = same_pictures(study)
    assert found == f"“{one.item}” and “{other.item}” are the same picture: people would rate it 2 times."
    assert found in client.get(f"{SETUP}open/").content.decode()
    # A hidden reference may show what a rated image shows.
    Stimulus.objects.filter(pk=other.pk).update(role=Stimulus.Role.REFERENCE)
    assert same_pictures(study) == []


def test_of_many_equal_pictures_five_are_named():
    study = make_study(slug="many", contents=[f"c{i}" for i in range(8)], conditions=("weak", "strong"))
    for stimulus in study.stimuli.all():
        Stimulus.objects.filter(pk=stimulus.pk).update(sha256=stimulus.content)
    assert len(told := same_pictures(study)) == 6
    assert told[-1] == "3 more pictures stand there more than once."
    study.stimuli.update(sha256="one")
    (all_alike,) = same_pictures(study)
    assert all_alike.endswith("“c2-weak” and 11 more are the same picture: people would rate it 16 times.")


@pytest.fixture
def pair_study(owner: User, study: Study) -> Study:
    study.delete()
    pairs = make_study('method = "pair"\n', contents=("cat", "dog"), conditions=[f"c{i}" for i in range(6)])
    pairs.owner = owner
    pairs.save()
    return pairs


def test_a_pair_study_chooses_its_pairs_in_the_form(client, pair_study):
    assert "All 30 pairs" in client.get(SETUP).content.decode()
    send(client, "assignment", **{"session.pairs": "informative"})
    assert definition_of(pair_study.version).session.pairs == "informative"
    assert "10 of 30 pairs, those that tell most" in client.get(SETUP).content.decode()
    # 35 comparisons of each of 12 images, two in a pair, 10 pairs each person.
    assert "after 21 people" in client.get(f"{SETUP}assignment/").content.decode()


def test_another_method_has_no_rule_for_pairs(client, pair_study):
    send(client, "assignment", **{"session.pairs": "informative"})
    assert send(client, "questions", method="acr").status_code == 302
    assert definition_of(pair_study.version).session.pairs == "balanced"
    assert "session.pairs" not in filled(client, "assignment")


GROUPED: dict[str, Any] = {
    "groups.1.key": "plain",
    "groups.2.key": "told",
    "groups.2.instructions:en": "A network made these.",
    "groups.2.instructions:de": "Ein Netz hat sie gemacht.",
    "groups.2.images": "cat-*\ndog-weak",
}


def test_groups_are_set_up_by_the_form_and_removed_by_clearing_it(client, owner, study):
    assert send(client, "groups", **GROUPED).status_code == 302
    plain, told = definition_of(study.version).groups
    assert (plain.key, plain.images, told.images) == ("plain", [], ["cat-*", "dog-weak"])
    assert told.instructions == {"en": "A network made these.", "de": "Ein Netz hat sie gemacht."}
    page = client.get(SETUP).content.decode()
    assert "plain, told · filled evenly" in page
    assert "?preview=told" in client.get(f"{SETUP}groups/").content.decode()
    send(client, "groups", **dict.fromkeys(GROUPED, ""))
    assert definition_of(study.version).groups == []


@pytest.mark.parametrize(
    ("changed", "field", "told"),
    [
        ({"groups.1.key": "", "groups.1.share": "2"}, "groups.1.key", "Give the group a name"),
        ({"groups.2.key": "plain"}, "__all__", "stands there twice"),
        ({"groups.2.people": "9"}, "groups.1.people", "in every group, or in none"),
        ({"groups.2.images": "cow-*"}, "groups.2.images", "fits no image"),
        ({"groups.2.instructions:de": ""}, "groups.2.instructions:de", "Translate this"),
    ],
)
def test_a_fault_of_a_group_stands_beside_its_field(client, owner, study, changed, field, told):
    page = send(client, "groups", **(GROUPED | changed))
    assert page.status_code == 422
    errors = page.context["form"].errors
    assert any(told in text for text in errors.get(field, [])), errors
