"""What a researcher does on Prolific from here. Each act is asked for by hand, made once, and kept in the history.

Prolific is asked first, outside any transaction; what it answers is then written with the entry of the history in one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from survey.access.audit import record
from survey.access.errors import DeskError
from survey.models import ProlificLink, Study
from survey.study.definition import definition_of
from survey.study.prolific.api import Action, Prolific, ProlificError, RemoteStudy
from survey.study.prolific.draft import Draft, body, internal_name, recruitment_of
from survey.study.prolific.link import alone, client_of, keep
from survey.study.prolific.submissions import sort_out

#: From which states of Prolific each act is possible, and what it is called in the history.
STEPS: Final[dict[Action, tuple[frozenset[str], str]]] = {
    "PUBLISH": (frozenset({"UNPUBLISHED"}), "prolific.publish"),
    "PAUSE": (frozenset({"ACTIVE"}), "prolific.pause"),
    "START": (frozenset({"PAUSED"}), "prolific.start"),
    "STOP": (frozenset({"ACTIVE", "PAUSED"}), "prolific.stop"),
}


def create(study: Study, draft: Draft, address: str, by: User) -> bool:
    """Make a study's draft on Prolific; False where there was one already, which a lost answer may have made.

    Args:
        study: With its three codes in the newest version.
        draft: What Prolific shows people, and pays.
        address: At which people take part.
        by: Who asked for it.
    """
    recruitment = recruitment_of(definition_of(study.version))
    with alone(study) as link:
        if link.remote:
            return False
        client = client_of(link)
        found = client.find(internal_name(link)) if link.is_asked else None
        is_new = found is None
        if found is None:
            # Before the request: should its answer be lost, the next try looks for the draft first.
            ProlificLink.objects.filter(pk=link.pk).update(is_asked=True)
            found = client.create(body(link, recruitment, draft, address))
        with transaction.atomic():
            keep(link, found)
            record("prolific.create", study, by, study_there=found.id, **_numbers(link))
        return is_new


def step(study: Study, action: Action, by: User | str, *, expected: int | None = None) -> None:
    """Publish, pause, start or stop a study on Prolific; nothing where it stands so already.

    Args:
        study: Which must be open for what sends people to it.
        action: What to do.
        by: Who asked for it.
        expected: The rewards of all places, in pence or cents, that were shown to whoever publishes.
    """
    if action in ("PUBLISH", "START") and not study.takes_people:
        raise DeskError("Open the study here first: people would come to a closed door.")
    possible, act = STEPS[action]
    with alone(study) as link:
        client, remote = _looked_up(link)
        if remote.status not in possible:
            raise DeskError(f"Nothing was done: on Prolific the study is {remote.status.lower()}.")
        if action == "PUBLISH":
            _check_before_publishing(study, link, remote, expected)
        remote = client.transition(link.remote, action)
        with transaction.atomic():
            keep(link, remote)
            record(act, study, by, study_there=link.remote, **_numbers(link))


def add_places(study: Study, places: int, by: User) -> None:
    """Set how many places there are in all on Prolific: more than now. The same number again adds none."""
    with alone(study) as link:
        client, remote = _looked_up(link)
        was = remote.total_available_places or 0
        if places <= was:
            raise DeskError(
                f"Nothing was done: there are {was} places on Prolific. They can only become more."
            )
        remote = client.set_places(link.remote, places)
        with transaction.atomic():
            keep(link, remote)
            record("prolific.places", study, by, study_there=link.remote, places=places, was=was)


def approve(study: Study, chosen: Collection[str], by: User) -> int:
    """Approve those chosen submissions that wait for review and whose session is finished here; return how many.

    Both are looked up again first, so that nobody is paid for what changed since the page was shown. A request of a thousand that
    fails leaves those before it approved, and in the history.
    """
    done = 0
    with alone(study) as link:
        _demand_study_there(link)
        client = client_of(link)
        review = sort_out(study, client.submissions(link.remote))
        wanted = [submission.id for submission in review.finished if submission.id in chosen]
        if not wanted:
            raise DeskError("Nothing was approved: none of these waits for a review any more.")
        try:
            for count in client.approve(wanted):
                record("prolific.approve", study, by, study_there=link.remote, count=count)
                done += count
        except ProlificError as error:
            raise type(error)(f"{done} of {len(wanted)} were approved, then: {error}") from None
    return done


@transaction.atomic
def set_follows(study: Study, *, follows: bool, by: User) -> None:
    """Say whether Prolific pauses by itself when the study does."""
    if ProlificLink.objects.filter(study=study).exclude(follows=follows).update(follows=follows):
        record("prolific.follow", study, by, follows=follows)


def _demand_study_there(link: ProlificLink) -> None:
    if not link.remote:
        raise DeskError("There is no study on Prolific yet.")


def _looked_up(link: ProlificLink) -> tuple[Prolific, RemoteStudy]:
    """Return Prolific's API and the study as it is there now, which is kept."""
    _demand_study_there(link)
    client = client_of(link)
    remote = client.study(link.remote)
    keep(link, remote)
    return client, remote


def _check_before_publishing(
    study: Study, link: ProlificLink, remote: RemoteStudy, expected: int | None
) -> None:
    recruitment = recruitment_of(definition_of(study.version))
    codes = {code.code for code in remote.completion_codes or []}
    ours = {recruitment.complete, recruitment.screened_out, recruitment.withdrew}
    if codes and not ours <= codes:
        raise DeskError(
            "Prolific’s study has other completion codes than this one. Put the same into both, then publish."
        )
    if expected != (link.places or 0) * (link.reward or 0):
        raise DeskError("Places or reward were changed on Prolific since. Look at the cost again.")


def _numbers(link: ProlificLink) -> dict[str, int | str | None]:
    return {"places": link.places, "minutes": link.minutes, "reward": link.reward, "currency": link.currency}
