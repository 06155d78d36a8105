"""How long a session takes, as the first people who finished one show."""

from __future__ import annotations

from statistics import median
from typing import Final

from survey.models import Participant, StudyVersion

#: Sessions that correct the estimate: from `ENOUGH` on, and the `FIRST` of them only, so that it comes to rest.
ENOUGH: Final = 5
FIRST: Final = 30


def learn(person: Participant) -> None:
    """Keep the median length of a version's first finished sessions, now that this person has finished one.

    Previews and programs do not count, nor do people who took a second batch. A person who slept in between is what
    the median is for.
    """
    if person.is_preview or person.is_simulated or person.batches > 1:
        return
    times = Participant.objects.filter(
        version=person.version_id,
        state=Participant.State.FINISHED,
        is_preview=False,
        is_simulated=False,
        batches=1,
    ).values_list("started_at", "finished_at")
    first = list(times.order_by("finished_at")[: FIRST + 1])
    if ENOUGH <= len(first) <= FIRST:
        seconds = round(median((end - start).total_seconds() for start, end in first if end))
        StudyVersion.objects.filter(pk=person.version_id).update(median_seconds=seconds)
