"""A study that is over stands still: only answers given before its end are taken, for as long as it says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from survey.models import AuditEntry, Participant, Rating, Study, Trial
from survey.results.collect import fingerprint
from survey.session import starting
from survey.study.lifecycle import set_state
from tests.survey.factories import answer, current, join, make_study, rate_all

pytestmark = pytest.mark.django_db

MINUTE = 60_000
SCRIPT = {"Accept": "application/json"}


@pytest.fixture
def person(client) -> Participant:
    return join(client, make_study("[limits]\ngrace_minutes = 5\n"))


def close(minutes_ago: float = 0) -> None:
    """Close the study, some time ago."""
    set_state(Study.objects.get(), Study.State.CLOSED, None)
    if minutes_ago:
        Study.objects.update(closed_at=timezone.now() - dt.timedelta(minutes=minutes_ago))


def test_an_answer_given_after_closing_is_refused_for_good(client, person):
    trial = current(person)
    close(1)
    assert answer(client, trial).status_code == 410
    refused = client.post(
        "/s/study/rate/", {"trial": trial.token, "q-overall": "4"}, headers={"Accept": "application/json"}
    )
    assert (refused.status_code, "too late" in refused.json()["error"]) == (410, True)
    skipped = client.post("/s/study/skip/", {"trial": trial.token, "reason": "failed"}, headers=SCRIPT)
    assert skipped.status_code == 410
    assert not Rating.objects.exists()
    assert current(person) == trial


def test_answers_that_wait_from_before_closing_are_taken_for_the_grace_time(client, person):
    first = current(person)
    close(4)
    assert answer(client, first, waited_ms=str(4.5 * MINUTE)).status_code == 303
    second = current(person)
    assert second != first
    close(6)
    assert answer(client, second, waited_ms=str(10 * MINUTE)).status_code == 410
    assert Rating.objects.count() == 1


def test_a_claim_to_have_waited_does_not_help_an_image_shown_after_the_end(client, person):
    trial = current(person)
    close(2)
    Trial.objects.filter(pk=trial.pk).update(shown_at=timezone.now() - dt.timedelta(minutes=1))
    assert answer(client, trial, waited_ms=str(3 * MINUTE)).status_code == 410


def test_an_answer_that_was_kept_before_is_acknowledged_whenever_it_is_sent_again(client, person):
    trial = current(person)
    answer(client, trial, 2)
    close(60)
    assert answer(client, trial, 5).status_code == 303
    assert Rating.objects.get().value == 2


def test_nothing_is_undone_once_a_study_is_closed(client, person):
    answer(client, current(person), 2)
    close()
    assert client.post("/s/study/undo/").status_code == 410
    assert client.post("/s/study/undo/", headers=SCRIPT).json() == {"error": "closed"}
    assert Trial.objects.filter(outcome="rated").count() == 1


def test_a_study_past_its_purge_date_takes_no_answer_either(client, person):
    trial = current(person)
    Study.objects.update(purge_on=timezone.localdate() - dt.timedelta(days=1))
    assert answer(client, trial).status_code == 410
    assert client.get("/s/study/rate/").status_code == 410
    assert client.get("/s/study/", follow=True).status_code == 410


def test_whatever_closes_or_opens_a_study_the_database_notes_when():
    make_study()
    Study.objects.update(state="closed")
    first = Study.objects.get().closed_at
    assert first is not None
    assert abs(timezone.now() - first) < dt.timedelta(minutes=1)
    Study.objects.update(title="Another")
    assert Study.objects.get().closed_at == first
    Study.objects.update(state="open")
    assert Study.objects.get().closed_at is None


def acts(client: Client) -> dict[str, Callable[[], object]]:
    return {
        "answer": lambda: answer(client, Trial.objects.filter(outcome="open")[0]),
        "undo": lambda: client.post("/s/study/undo/"),
        "stop": lambda: client.post("/s/study/leave/", {"action": "keep"}),
        "screening": lambda: client.post("/s/study/screening/", {"display": "yes"}),
        "about": lambda: client.post("/s/study/about/", {"age": "60+"}),
        "done": lambda: client.get("/s/study/done/"),
        "again": lambda: client.post("/s/study/again/"),
        "begin": lambda: Client().post("/s/study/", {"consent": "on"}),
    }


@pytest.mark.parametrize("act", acts(Client()))
@pytest.mark.parametrize("all_rated", [False, True])
def test_results_of_a_closed_study_stand_still(client, act, all_rated):
    study = make_study('about = ["age"]\n[screening]\ndisplay = true\n[session]\nbatches = 2\nimages = 2\n')
    person = join(client, study)
    if act != "screening":
        starting.screen(person, {"display": "yes"})
    if all_rated:
        rate_all(person)
    close(60)
    before = fingerprint(Study.objects.get())
    if not (act == "answer" and all_rated):
        acts(client)[act]()
    assert fingerprint(Study.objects.get()) == before


def test_who_answered_everything_gets_the_code_though_the_study_closed_meanwhile(client):
    study = make_study(
        'about = ["age"]\n[recruitment]\nplatform = "prolific"\ncomplete = "DONE1"\nscreened_out = "O"\nwithdrew = "B"\n'
    )
    rate_all(join(client, study, PROLIFIC_PID="a"))
    close(60)
    assert "DONE1" in client.get("/s/study/done/").content.decode()
    assert Participant.objects.get().state == "active"


def test_what_a_deletion_changes_after_the_end_stands_in_the_log_without_a_name(client, person):
    close(60)
    client.post("/s/study/leave/", {"action": "delete-now"})
    assert not Participant.objects.exists()
    entry = AuditEntry.objects.latest("pk")
    assert (entry.act, entry.who, entry.detail) == ("participant.leave", "(participant)", {})


def test_stop_and_keep_ends_answering(client, person):
    answer(client, current(person), 3)
    trial = current(person)
    client.post("/s/study/leave/", {"action": "keep"})
    assert answer(client, trial).status_code == 410
    assert client.post("/s/study/skip/", {"trial": trial.token, "reason": "failed"}).status_code == 410
    assert Rating.objects.count() == 1
    # What they had answered before and was still on its way is theirs to keep.
    assert answer(client, trial, waited_ms=str(MINUTE)).status_code == 303
    assert Rating.objects.count() == 2


def test_a_preview_of_a_closed_study_still_rates():
    study = make_study()
    admin = User.objects.create_superuser("admin", password="x")
    close()
    assert rate_all(starting.start(study, preview_by=admin)) == 6
