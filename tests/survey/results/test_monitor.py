"""The live page: the same numbers as counting by hand, cheaply, and nothing sent twice."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from survey.analysis.planning.planning import sample_size
from survey.models import Participant, Rating, Study
from survey.results import monitor
from survey.results.collect import collect
from survey.results.monitor import look, watch
from survey.session import answering, finishing, starting
from survey.session.answering import Showing
from survey.study import decisions
from tests.survey.desk.conftest import client_of
from tests.survey.exports.studies import TWO_QUESTIONS, give_ratings
from tests.survey.factories import current, make_study, rate_all

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_earlier_look():
    cache.clear()


@pytest.fixture
def owner(django_user_model):
    return django_user_model.objects.create_superuser("owner")


def test_everybody_is_counted_where_they_are(owner):
    study = make_study('about = ["age"]\n[screening]\nvision = true\n[images]\npractice = ["owl-*"]\n')
    _at_screening, practising, rating, at_the_end, done, stopped, quiet = (
        starting.start(study) for _ in range(7)
    )
    starting.start(study, preview_by=owner)
    for person in (practising, rating, at_the_end, done, stopped, quiet):
        starting.screen(person, {"vision": "yes"})
    rate_all(practising, limit=1)
    rate_all(rating, limit=2)
    for person in (at_the_end, done):
        rate_all(person)
    finishing.tell_about(done, {})
    finishing.stop_session(stopped)
    Participant.objects.filter(pk=quiet.pk).update(last_seen_at=timezone.now() - dt.timedelta(hours=1))
    seen = look(study)
    assert seen.people == {
        "screening": 1,
        "practice": 1,
        "main": 1,
        "at the end": 1,
        "not seen for 45 minutes": 1,
        "finished": 1,
        "stopped": 1,
    }
    assert (seen.began, seen.finished) == (7, 1)
    assert seen.reached["reached"].tolist() == [4, 3, 2, 2, 2, 2]


def test_votes_and_needs_are_those_of_the_formulas():
    study = make_study("[goal]\nvotes = 4\nhalf_width = 0.5\n")
    give_ratings(study, 3)
    scores = look(study).scores["overall"]
    assert scores.images["votes"].tolist() == [3] * 6
    assert scores.images["votes_missing"].tolist() == [1] * 6
    for row in scores.images.to_dict("records"):
        values = list(
            Rating.objects.filter(trial__stimulus__item=row["item"]).values_list("value", flat=True)
        )
        assert row["mos"] == np.mean(values)
        at = float(np.clip(row["mos"], 1.25, 4.75))
        assert row["ratings_needed"] == max(sample_size(0.5, a=scores.a, mos=at) - 3, 0)
    assert scores.conditions is not None
    assert scores.conditions["votes"].tolist() == [9, 9]


def test_the_interval_of_an_image_is_that_of_the_results():
    study = make_study()
    give_ratings(study, 5)
    live = look(study).scores["overall"].images.set_index("item")["half_width"]
    mos = collect(study).analysis.mos.set_index("item")
    assert mos["ci_method"].unique().tolist() == ["t"]
    shown = ((mos["ci_high"] - mos["ci_low"]) / 2).reindex(live.index)
    np.testing.assert_allclose(live, shown)
    assert live.notna().any()


def test_an_image_without_a_vote_stands_first():
    study = make_study("[session]\nimages = 2\n")
    rate_all(starting.start(study))
    images = look(study).scores["overall"].images
    assert images["votes"].tolist() == [0, 0, 0, 0, 1, 1]
    assert images["mos"].isna().sum() == 4
    assert (images["ratings_needed"] > 0).all()


def test_before_anybody_came_all_is_nought():
    seen = look(make_study())
    assert (seen.began, seen.ratings, seen.seconds, seen.people) == (0, 0, None, {})
    assert seen.reached.empty
    assert seen.scores["overall"].images["votes"].sum() == 0


def test_practice_alone_counts_as_no_vote():
    study = make_study('[images]\npractice = ["owl-*"]\n')
    rate_all(starting.start(study), limit=2)
    seen = look(study)
    assert seen.ratings == 0
    assert seen.reached["reached"].tolist() == [1, 1]


def test_who_is_left_out_and_previews_do_not_count(owner):
    study = make_study()
    give_ratings(study, 2)
    rate_all(starting.start(study, preview_by=owner))
    assert look(study).ratings == 12
    decisions.exclude(study.participants.all()[0], "a test", owner)
    assert look(study).ratings == 6


def test_images_that_failed_are_named():
    study = make_study()
    person = starting.start(study)
    trial = current(person)
    answering.skip(trial.token, "truncated")
    seen = look(study)
    assert seen.failures == {"truncated": 1}
    assert seen.failed_images == {trial.stimulus.item: 1}


def test_the_median_time_is_of_the_main_phase():
    study = make_study()
    person = starting.start(study)
    for ms in (1000, 2000, 6000):
        answering.rate(current(person).token, {"overall": 3}, showing=Showing(rt_ms=ms))
    assert look(study).seconds == 2.0


@pytest.mark.slow
def test_a_careless_rater_is_flagged():
    study = make_study(contents=["a", "b", "c", "d", "e", "f", "g"], conditions=["x", "y", "z"])
    give_ratings(study, 8)
    person = starting.start(study)
    rate_all(person, value=5)
    assert "Always the same answer" in look(study).flagged[person.code]


def test_each_question_has_its_scores():
    study = make_study(TWO_QUESTIONS)
    give_ratings(study, 2)
    assert set(look(study).scores) == {"quality", "liking"}


def test_a_pair_study_counts_comparisons():
    study = make_study('method = "pair"\n')
    rate_all(starting.start(study))
    seen = look(study)
    assert seen.comparisons == dict.fromkeys(sorted(study.stimuli.values_list("item", flat=True)), 1)
    assert (seen.scores, seen.ratings) == ({}, 3)


def test_a_study_that_draws_by_information_says_which_pairs_come_next(owner):
    study = make_study('method = "pair"\n[session]\npairs = "informative"\n')
    rate_all(starting.start(study))
    starting.start(study)
    seen = look(study).next_pairs
    # Three contents of two images each: one pair of each content, all with both people.
    assert (seen.possible, seen.judged, seen.on_loan) == (3, 3, 3)
    assert [(pair.judged, pair.on_loan) for pair in seen.pairs] == [(1, 1)] * 3
    assert all(0 < pair.gain < 0.7 for pair in seen.pairs)
    cache.clear()
    html = client_of(owner).get(reverse("live", args=["study"])).content.decode()
    assert "Pairs that come next" in html
    assert f"{seen.pairs[0].first} – {seen.pairs[0].second}" in html


@pytest.mark.parametrize(
    "toml",
    ["", 'method = "pair"\n', TWO_QUESTIONS, 'method = "acr-hr"\n[images]\nreferences = ["*-strong"]\n'],
)
def test_the_page_shows_every_method(toml, owner):
    study = make_study(toml)
    client = client_of(owner)
    address = reverse("live", args=["study"])
    assert "Nobody has begun." in client.get(address).content.decode()
    cache.clear()
    rate_all(starting.start(study))
    assert "of 1 who began" in client.get(address).content.decode()


def test_what_has_not_changed_is_not_sent_again(owner):
    study = make_study()
    give_ratings(study, 2)
    client, address = client_of(owner), reverse("live_now", args=["study"])
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    give_ratings(study, 1)
    cache.clear()
    changed = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_many_who_look_cost_one_look(owner, django_assert_max_num_queries):
    study = make_study()
    give_ratings(study, 2)
    client, address = client_of(owner), reverse("live_now", args=["study"])
    client.get(address)
    # Session, user, study, version, questions.
    with django_assert_max_num_queries(8):
        client.get(address)


@pytest.mark.parametrize(("seconds", "kept_for"), [(0.01, 2), (5.0, 100)])
def test_a_look_is_kept_for_a_while_only(monkeypatch, seconds, kept_for):
    """The longer a look takes, the longer it is kept, so that looking takes a twentieth of the time at most."""
    kept = []
    monkeypatch.setattr(cache, "set", lambda key, value, timeout: kept.append(timeout))
    clock = iter([100.0, 100.0 + seconds])
    monkeypatch.setattr(monitor, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    monkeypatch.setattr(monitor, "look", lambda study: None)
    watch(make_study())
    assert kept == [pytest.approx(kept_for)]


def test_buttons_on_the_live_page_come_back_to_it(owner):
    make_study()
    response = client_of(owner).post(
        reverse("study_state", args=["study"]), {"state": "paused", "page": "live"}
    )
    assert response["Location"] == reverse("live", args=["study"])
    assert Study.objects.get().state == "paused"
