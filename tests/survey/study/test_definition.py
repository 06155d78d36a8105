"""A study file is checked whole; every fault names its place and, where it can, what was meant."""

from __future__ import annotations

import pytest

from survey.study.definition import Definition
from survey.study.scales import ACR, DCR, LANGUAGES
from survey.study.study_file import DefinitionError, load, parse


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
        ('title = "T"\n[viewing]\ndistanc = true', "viewing.distanc: no such key (did you mean 'distance'?)"),
        ('title = "T"\n[images.trapp]', "images.trapp: no such key (did you mean 'trap'?)"),
        ('title = "T"\n[sesion]', "study.toml: sesion: no such key (did you mean 'session'?)"),
        ('title = "T"\nmethod = "acr-rh"', "did you mean 'acr-hr'?"),
        ('title = "T"\nabout = ["aeg"]', "about.1: must be 'age', 'gender'"),
        ('title = "T"\nlanguages = ["en", "en"]', "languages: en stands there twice"),
        ('title = {en = "T"}\nlanguages = ["en", "de"]', "title: no text in de"),
        ('title = "T"\n[session]\nimages = 0', "session.images: must be at least 1, not 0"),
        (
            'title = "T"\n[[questions]]\nkey = "a"\ntext = "?"\nlabels = ["1"]',
            "questions.1.labels: must have at least 2 entries",
        ),
        (
            'title = "T"\n[[images.gold]]\nitem = "a"\nanswer = 6',
            "images.gold.1.answer: must be at most",
        ),
        ('title = "T"\nmethod = "pair"\n[images]\ntrap = 3', "method 'pair' has none"),
        ('title = "T"\n[session]\npairs = "informative"', "session.pairs: method 'acr' shows no pairs"),
        (
            'title = "T"\nmethod = "pair"\n[session]\npairs = "informativ"',
            "(did you mean 'informative'?)",
        ),
        (
            'title = "T"\n[session]\nimages = 3\norder = "latin"',
            "session.images: a Latin square needs everybody",
        ),
        (
            'title = "T"\n[session]\nimages = 3\nblocks = 2\norder = "fixed"',
            "session.images: blocks of a fixed order need everybody",
        ),
        (
            'title = "T"\nmethod = "pair"\n[session]\nblocks = "style"',
            "session.blocks: two images of a pair share",
        ),
        (
            'title = "T"\nmethod = "pair"\n[session]\npairs = "informative"\nblocks = 5',
            "session.pairs: 'informative' draws each person other pairs",
        ),
        (
            'title = "T"\n[session]\nblocks = 0',
            "session.blocks: must be a number of images from 1 to 500, or the name of a column",
        ),
        ('title = "T"\n[session]\norder = "latn"', "(did you mean 'latin'?)"),
        ('title = "T"\n[[groups]]\nkey = "a"', "groups: one group is no comparison"),
        (
            'title = "T"\n[[groups]]\nkey = "a"\n[[groups]]\nkey = "a"',
            "groups: the key 'a' stands there twice",
        ),
        (
            'title = "T"\n[[groups]]\nkey = "a"\npeople = 9\n[[groups]]\nkey = "b"',
            "groups.2.people: give it in every group, or in none",
        ),
        (
            'title = "T"\n[[groups]]\nkey = "a"\nquestions = ["x"]\n[[groups]]\nkey = "b"',
            "groups.1.questions: no question has the key 'x' (there are overall)",
        ),
        (
            'title = "T"\n[[groups]]\nkey = "a"\nmethod = "pair"\n[[groups]]\nkey = "b"',
            "groups.1.method: pairs and ratings cannot stand in one study",
        ),
        (
            'title = "T"\n[[groups]]\nkey = "a"\n[[groups]]\nkey = "b"\npeple = 3',
            "groups.2.peple: no such key (did you mean 'people'?)",
        ),
        ("title = ", "study.toml: not TOML"),
        ("", "study.toml: title: is missing"),
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


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ('platform = "other"', "person_parameter: name the parameter"),
        ('platform = "prolific"\nperson_parameter = "pid"', 'only with platform = "other"'),
        ('platform = "other"\nperson_parameter = "preview"', "is taken by the study"),
        ('platform = "other"\nperson_parameter = "a b"', "person_parameter"),
        ('platform = "other"\nperson_parameter = "id"\nsession_parameter = "id"', "says one thing"),
        (
            'platform = "other"\nperson_parameter = "id"\nreturn_to = "http://x.org/"',
            "must be an https address",
        ),
    ],
)
def test_a_panels_parameters_are_checked(said, complaint):
    codes = 'complete = "A"\nscreened_out = "B"\nwithdrew = "C"\n'
    (fault,) = faults(f'title = "T"\n[recruitment]\n{said}\n{codes}')
    assert complaint in fault


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
    (tmp_path / "bad.toml").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(DefinitionError, match=r"bad\.toml: is not UTF-8 text; a study file is a TOML file"):
        load(tmp_path / "bad.toml")


QUESTION = 'title = "T"\n[[questions]]\nkey = "a"\ntext = "?"\n'


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        ('scale = "7:1"', "questions.1.scale: '7:1' is no scale: the low end"),
        ('scale = "seven"', "write LOW:HIGH or LOW:HIGH:STEP"),
        (
            'scale = "1:7"\nlabels = ["a", "b", "c"]',
            "questions.1.labels: 3 labels; the scale 1:7 takes 7, or two",
        ),
        ('scale = "0:100"\nlabels = ["a", "b", "c"]', "the scale 0:100 takes two, for the ends"),
        ('scale = "1:7"\nshow_value = true', "questions.1.show_value: the scale 1:7 has buttons"),
        ('scale = "1:7"\n[images]\ntrap = 8', "images.trap: must be at most 7"),
        ('scale = "1:7"\n[images]\ntrap = 2.5', "images.trap: 2.5 is not on the scale 1 to 7"),
        ('scale = "0:100"\n[images]\ntrap = 50', "images.trap: on a slider that shows no value"),
    ],
)
def test_what_does_not_fit_the_scale_is_named(toml, line):
    assert any(line in found for found in faults(QUESTION + toml))


def test_a_pair_study_has_no_scale():
    assert (
        "method 'pair' compares"
        in faults(QUESTION.replace("[[", 'method = "pair"\n[[', 1) + 'scale = "1:7"')[0]
    )


def test_the_same_scale_has_the_same_hash_however_it_is_written():
    hashes = {parse(QUESTION + line, "a").sha256 for line in ("", 'scale = "1:5"', 'scale = " 1 : 5 : 1.0"')}
    assert len(hashes) == 1
    assert parse(QUESTION + 'scale = "1:7"', "a").sha256 not in hashes


@pytest.mark.parametrize(
    ("toml", "sha256"),
    [
        ('title="T"', "520d52bcd2206bed91d89564c387005f5de064704863bcb61da8ea228a47551d"),
        (
            'title="T"\nmethod="dcr"\nlanguages=["de"]\n[images]\ntrap=4\n[[images.gold]]\nitem="a"\nanswer=1',
            "0cc78d50c1723698055de3270ba16e0eb103becf54ec2dc61fcb23b6fed06ae4",
        ),
    ],
)
def test_studies_from_1_to_5_keep_the_hash_that_they_had_before_there_were_scales(toml, sha256):
    assert parse(toml, "a").sha256 == sha256


@pytest.mark.parametrize(
    ("scale", "trap", "label"),
    [("1:5", 5, "Excellent"), ("1:7", 6, "6"), ("0:100", 0, "Bad"), ("0:100", 100, "Excellent")],
)
def test_an_answer_is_called_as_on_the_page(scale, trap, label):
    asked = parse(f'{QUESTION}scale = "{scale}"\n[images]\ntrap = {trap}', "a")
    assert asked.answer_text(asked.questions[0], trap, "en") == label
