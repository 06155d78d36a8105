"""Prolific's submissions beside the sessions here: who is finished in both, and who needs a look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from survey.models import Participant, Recruit, Study
from survey.study.prolific.api import Submission

AWAITING: Final = "AWAITING REVIEW"
_WHY: Final = {
    Participant.State.ACTIVE: "not finished here",
    Participant.State.STOPPED: "stopped early here",
    Participant.State.SCREENED_OUT: "screened out here",
}


@dataclass(frozen=True)
class Review:
    """A study's submissions.

    Attributes:
        finished: Wait for review, and every answer is here.
        others: Wait for review, with why they are not among the finished.
        counts: How many there are in each of Prolific's states.
    """

    finished: list[Submission]
    others: list[tuple[Submission, str]]
    counts: dict[str, int]


def sort_out(study: Study, submissions: Iterable[Submission]) -> Review:
    """Return the submissions of a study by how their sessions stand here.

    A session is that of a submission if its link named both: the person and the submission (SESSION_ID).
    """
    # From the purge date on nobody is told apart, also before the platform's ids are deleted.
    known = Recruit.objects.none() if study.is_purged else Recruit.objects.filter(study=study)
    rows = known.filter(platform="prolific", participant__is_preview=False)
    states = {
        (person, session): Participant.State(state)
        for person, session, state in rows.values_list("person", "session", "participant__state")
    }
    finished: list[Submission] = []
    others: list[tuple[Submission, str]] = []
    counts: Counter[str] = Counter()
    for submission in submissions:
        status = submission.status.upper().replace("_", " ")
        counts[status] += 1
        state = states.get((submission.participant_id, submission.id))
        if status != AWAITING:
            continue
        if state == Participant.State.FINISHED:
            finished.append(submission)
        else:
            others.append((submission, _WHY[state] if state else "no session here"))
    return Review(finished, others, dict(counts))
