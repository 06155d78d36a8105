"""A definition as a file, there and back, and its faults at their lines."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from survey.study.definition import Definition, definition_of
from survey.study.study_file import DefinitionError, line_of, load, located, parse, to_toml
from tests.survey.desk.conftest import client_of
from tests.survey.factories import definition, make_study

LONG = """title = {en = "Photographs", de = "Fotografien"}
method = "acr-hr"
languages = ["en", "de"]
purge_on = 2099-12-31
about = ["age"]

[consent]
minutes = 8
contact = "jane@example.org"

[[questions]]
key = "overall"
text = {en = "How good?", de = "Wie gut?"}

[[questions]]
key = "style"
text = {en = "How close?", de = "Wie nah?"}

[images]
references = {cat = "photo-cat"}
gold = [{item = "noise", answer = 1}]

[goal]
votes = 20
"""
words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), min_size=1, max_size=60
)


def test_a_file_says_the_same_again():
    wanted = parse(LONG, "x")
    assert parse(to_toml(wanted), "x") == wanted
    assert "screening" not in to_toml(wanted)


@given(title=words, purpose=words, minutes=st.integers(1, 45), half_width=st.floats(0.05, 2))
def test_whatever_it_says_it_says_again(title, purpose, minutes, half_width):
    wanted = Definition.model_validate(
        {
            "title": title,
            "consent": {"purpose": purpose, "minutes": minutes},
            "goal": {"half_width": half_width},
        }
    )
    again = parse(to_toml(wanted), "x")
    assert again == wanted
    assert again.sha256 == wanted.sha256


def test_the_goal_left_as_it_is_does_not_change_a_hash():
    """Hashes of the versions made before there was a goal still hold."""
    assert definition().sha256 == definition("[goal]\nvotes = 35\n").sha256
    assert definition().sha256 != definition("[goal]\nvotes = 36\n").sha256
    assert definition().sha256 == "7c4ab1f702bc9b696dff5807707e31b5eeea632c23ed9e6d73f149580679de04"


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("method", 2),
        ("consent", 7),
        ("consent.minutes", 8),
        ("consent.nothing", 7),
        ("questions.1.key", 12),
        ("questions.2.text", 17),
        ("images.gold.1.answer", 21),
        ("goal.votes", 24),
        ("nothing", None),
    ],
)
def test_a_place_is_found_at_its_line(place, line):
    assert line_of(LONG, place) == line


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("minutes = 8", "mintues = 8", 8, "did you mean 'minutes'?"),
        ('"acr-hr"', '"acr-rh"', 2, "did you mean 'acr-hr'?"),
        ("answer = 1", "answer = 6", 21, "must be at most 5"),
        ("votes = 20", "votes = ", 24, "not TOML"),
        ('key = "style"', 'key = "Style"', 16, "must be at most 40 small letters"),
    ],
)
def test_a_fault_is_told_at_its_line(before, after, line, words):
    text = LONG.replace(before, after)
    with pytest.raises(DefinitionError) as caught:
        parse(text, "study.toml")
    (fault,) = located(text, caught.value, "study.toml")
    assert fault.line == line
    assert words in fault.message
    assert "study.toml" not in fault.message


@pytest.fixture
def desk(db):
    make_study()
    return client_of(User.objects.create_superuser("owner"))


def test_the_page_saves_a_file_as_the_form_does(desk):
    page = desk.get("/studies/study/setup/file/").content.decode()
    assert "title = &quot;A study&quot;" in page
    desk.post("/studies/study/setup/file/", {"text": 'title = "New"\r\n[consent]\r\nminutes = 9\r\n'})
    from survey.models import Study

    study = Study.objects.get()
    assert study.title == "New"
    assert definition_of(study.version).consent.minutes == 9
    file = desk.get("/studies/study/setup/versions/1.toml")
    assert parse(file.content.decode(), "x").consent.minutes == 9
    assert desk.get("/studies/study/setup/versions/2.toml").status_code == 404


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            'title = "T"\nmethd = "acr"',
            "Line 2</strong>: methd: no such key (did you mean &#x27;method&#x27;?)",
        ),
        ('title = "T"\nmethod = "dcr"', "images.references: image"),
        ("title = ", "Line 1</strong>: not TOML"),
        ("", "title: is missing"),
    ],
)
def test_a_fault_is_shown_and_nothing_is_saved(desk, text, complaint):
    response = desk.post("/studies/study/setup/file/", {"text": text})
    assert response.status_code == 422
    assert complaint in response.content.decode()
    from survey.models import StudyVersion

    assert StudyVersion.objects.get().sha256 == definition().sha256


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_of_a_windows_program_is_read(tmp_path, encoding):
    path = tmp_path / "study.toml"
    path.write_bytes('title = "Größe"\r\nlanguages = ["de"]\r\n'.encode(encoding))
    assert load(path).title == "Größe"
