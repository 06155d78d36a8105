"""What a study says is frozen once a person has taken part; a change makes a new version."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from survey.results.tidy_table import tidy_table
from survey.session import starting
from survey.study.definition import definition_of
from survey.study.pictures import PublishError
from survey.study.revise import revise
from survey.study.study_file import parse
from tests.survey.factories import definition, make_study, rate_all

pytestmark = pytest.mark.django_db


def test_before_anyone_took_part_a_change_replaces_the_version():
    study = make_study()
    version = revise(study, definition("[consent]\nminutes = 5\n"))
    assert version.number == 1
    assert study.versions.count() == 1
    assert definition_of(study.version).consent.minutes == 5


def test_afterwards_a_change_is_a_new_version_and_each_session_keeps_its_own():
    study = make_study()
    early = starting.start(study)
    rate_all(early, limit=1)
    revise(study, definition('[consent]\nversion = "2"\n'))
    late = starting.start(study)
    rate_all(late, limit=1)
    early.refresh_from_db()
    assert (early.version.number, early.consent_version) == (1, "1")
    assert (late.version.number, late.consent_version) == (2, "2")
    assert early.version.sha256 != late.version.sha256
    assert list(tidy_table(study)["version"]) == [1, 2]


def test_the_same_definition_again_makes_no_version():
    study = make_study()
    starting.start(study)
    assert revise(study, definition()).number == 1
    assert study.versions.count() == 1


def test_a_preview_does_not_freeze(django_user_model):
    study = make_study()
    starting.start(study, preview_by=django_user_model.objects.create_superuser("a", password="x"))
    assert revise(study, definition("[consent]\nminutes = 5\n")).number == 1


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ('method = "dcr"\n', "method: cannot change"),
        ('[images]\npractice = ["cat-*"]\n', "images: cannot change"),
        ('[[questions]]\nkey = "other"\ntext = "?"\n', "questions: keys and order stay overall, not other"),
    ],
)
def test_what_ratings_hang_on_cannot_change(toml, complaint):
    study = make_study()
    starting.start(study)
    with pytest.raises(PublishError, match=complaint):
        revise(study, definition(toml))
    assert study.versions.count() == 1


def test_before_anyone_took_part_other_questions_can_be_asked(django_user_model):
    study = make_study()
    tried = starting.start(study, preview_by=django_user_model.objects.create_superuser("a", password="x"))
    rate_all(tried, limit=1)
    asked = "".join(f'[[questions]]\nkey = "{key}"\ntext = "?"\n' for key in ("style", "overall"))
    assert revise(study, definition(asked)).number == 1
    assert list(study.questions.values_list("key", "position")) == [("style", 1), ("overall", 2)]


def test_the_label_that_a_trap_shows_cannot_change_once_somebody_took_part():
    trap = "[images]\ntrap = 4\n"
    study = make_study(trap)
    starting.start(study)
    asked = '[[questions]]\nkey = "overall"\ntext = "?"\nlabels = ["1", "2", "3", "{}", "5"]\n'
    with pytest.raises(PublishError, match="the trap shows the label 'Good', which cannot become '4'"):
        revise(study, definition(asked.format(4) + trap))
    revise(study, definition(asked.format("Good") + trap))


def test_a_questions_wording_can_change_in_a_new_version():
    study = make_study()
    starting.start(study)
    revise(study, definition('[[questions]]\nkey = "overall"\ntext = "How good?"\n'))
    assert study.questions.get().text == "How good?"


def test_the_command_says_which_version_it_is(tmp_path, capsys):
    make_study()
    file = tmp_path / "study.toml"
    file.write_text('title = "New"\n', encoding="utf-8")
    call_command("revise_study", "study", str(file))
    assert "version 1" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no study 'stduy'") as caught:
        call_command("revise_study", "stduy", str(file))
    assert caught.value.returncode == 2


def test_languages_of_a_study_with_a_trap_stay_once_somebody_took_part():
    study = make_study("[images]\ntrap = 4\n")
    starting.start(study)
    more = parse('title = "T"\nlanguages = ["en", "fr"]\n[images]\ntrap = 4\n', "x")
    with pytest.raises(PublishError, match="languages"):
        revise(study, more)


@pytest.mark.django_db
def test_groups_stay_once_a_person_has_taken_part_but_may_be_filled_and_told_otherwise():
    toml = '[[groups]]\nkey = "a"\n[[groups]]\nkey = "b"\nimages = ["cat-*"]\n'
    study = make_study(toml)
    starting.start(study)
    told = toml.replace('"a"\n', '"a"\nshare = 2\ninstructions = "Look."\n')
    assert revise(study, definition(told)).number == 2
    for other in (toml.replace("cat-*", "dog-*"), toml.replace('"b"', '"c"'), ""):
        with pytest.raises(PublishError, match="groups: "):
            revise(study, definition(other))
