"""No text, whatever it holds, takes the parser long or out of its depth."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.plans.document import PlanError, document_of
from generator.plans.toml import MAX_CHARACTERS, TomlError, read_toml
from survey.study.study_file import MAX_FAULTS, DefinitionError, located, parse

TOO_DEEP = {
    "dotted key": "a." * 60_000 + "a = 1",
    "spaced key": "a . " * 20_000 + "a = 1",
    "quoted key": '"a".' * 20_000 + "a = 1",
    "header": "[" + "a." * 60_000 + "a]",
    "arrays": "x = " + "[" * 90_000,
    "closed arrays": "x = " + "[" * 2000 + "]" * 2000,
    "inline tables": "x = " + "{a=" * 30_000 + "1" + "}" * 30_000,
    "in pieces": "x = [\n" + "[\n" * 2000,
}
TOO_LARGE = {
    "text": "#" * (MAX_CHARACTERS + 1),
    "lines": "\n" * 100_000,
}
OUT_OF_RANGE = {
    "decimal": "x = " + "9" * 5000,
    "hexadecimal": "x = 0x" + "f" * 5000,
    "in an array": "x = [1, [2, 18446744073709551616]]",
    "in a table": "x = {y = -99999999999999999999}",
    "time": "x = 2020-01-01T00:00:00+99:99",
}
HOSTILE = TOO_DEEP | TOO_LARGE | OUT_OF_RANGE


@pytest.fixture
def no_parser(monkeypatch):
    monkeypatch.setattr(tomllib, "loads", lambda _: pytest.fail("the parser saw it"))


@pytest.mark.parametrize("name", [*TOO_DEEP, *TOO_LARGE])
def test_it_is_refused_before_it_is_parsed(no_parser, name):
    with pytest.raises(TomlError):
        read_toml(HOSTILE[name])


@pytest.mark.parametrize("name", HOSTILE)
def test_every_reader_of_toml_refuses_it_in_one_line(name):
    text = HOSTILE[name]
    with pytest.raises(PlanError) as of_plan:
        document_of(text, "plan")
    with pytest.raises(DefinitionError) as of_study:
        parse(text, "study.toml")
    for told in (str(of_plan.value), str(of_study.value)):
        assert "\n" not in told
        assert len(told) < 300
    assert located(text, of_study.value, "study.toml")


@pytest.mark.parametrize(
    "text",
    [
        'x = "[[[[[[[[[[[[[[[[[[[[[["',
        "x = '''" + "[" * 50 + "a.b.c.d.e.f.g.h.i.j.k.l.m.n'''",
        'x = """' + "{" * 50 + '\\""" " ""[" """',
        "# " + "[" * 50 + "\nx = 1",
        "x = [" + "0.5, " * 5000 + "1.5]",
        "[a.b.c.d]\ne.f.g.h = 1979-05-27T07:32:00.999Z",
        'x = "a\\\\" # "[[[[[[[[[[[[[[[[[["',
        "x = {a = [{b = [{c = [1]}]}]}",
        '"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o" = 1',
    ],
)
def test_what_is_within_bounds_is_read_as_ever(text):
    assert read_toml(text) == tomllib.loads(text)


@given(st.text(alphabet="a.=[]{}'\"\\#\n 1,", max_size=24))
def test_whatever_is_written_it_is_read_as_by_the_parser(text):
    try:
        wanted = tomllib.loads(text)
    except ValueError:
        with pytest.raises(TomlError):
            read_toml(text)
        return
    assert read_toml(text) == wanted


def test_a_factor_of_very_many_levels_is_refused():
    seeds = ", ".join(map(str, range(28_000)))
    with pytest.raises(PlanError, match=r"factors\.seed"):
        document_of(f"[factors]\nseed = [{seeds}]\n", "plan")


def test_a_level_that_stands_twice_is_found():
    for levels in ("1, 2, 1.0", "[1], [2], [1]", '"a", "b", "a"'):
        with pytest.raises(PlanError, match="twice"):
            document_of(f"[factors]\nx = [{levels}]\n", "plan")


def test_of_very_many_faults_the_first_are_told():
    text = 'title = "T"\n' + "".join(f"k{number} = 1\n" for number in range(10_000))
    with pytest.raises(DefinitionError) as error:
        parse(text, "study.toml")
    assert len(error.value.lines) == MAX_FAULTS + 1
    assert error.value.lines[-1].endswith(f"and {10_000 - MAX_FAULTS} more")


def test_a_language_named_very_often_is_refused():
    with pytest.raises(DefinitionError, match="stands there twice"):
        parse('title = "T"\nlanguages = [' + '"en",' * 30_000 + "]", "study.toml")


def test_a_line_of_very_many_blanks_is_located():
    with pytest.raises(DefinitionError) as error:
        parse('title = "T"\nx = 1\n[' + " " * 100_000 + "\n", "study.toml")
    assert located("x = 1\n[" + " " * 100_000, error.value, "study.toml")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("title = Cat", "in `title = Cat`: write quotation marks around text (at line 1, column 9)"),
        ("title = “Cat”", "write straight quotation marks"),
        ("title\u200b = 'Cat'", "delete the invisible character U+200B (zero width space)"),
        ("title\u00a0= 'Cat'", "delete the invisible character U+00A0 (no-break space)"),
        ("\ufefftitle = 1\n\ufeff = 2", "delete the invisible character U+FEFF (zero width no-break space)"),
        ("title = \x0b'Cat'", "delete the invisible character U+000B (a control character)"),
        ("x = True", "write true or false"),
        ("x = 8,5", "write a decimal point"),
        (r'content = "C:\images\new.png"', "write / in paths, or single quotation marks around the text"),
        ("# plan\nkey: 5", "in `key: 5`: write = between a key and its value (at line 2"),
        ("größe = 5", "write quotation marks around a key with such letters"),
        ("x = 1\nx = 2", "a key stands twice"),
    ],
)
def test_a_mistake_is_shown_with_its_line_and_the_fix(text, hint):
    with pytest.raises(TomlError) as caught:
        read_toml(text)
    assert hint in str(caught.value)
