"""Running counts of the votes that each image of a study has or will soon get.

What it costs to know them does not grow with the number of ratings.

A main trial counts from the moment when it is drawn. Once its session is over, gone quiet, or left out of the results,
the session is reviewed: what was never answered stops counting. Sessions that come back are reviewed again. `Trial.counted`
says what is in the counts, and `Participant.review` how a session was judged last, so that each is read once or twice in
its life. Reviews happen at the next start, in the transaction that has locked the study's row.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from survey.access.together import ask_sql
from survey.models import Participant, Study, Tally, Trial

#: A session without a sign of life for so long gives its unanswered places back.
STALE_AFTER: Final = dt.timedelta(minutes=45)
#: (stimulus, other) as shown; other is None but for pairs and references.
Place = tuple[int, int | None]
#: A place among the trials of one group of participants; "" where there are no groups.
GroupPlace = tuple[Place, str]
_CHUNK: Final = 400
_Row = TypeVar("_Row")


def ask_standing(study: Study) -> Callable[[], list[tuple[Any, ...]]]:
    """Ask for a study's running counts, and whether sessions changed since the last review."""
    return ask_sql(_STANDING, {"study": study.pk, "fresh": _fresh()})


def tallied(study: Study, standing: Callable[[], list[tuple[Any, ...]]] | None = None) -> Tally:
    """Return a study's running counts after reviewing sessions that changed. `standing`: what `ask_standing` gave."""
    row = next(iter((standing or ask_standing(study))()), None)
    tally = Tally(row[0], study.pk, json.loads(row[1])) if row else Tally.objects.create(study=study)
    if row is None or row[2]:
        change: Counter[GroupPlace] = Counter()
        for some in _chunks(_judged(study, all_of_them=row is None)):
            change.update(_review(some))
        _change(tally, change)
    return tally


def counted(study: Study, group: str | None = None) -> Counter[Place]:
    """Return how many votes each place of a study has or is about to get, as `counts_of` does, after `tallied`."""
    return counts_of(tallied(study), group)


def last_counted(study: Study) -> Counter[Place]:
    """Return the same as at the last start, and change nothing: for pages that only look."""
    tally = Tally.objects.filter(study=study).first()
    return counts_of(tally) if tally else Counter()


def counts_of(tally: Tally, group: str | None = None) -> Counter[Place]:
    """Return how many votes each place has or is about to get; with a `group`, from its participants alone.

    Previews, the screened-out and those whom a researcher left out have none: the images they saw want others' votes.
    """
    found: Counter[Place] = Counter()
    for key, count in tally.counts.items():
        place, of = _place(key)
        if group is None or of == group:
            found[place] += count
    return found


def take(tally: Tally, places: Iterable[Place], group: str) -> None:
    """Count the places that were just drawn for a participant of a group, who is no preview."""
    _change(tally, Counter((place, group) for place in places))


def forget(participant: Participant) -> None:
    """Take the votes of somebody out who is about to be deleted. Call it with the study's row locked."""
    tally = Tally.objects.filter(study=participant.study_id).first()
    if tally is not None:
        gone = participant.trials.filter(counted=True).values_list("stimulus_id", "other_id")
        _change(tally, {(place, participant.group): -count for place, count in Counter(gone).items()})


# One search for each kind, not one that reads every participant; for SQLite, CROSS says which table comes first. The
# verdicts are numbers of Participant.Review.
_CHANGED: Final = """
SELECT id FROM survey_participant
WHERE study_id = %(study)s AND review = 0 AND state IN ('finished', 'stopped', 'screened-out')
UNION ALL SELECT id FROM survey_participant
WHERE study_id = %(study)s AND review = 0 AND state = 'active' AND last_seen_at < %(fresh)s
UNION ALL SELECT id FROM survey_participant
WHERE study_id = %(study)s AND review = 1 AND state = 'active' AND last_seen_at >= %(fresh)s
UNION ALL SELECT id FROM survey_participant WHERE study_id = %(study)s AND review = 3
UNION ALL SELECT person.id FROM survey_exclusion exclusion CROSS JOIN survey_participant person
WHERE person.id = exclusion.participant_id
AND exclusion.lifted_at IS NULL AND person.study_id = %(study)s AND person.review <> 2
UNION ALL SELECT id FROM survey_participant person WHERE study_id = %(study)s AND review = 2
AND NOT EXISTS (SELECT 1 FROM survey_exclusion WHERE participant_id = person.id AND lifted_at IS NULL)
"""
# Of most starts nothing changed, which is asked by the query that reads the counts.
_STANDING: Final = f"""
SELECT id, counts, EXISTS ({_CHANGED}) FROM survey_tally WHERE study_id = %(study)s
"""  # noqa: S608 - made of constants
_RECOUNT: Final = "UPDATE survey_tally SET counts = %s WHERE id = %s"
_JUDGED: Final = """
SELECT id, review, state = 'active' AND last_seen_at >= %(fresh)s, is_preview OR state = 'screened-out',
    EXISTS (SELECT 1 FROM survey_exclusion WHERE participant_id = person.id AND lifted_at IS NULL)
FROM survey_participant person WHERE {} ORDER BY id
"""


class _Judged(NamedTuple):
    """A session, its last verdict, and what it is now."""

    pk: int
    review: int
    goes_on: bool
    never_counts: bool
    left_out: bool


def _judged(study: Study, *, all_of_them: bool) -> list[_Judged]:
    """Return the sessions whose verdict may be another than at their last review, or all."""
    wanted = "study_id = %(study)s" if all_of_them else f"id IN ({_CHANGED})"
    with connection.cursor() as cursor:
        cursor.execute(_JUDGED.format(wanted), {"study": study.pk, "fresh": _fresh()})
        return [_Judged(*row) for row in cursor.fetchall()]


def _fresh() -> Any:
    """Return the time of the last sign of life of a session that just goes on, as this database's driver takes it."""
    return connection.ops.adapt_datetimefield_value(timezone.now() - STALE_AFTER)


def _review(people: Sequence[_Judged]) -> Counter[GroupPlace]:
    """Judge some sessions anew; return by how much the counts change."""
    counting: defaultdict[str, list[int]] = defaultdict(list)
    reviews: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for person in people:
        out = person.left_out or person.never_counts
        counting["nothing" if out else "drawn" if person.goes_on else "answered"].append(person.pk)
        review = Participant.Review.OVER if out or not person.goes_on else Participant.Review.LIVE
        review = Participant.Review.OUT if person.left_out else review
        if review != person.review:
            reviews[person.review, review].append(person.pk)
    change: Counter[GroupPlace] = Counter()
    for what, pks in counting.items():
        change.update(_recounted(pks, _COUNTS[what]))
    for (before, after), pks in reviews.items():
        Participant.objects.filter(pk__in=pks, review=before).update(review=after)
    return change


# A trial opened again by undo keeps its rating, and so its vote.
_ANSWERED: Final = Q(outcome=Trial.Outcome.RATED) | Q(outcome=Trial.Outcome.OPEN, answered_at__isnull=False)
#: Which main trials of a session count, by what it is now.
_COUNTS: Final = {
    "nothing": Q(pk__in=()),
    "answered": _ANSWERED,
    "drawn": _ANSWERED | Q(outcome=Trial.Outcome.OPEN),
}


def _recounted(people: Sequence[int], counts: Q) -> Counter[GroupPlace]:
    """Mark which trials of `people` count; return by how much that changes the counts."""
    change: Counter[GroupPlace] = Counter()
    flips: dict[bool, list[int]] = {True: [], False: []}
    main = Trial.objects.filter(participant__in=people, phase=Trial.Phase.MAIN).order_by()
    wrong = main.filter(Q(counted=False) & counts | Q(counted=True) & ~counts)
    names = ("participant__group", "stimulus_id", "other_id", "counted")
    for pk, group, stimulus, other, was in wrong.values_list("pk", *names):
        flips[not was].append(pk)
        change[(stimulus, other), group] += -1 if was else 1
    for value, pks in flips.items():
        for some in _chunks(pks):
            Trial.objects.filter(pk__in=some).update(counted=value)
    return change


def _change(tally: Tally, change: Mapping[GroupPlace, int]) -> None:
    """Add to a study's counts; what has none is left out."""
    counts = tally.counts
    for place, number in change.items():
        key = _key(place)
        counts[key] = counts.get(key, 0) + number
        if not counts[key]:
            del counts[key]
    if change:
        with connection.cursor() as cursor:
            cursor.execute(_RECOUNT, [json.dumps(counts), tally.pk])


def _key(place: GroupPlace) -> str:
    (first, other), group = place
    shown = f"{first}" if other is None else f"{first},{other}"
    return f"{shown}@{group}" if group else shown


def _place(key: str) -> GroupPlace:
    if key.isdecimal():
        return (int(key), None), ""
    shown, _, group = key.partition("@")
    first, _, other = shown.partition(",")
    return (int(first), int(other) if other else None), group


def _chunks(some: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    return (some[start : start + _CHUNK] for start in range(0, len(some), _CHUNK))
