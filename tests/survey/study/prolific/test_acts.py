"""What a researcher does on Prolific happens once, is kept in the history, and survives whatever Prolific answers."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import connection
from django.utils import timezone

from survey.access.errors import DeskError
from survey.models import AuditEntry, Participant, ProlificLink, Recruit, Study
from survey.study.definition import definition_of
from survey.study.lifecycle import copy, set_state
from survey.study.prolific import acts
from survey.study.prolific.api import Prolific, ProlificError, Uncertain
from survey.study.prolific.draft import proposal
from survey.study.prolific.link import connect, disconnect, look
from survey.study.revise import revise
from survey.study.study_file import parse
from tests.prolific_server import TOKEN
from tests.survey.study.prolific.conftest import ADDRESS, RECRUITMENT

pytestmark = pytest.mark.django_db


def draft_of(study):
    return proposal(study, definition_of(study.version), "GBP")


def acts_of(study):
    return list(study.audit.filter(act__startswith="prolific.").order_by("pk").values_list("act", flat=True))


def publish(study, owner, link):
    link.refresh_from_db()
    acts.step(study, "PUBLISH", owner, expected=link.places * link.reward)


def recruit(study, submission, state):
    """Let a person come by a submission and get so far."""
    person = Participant.objects.create(
        study=study,
        version=study.version,
        consent_version="1",
        consented_at=timezone.now(),
        state=state,
        finished_at=timezone.now() if state == "finished" else None,
    )
    Recruit.objects.create(
        study=study, participant=person, platform="prolific", person=f"p-{submission}", session=submission
    )
    return person


def test_a_draft_says_what_the_study_says(study, owner, link, prolific):
    assert acts.create(study, draft_of(study), ADDRESS, owner)
    (made,) = prolific.studies.values()
    codes = {code["code"]: code["code_type"] for code in made["completion_codes"]}
    assert codes == {"DONE1234": "COMPLETED", "OUT12345": "OTHER", "LEFT1234": "NO_CONSENT"}
    assert made["external_study_url"].startswith(f"{ADDRESS}?PROLIFIC_PID=")
    # 35 votes for each of six images, all rated by everybody, in a minute that is worth 15 pence.
    assert (made["total_available_places"], made["estimated_completion_time"], made["reward"]) == (35, 1, 15)
    link.refresh_from_db()
    assert (link.remote, link.status, link.total) == (made["id"], "UNPUBLISHED", 700)
    assert acts_of(study) == ["prolific.connect", "prolific.create"]


def test_a_draft_is_made_once(study, owner, link, remote, prolific):
    assert not acts.create(study, draft_of(study), ADDRESS, owner)
    assert list(prolific.studies) == [remote]


@pytest.mark.django_db(transaction=True)
def test_a_second_click_while_prolific_works_makes_no_second_draft(study, owner, link, prolific):
    said = []

    def click_again() -> None:
        prolific.before = lambda: None
        try:
            acts.create(study, draft_of(study), ADDRESS, owner)
        except DeskError as error:
            said.append(str(error))
        finally:
            connection.close()

    prolific.before = click_again
    assert acts.create(study, draft_of(study), ADDRESS, owner)
    assert said == ["Something is under way on Prolific already. Look again in a moment."]
    assert len(prolific.studies) == 1


def test_an_act_that_died_blocks_nothing_for_long(study, owner, link, prolific):
    ProlificLink.objects.update(busy_since=timezone.now() - dt.timedelta(minutes=6))
    assert acts.create(study, draft_of(study), ADDRESS, owner)
    assert ProlificLink.objects.get().busy_since is None


def test_a_draft_whose_answer_was_lost_is_found_again(study, owner, link, prolific):
    # Broken off after it was made: nobody knows.
    prolific.after = [(-1, {}, "")]
    with pytest.raises(Uncertain, match="may have been done"):
        acts.create(study, draft_of(study), ADDRESS, owner)
    link.refresh_from_db()
    assert (link.remote, link.is_asked, link.busy_since) == ("", True, None)
    assert not acts.create(study, draft_of(study), ADDRESS, owner)
    link.refresh_from_db()
    assert [link.remote] == list(prolific.studies)


@pytest.mark.parametrize("text", ["<html>Welcome</html>", "{}", "[]", '{"id": "../x", "status": "ACTIVE"}'])
def test_a_draft_whose_answer_cannot_be_read_is_found_again(study, owner, link, prolific, text):
    prolific.after = [(201, {}, text)]
    with pytest.raises(Uncertain, match="cannot be read"):
        acts.create(study, draft_of(study), ADDRESS, owner)
    acts.create(study, draft_of(study), ADDRESS, owner)
    assert len(prolific.studies) == 1


def test_trouble_leaves_nothing_behind(study, owner, link, remote, prolific):
    before = ProlificLink.objects.values().get()
    for status in (400, 429, 500, -1):
        prolific.instead = [(status, {}, "")]
        with pytest.raises(ProlificError):
            publish(study, owner, link)
        prolific.instead = [None, (status, {}, "")]
        with pytest.raises(ProlificError):
            publish(study, owner, link)
    after = ProlificLink.objects.values().get()
    assert {**after, "looked_at": None} == {**before, "looked_at": None}
    assert acts_of(study) == ["prolific.connect", "prolific.create"]


def test_a_study_goes_through_its_life(study, owner, link, remote, prolific):
    publish(study, owner, link)
    acts.step(study, "PAUSE", owner)
    acts.step(study, "START", owner)
    acts.add_places(study, 50, owner)
    acts.step(study, "STOP", owner)
    assert prolific.studies[remote]["status"] == "AWAITING REVIEW"
    link.refresh_from_db()
    assert (link.status, link.places) == ("AWAITING REVIEW", 50)
    told = ["publish", "pause", "start", "places", "stop"]
    assert acts_of(study)[2:] == [f"prolific.{name}" for name in told]


def test_nothing_is_published_twice(study, owner, link, remote, prolific):
    publish(study, owner, link)
    with pytest.raises(DeskError, match="Nothing was done: on Prolific the study is active"):
        publish(study, owner, link)
    assert prolific.asked.count(("POST", f"/api/v1/studies/{remote}/transition/")) == 1


def test_places_that_were_added_are_not_added_again(study, owner, link, remote, prolific):
    acts.add_places(study, 40, owner)
    with pytest.raises(DeskError, match="there are 40 places"):
        acts.add_places(study, 40, owner)
    assert prolific.studies[remote]["total_available_places"] == 40


def test_nothing_is_published_at_another_cost_than_was_shown(study, owner, link, remote, prolific):
    shown = 35 * 15
    prolific.studies[remote]["reward"] = 900
    with pytest.raises(DeskError, match="changed on Prolific since"):
        acts.step(study, "PUBLISH", owner, expected=shown)
    link.refresh_from_db()
    assert (prolific.studies[remote]["status"], link.reward) == ("UNPUBLISHED", 900)


def test_nothing_is_published_with_other_codes(study, owner, link, remote, prolific):
    revise(study, parse('title = "A"\n' + RECRUITMENT.replace("DONE1234", "OTHER123"), "x"), owner)
    with pytest.raises(DeskError, match="other completion codes"):
        publish(study, owner, link)


def test_nobody_is_sent_to_a_closed_door(study, owner, link, remote, prolific):
    set_state(study, Study.State.PAUSED, owner)
    study.refresh_from_db()
    with pytest.raises(DeskError, match="Open the study here first"):
        publish(study, owner, link)


def test_only_finished_sessions_are_approved(study, owner, link, remote, prolific):
    for number, state in enumerate(("finished", "finished", "screened-out", "stopped", "active")):
        recruit(study, f"s{number}", state)
    for number in range(6):
        prolific.add(remote, f"p-s{number}", f"s{number}", "AWAITING REVIEW", "CODE")
    # The same submission, named by another person's link.
    prolific.add(remote, "p-s1", "s9", "AWAITING REVIEW")
    everybody = {f"s{number}" for number in range(10)}
    assert acts.approve(study, everybody, owner) == 2
    assert {one["id"]: one["status"] for one in prolific.submissions[remote]} == {
        **{f"s{number}": "AWAITING REVIEW" for number in (2, 3, 4, 5, 9)},
        **{f"s{number}": "APPROVED" for number in (0, 1)},
    }
    entry = study.audit.filter(act="prolific.approve").get()
    assert entry.detail == {"study_there": remote, "count": 2}
    with pytest.raises(DeskError, match="Nothing was approved"):
        acts.approve(study, everybody, owner)


def test_a_study_that_was_deleted_there_is_let_go_and_can_be_made_again(study, owner, link, remote, prolific):
    del prolific.studies[remote]
    look(study, owner)
    link.refresh_from_db()
    assert (link.remote, link.status, link.places) == ("", "", None)
    assert acts.create(study, draft_of(study), ADDRESS, owner)
    assert "prolific.gone" in acts_of(study)


def test_a_token_that_prolific_refuses_is_not_kept(study, owner, prolific):
    with pytest.raises(ProlificError, match="does not accept"):
        connect(study, "a-token-of-nobody", owner)
    assert not ProlificLink.objects.exists()


def test_a_token_that_does_not_see_the_study_changes_nothing(study, owner, link, remote, prolific):
    del prolific.studies[remote]
    with pytest.raises(DeskError, match="does not see the study"):
        connect(study, TOKEN, owner)


def test_a_token_works_only_while_its_giver_may_change_the_study(
    study, owner, link, remote, prolific, django_user_model
):
    study.owner = django_user_model.objects.create_user("ben")
    study.save()
    with pytest.raises(DeskError, match="not connected"):
        look(study, study.owner)


def test_a_study_without_a_token_asks_nobody(study, owner, link, remote, prolific):
    disconnect(study, owner)
    asked = len(prolific.asked)
    with pytest.raises(DeskError, match="not connected"):
        look(study, owner)
    assert len(prolific.asked) == asked


def test_the_token_stands_nowhere_in_words(study, owner, link, remote, prolific, caplog):
    caplog.set_level(0)
    prolific.instead = [(500, {}, TOKEN)]
    with pytest.raises(ProlificError) as caught:
        look(study, owner)
    rows = json.dumps([*ProlificLink.objects.values(), *AuditEntry.objects.values()], default=str)
    assert TOKEN not in rows + caplog.text + str(caught.value) + repr(caught.value.__dict__)


def test_a_copy_of_a_study_is_not_connected(study, owner, link, remote):
    assert not ProlificLink.objects.filter(study=copy(study, "other", owner)).exists()


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_prolific_is_asked(study, owner, link, prolific, monkeypatch):
    send, open_ones = Prolific._send, []

    def watched(self, *args, **kwargs):
        open_ones.append(connection.in_atomic_block)
        return send(self, *args, **kwargs)

    monkeypatch.setattr(Prolific, "_send", watched)
    acts.create(study, draft_of(study), ADDRESS, owner)
    publish(study, owner, link)
    acts.add_places(study, 60, owner)
    look(study, owner)
    assert open_ones
    assert not any(open_ones)
