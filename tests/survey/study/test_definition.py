"""A study file is checked whole; every fault names its place and, where it can, what was meant."""

from __future__ import annotations

import pytest

from survey.study.definition import Definition, DefinitionError, load, parse
from survey.study.scales import ACR, DCR, LANGUAGES


def faults(toml: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        parse(toml, "study.toml")
    return caught.value.lines


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        ('titel = "T"', "study.toml: titel: no such key (did you mean 'title'?)"),
        (
            'title = "T"\n[consent]\nverson = "2"',
            "study.toml: consent.verson: no such key (did you mean 'version'?)",
        ),
        ('title = "T"\n[sesion]', "study.toml: sesion: no such key (did you mean 'session'?)"),
        ('title = "T"\nmethod = "acr-rh"', "did you mean 'acr-hr'?"),
        ('title = "T"\nabout = ["aeg"]', "about.1: Input should be"),
        ('title = "T"\nlanguages = ["en", "en"]', "languages: en stands there twice"),
        ('title = {en = "T"}\nlanguages = ["en", "de"]', "title: no text in de"),
        ('title = "T"\n[session]\nimages = 0', "session.images: Input should be greater than or equal to 1"),
        (
            'title = "T"\n[[questions]]\nkey = "a"\ntext = "?"\nlabels = ["1"]',
            "questions.1.labels: List should have",
        ),
        (
            'title = "T"\n[[images.gold]]\nitem = "a"\nanswer = 6',
            "images.gold.1.answer: Input should be less",
        ),
        ('title = "T"\nmethod = "pair"\n[images]\ntrap = 3', "method 'pair' has none"),
        ("title = ", "study.toml: not TOML"),
        ("", "study.toml: title: Field required"),
    ],
)
def test_a_fault_names_its_place_and_the_mend(toml, line):
    assert any(line in found for found in faults(toml))


def test_all_faults_are_told_at_once():
    assert len(faults('titel = "T"\nmethod = "x"\n[session]\nimages = "many"')) == 4


@pytest.mark.parametrize(
    "address",
    [
        "http://app.prolific.com/x",
        "https://app.prolific.com.evil.org/x",
        "https://evil.org/?app.prolific.com",
        "https://app.prolific.com@evil.org/",
        "javascript:alert(1)",
    ],
)
def test_people_are_sent_back_to_known_platforms_only(address):
    codes = 'platform = "prolific"\ncomplete = "A"\nscreened_out = "B"\nwithdrew = "C"\n'
    (fault,) = faults(f'title = "T"\n[recruitment]\n{codes}return_to = "{address}"')
    assert "recruitment.return_to: must be an https address of one of" in fault


@pytest.mark.parametrize("method", ["acr", "acr-hr", "dcr", "pair"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_title_is_all_that_a_study_needs(method, language):
    asked = parse(f'title = "T"\nmethod = "{method}"\nlanguages = ["{language}"]', "study.toml")
    (question,) = asked.questions
    assert asked.say(question.text, language)
    assert asked.labels(question, language) == list((DCR if method == "dcr" else ACR)[language])


def test_labels_are_those_of_the_standard():
    asked = parse('title = "T"', "study.toml")
    assert asked.labels(asked.questions[0], "en") == ["Bad", "Poor", "Fair", "Good", "Excellent"]


def test_a_text_that_a_language_lacks_is_said_in_the_first():
    asked = parse('title = "T"\nlanguages = ["de", "en"]', "study.toml")
    assert asked.say({"de": "Hallo"}, "en") == "Hallo"


def test_the_hash_is_of_what_is_said_not_of_how_the_file_is_laid_out():
    a = parse('title = "T"\nmethod = "acr"\n', "a")
    b = parse('# a comment\nmethod="acr"\ntitle =   "T"', "b")
    c = parse('title = "U"', "c")
    assert a.sha256 == b.sha256 != c.sha256


def test_a_definition_survives_the_database():
    asked = parse('title = "T"\npurge_on = 2030-01-01\nlanguages = ["fr"]\nabout = ["age"]', "a")
    again = Definition.model_validate(asked.model_dump(mode="json"))
    assert again == asked
    assert again.sha256 == asked.sha256


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path):
    with pytest.raises(DefinitionError, match=r"none\.toml: No such file"):
        load(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(DefinitionError, match=r"bad\.toml: not UTF-8 text"):
        load(tmp_path / "bad.toml")
