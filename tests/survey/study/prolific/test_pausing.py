"""Prolific pauses with the study where its researcher said so, and no participant waits for that."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from survey.models import ProlificLink, Study
from survey.session import starting
from survey.session.finishing import finish
from survey.study.lifecycle import set_state
from survey.study.prolific import acts, pausing
from survey.study.prolific.link import client_of
from survey.study.revise import revise
from survey.study.study_file import parse
from tests.survey.desk.conftest import client_of as client_for
from tests.survey.factories import rate_all
from tests.survey.study.prolific.conftest import RECRUITMENT

pytestmark = pytest.mark.django_db


@pytest.fixture
def following(study: Study, owner: User, link: ProlificLink, remote: str) -> ProlificLink:
    """The study is published, and Prolific follows it."""
    link.refresh_from_db()
    acts.step(study, "PUBLISH", owner, expected=(link.places or 0) * (link.reward or 0))
    acts.set_follows(study, follows=True, by=owner)
    link.refresh_from_db()
    return link


@pytest.fixture
def woken(monkeypatch) -> list[bool]:
    """Notes that the process was started, and starts none."""
    started: list[bool] = []
    monkeypatch.setattr(pausing, "wake", lambda: started.append(True))
    monkeypatch.setattr(pausing, "_WAITS", (0, 0, 0))
    return started


def test_what_pauses_the_study_pauses_prolific(
    study, owner, following, prolific, woken, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        set_state(study, Study.State.PAUSED, owner)
    assert woken == [True]
    assert prolific.studies[following.remote]["status"] == "ACTIVE"
    pausing.work()
    following.refresh_from_db()
    assert prolific.studies[following.remote]["status"] == "PAUSED"
    assert (following.status, following.pause_asked_at, following.problem) == ("PAUSED", None, "")
    assert study.audit.filter(act="prolific.pause").get().who == "(with the study)"


def test_a_stopping_rule_pauses_prolific_too(
    study, owner, following, prolific, woken, django_capture_on_commit_callbacks
):
    revise(study, parse('title = "A"\nstop_when = "1 sessions"\n' + RECRUITMENT, "x"), owner)
    with django_capture_on_commit_callbacks(execute=True):
        recruitment = starting.Recruitment("prolific", "p1", "s1")
        person = starting.start(study, recruitment=recruitment)
        rate_all(person)
        asked = len(prolific.asked)
        finish(person)
    study.refresh_from_db()
    assert study.state == "paused"
    # The participant's request asked Prolific nothing.
    assert len(prolific.asked) == asked
    pausing.work()
    assert prolific.studies[following.remote]["status"] == "PAUSED"


def test_nothing_follows_that_was_not_asked_to(
    study, owner, following, prolific, woken, django_capture_on_commit_callbacks
):
    acts.set_follows(study, follows=False, by=owner)
    with django_capture_on_commit_callbacks(execute=True):
        set_state(study, Study.State.PAUSED, owner)
    assert woken == []


def test_a_study_that_is_open_again_is_left_alone(study, owner, following, prolific, woken):
    set_state(study, Study.State.PAUSED, owner)
    set_state(study, Study.State.OPEN, owner)
    pausing.work()
    following.refresh_from_db()
    assert prolific.studies[following.remote]["status"] == "ACTIVE"
    assert (following.pause_asked_at, following.problem) == (None, "")


def test_trouble_is_tried_again_and_then_told(study, owner, following, prolific, woken):
    set_state(study, Study.State.PAUSED, owner)
    prolific.instead = [(503, {}, "")] * 3
    pausing.work()
    following.refresh_from_db()
    assert "trouble" in following.problem
    assert (
        "could not be paused: Prolific has trouble"
        in client_for(owner).get(f"/studies/{study.slug}/live/").content.decode()
    )
    assert following.pause_asked_at is None
    set_state(study, Study.State.CLOSED, owner)
    prolific.instead = [(503, {}, "")]
    pausing.work()
    following.refresh_from_db()
    assert (following.problem, following.status) == ("", "PAUSED")


@pytest.mark.parametrize("page", ["live", "setup", "prolific"])
def test_whose_study_pauses_alone_is_offered_to_pause_prolific(study, owner, following, woken, page):
    acts.set_follows(study, follows=False, by=owner)
    address, said = f"/studies/{study.slug}/{page}/", "People still come from Prolific"
    desk = client_for(owner)
    assert said not in desk.get(address).content.decode()
    set_state(study, Study.State.PAUSED, owner)
    assert said in desk.get(address).content.decode()
    acts.step(study, "PAUSE", owner)
    assert said not in desk.get(address).content.decode()


def test_a_study_that_is_just_being_published_is_paused_once_it_is(study, owner, following, prolific, woken):
    prolific.studies[following.remote]["status"] = "PUBLISHING"
    set_state(study, Study.State.PAUSED, owner)

    def then() -> None:
        if len(prolific.asked) > asked + 1:
            prolific.studies[following.remote]["status"] = "ACTIVE"
            prolific.before = lambda: None

    asked, prolific.before = len(prolific.asked), then
    pausing.work()
    assert prolific.studies[following.remote]["status"] == "PAUSED"


def test_a_study_that_prolific_stopped_itself_is_no_trouble(study, owner, following, prolific, woken):
    prolific.studies[following.remote]["status"] = "AWAITING REVIEW"
    set_state(study, Study.State.PAUSED, owner)
    call_command("pause_prolific")
    following.refresh_from_db()
    assert (following.problem, following.status) == ("", "AWAITING REVIEW")


def test_tokens_are_encrypted_anew_with_a_new_key(link, settings):
    old, settings.SECRET_KEY = settings.SECRET_KEY, "new"
    settings.SECRET_KEY_FALLBACKS = [old]
    said = io.StringIO()
    call_command("renew_secrets", stdout=said)
    assert said.getvalue() == "1 token encrypted with the newest key\n"
    settings.SECRET_KEY_FALLBACKS = []
    link.refresh_from_db()
    client_of(link).me()
    settings.SECRET_KEY = "another"
    with pytest.raises(CommandError, match="connect these studies to Prolific again"):
        call_command("renew_secrets", stdout=said)
