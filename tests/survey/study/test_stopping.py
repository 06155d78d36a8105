"""A study pauses itself once its rule is met, says why, and never by significance."""

from __future__ import annotations

import random

import numpy as np
import pytest
from django.contrib.auth.models import User

from survey.exports.methods import methods_text
from survey.exports.pairs import collect_pairs
from survey.models import AuditEntry, Participant, Study
from survey.results.collect import collect
from survey.session import answering, finishing, refusals, starting
from survey.session.progress import next_trial
from survey.study import decisions, lifecycle
from survey.study.definition import Definition, definition_of
from survey.study.preregistration import preregistration
from survey.study.revise import revise
from survey.study.stopping import ACT, is_due, pause_note, standing, widest_half_width
from survey.study.study_file import DefinitionError, parse
from tests.survey.desk.conftest import client_of
from tests.survey.factories import answers_of, definition, make_study, rate_all

TWO = 'stop_when = "2 sessions"\n'


def finished(study: Study, value: int = 4) -> Participant:
    person = starting.start(study)
    rate_all(person, value)
    return finishing.finish(person)


def state_of(study: Study) -> str:
    return Study.objects.get(pk=study.pk).state


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("half width 0.25", "half width 0.25"),
        ("Half-width  0.250", "half width 0.25"),
        ("60 sessions", "60 sessions"),
        ("1 session", "1 session"),
    ],
)
def test_a_rule_is_kept_in_one_wording(said, kept):
    assert definition(f'stop_when = "{said}"\n').stop_when == kept


@pytest.mark.parametrize("said", ["p < 0.05", "significant", "p<.05", "until A and B differ", "alpha 0.05"])
def test_a_rule_on_significance_is_refused_in_one_line_with_the_reason(said):
    with pytest.raises(DefinitionError) as caught:
        parse(f'title = "T"\nstop_when = "{said}"\n', "study.toml")
    (line,) = caught.value.lines
    assert line.startswith("study.toml: stop_when: stopping at a significant difference finds differences")
    assert 'write "half width 0.25" or "60 sessions"' in line


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ('stop_when = "soon"', "not 'soon'"),
        ('stop_when = "0 sessions"', "1 to 10000000 sessions, not 0"),
        ('stop_when = "half width 3"', "on the scale 1 to 5 is 0.05 to 2, not 3"),
        ('stop_when = "half width 0.02"\nmethod = "pair"', "in log odds, is 0.05 to 2.5, not 0.02"),
    ],
)
def test_a_rule_that_can_never_hold_is_refused(toml, complaint):
    with pytest.raises(DefinitionError, match=complaint):
        parse(f'title = "T"\n{toml}\n', "study.toml")


def test_no_rule_leaves_the_hash_of_older_versions():
    assert definition().sha256 == Definition(title="A study", stop_when=None).sha256
    assert definition(TWO).sha256 != definition().sha256


@pytest.mark.django_db
def test_enough_sessions_pause_a_study_and_those_under_way_finish():
    study = make_study(TWO)
    late = starting.start(study)
    finished(study)
    assert state_of(study) == "open"
    finished(study)
    assert state_of(study) == "paused"
    with pytest.raises(refusals.Refused):
        starting.start(study)
    rate_all(late)
    assert finishing.finish(late).state == Participant.State.FINISHED
    entry = AuditEntry.objects.get(act=ACT)
    assert (entry.who, entry.detail["rule"], entry.detail["sessions"]) == (
        "(stopping rule)",
        "2 sessions",
        2,
    )


@pytest.mark.django_db
def test_only_sessions_that_count_meet_a_rule(django_user_model):
    owner = django_user_model.objects.create_superuser("owner")
    study = make_study(TWO)
    preview = starting.start(study, preview_by=owner)
    rate_all(preview)
    finishing.finish(preview)
    decisions.exclude(finished(study), "careless", owner)
    finished(study)
    assert state_of(study) == "open"
    finished(study)
    assert state_of(study) == "paused"


@pytest.mark.django_db
def test_whoever_opens_it_again_goes_on_by_hand_until_the_rule_changes():
    study = make_study(TWO)
    finished(study)
    finished(study)
    lifecycle.set_state(study, Study.State.OPEN, None)
    finished(study)
    assert state_of(study) == "open"
    now = standing(Study.objects.get(pk=study.pk), definition_of(study.version))
    assert now.is_spent
    assert not now.is_paused
    assert "Somebody opened it again" in now.sentence
    revise(study, definition('stop_when = "4 sessions"\n'))
    finished(study)
    assert state_of(study) == "paused"
    assert AuditEntry.objects.filter(act=ACT).count() == 2


@pytest.mark.django_db
def test_a_pause_by_hand_is_not_told_as_the_rules():
    study = make_study(TWO)
    finished(study)
    finished(study)
    study.refresh_from_db()
    assert pause_note(study) == "its rule “2 sessions” paused it"
    lifecycle.set_state(study, Study.State.OPEN, None)
    lifecycle.set_state(study, Study.State.PAUSED, None)
    study.refresh_from_db()
    assert pause_note(study) == ""


@pytest.mark.django_db
def test_narrow_intervals_pause_a_study_from_ten_people_on():
    study = make_study('stop_when = "half width 1"\n')
    for number in range(9):
        finished(study, 3 + number % 2)
    assert state_of(study) == "open"
    assert widest_half_width(study, definition_of(study.version)) is None
    finished(study)
    assert state_of(study) == "paused"
    widest = AuditEntry.objects.get(act=ACT).detail["widest"]
    assert widest == pytest.approx(widest_half_width(study, definition_of(study.version)), abs=1e-6)


@pytest.mark.django_db
def test_the_rule_counts_the_points_of_the_studys_own_scale():
    scale = '[[questions]]\nkey = "overall"\ntext = "How good?"\nscale = "0:100:0"\n'
    study = make_study(f'stop_when = "half width 30"\n{scale}')
    for number in range(10):
        finished(study, 40 + number)
    assert state_of(study) == "paused"
    with pytest.raises(DefinitionError, match=r"1\.25 to 50, not 1"):
        definition(f'stop_when = "half width 1"\n{scale}')


@pytest.mark.django_db
def test_the_desk_says_why_a_study_is_paused_and_its_exports_too():
    study = make_study(TWO)
    finished(study, 3)
    finished(study)
    desk = client_of(User.objects.create_superuser("owner"))
    for page in ("setup/", "live/", "log/"):
        assert "2 sessions" in desk.get(f"/studies/study/{page}").content.decode()
    assert "its rule “2 sessions” paused it" in desk.get("/studies/").content.decode()
    export = collect(Study.objects.get(pk=study.pk))
    assert export.people_tables["stops"]["sessions"].tolist() == [2]
    text = methods_text(export)
    assert "Collecting was to pause when 2 sessions are finished" in text
    assert "paused it after 2 sessions" in text
    assert "Collection pauses by itself when 2 sessions are finished" in preregistration(study)


@pytest.mark.django_db
def test_the_form_sets_and_clears_a_rule():
    study = make_study()
    desk = client_of(User.objects.create_superuser("owner"))
    page = "/studies/study/setup/recruitment/"
    desk.post(page, {"stop_by": "half width", "stop_when": "0.25"})
    assert definition_of(study.version).stop_when == "half width 0.25"
    assert 'value="0.25"' in desk.get(page).content.decode()
    assert "Give the number" in desk.post(page, {"stop_by": "sessions"}).content.decode()
    for number in ("1.5", "9"):
        refused = desk.post(
            page, {"stop_by": "half width" if number == "9" else "sessions", "stop_when": number}
        )
        assert refused.status_code == 422
    desk.post(page, {})
    assert definition_of(study.version).stop_when is None


PAIRS = 'method = "pair"\nstop_when = "half width 1.2"\n'


def chosen(study: Study, seed: int, noise: float) -> None:
    """Let one person choose: the better of two conditions is the later in the alphabet, by and large."""
    person, rng = starting.start(study), random.Random(seed)
    while trial := next_trial(person):
        assert trial.other is not None
        first = trial.stimulus.condition > trial.other.condition
        if rng.random() < noise:
            first = not first
        answer = "first" if first else "second"
        answering.rate(trial.token, dict.fromkeys(answers_of(study), answer), revision=trial.revision)
    finishing.finish(person)


def widest_in_results(study: Study) -> float:
    """The widest half width of a score that the study's results show."""
    scores = [part.scores for part in collect_pairs(study).analysis.questions.values()]
    return max(float(((table["ci_high"] - table["ci_low"]) / 2).max()) for table in scores)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("rule", ["balanced", "informative"])
def test_a_pair_study_pauses_at_the_widths_that_its_results_show(rule):
    toml = f'{PAIRS}[session]\npairs = "{rule}"\n'
    study = make_study(toml, contents=("cat",), conditions=tuple("abcd"))
    for seed in range(60):
        if state_of(study) == "paused":
            break
        chosen(study, seed, 0.3)
    widest = widest_half_width(study, definition_of(study.version))
    assert widest == pytest.approx(widest_in_results(study), rel=1e-9)
    entry = AuditEntry.objects.get(act=ACT).detail
    assert entry["sessions"] >= 10
    assert entry["widest"] == pytest.approx(widest, abs=1e-6)
    assert entry["widest"] <= 1.2


@pytest.mark.django_db
def test_choices_that_do_not_place_every_image_meet_no_rule():
    study = make_study(PAIRS, contents=("cat",), conditions=("a", "b"))
    for seed in range(11):
        chosen(study, seed, 0)
    assert state_of(study) == "open"
    assert widest_half_width(study, definition_of(study.version)) is None


def test_widths_are_looked_at_ever_more_seldom_and_never_missed_for_long():
    looks = [sessions for sessions in range(1, 20_001) if is_due(sessions)]
    assert looks[:99] == list(range(1, 100))
    gaps = np.diff(looks)
    assert (gaps <= np.maximum(1, np.array(looks[:-1]) / 50)).all()
    assert len(looks) < 700
