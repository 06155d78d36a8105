"""Running counts of the votes that each image of a study has or will soon get: what it costs to know them does not
grow with the number of ratings.

A main trial counts from the moment when it is drawn. Once its session is over, gone quiet, or left out of the results,
the session is reviewed: what was never answered stops counting. Sessions that come back are reviewed again. `Trial.counted`
says what is in the counts, and `Participant.review` how a session was judged last, so that each is read once or twice in
its life. Reviews happen at the next start, in the transaction that has locked the study's row.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from survey.models import Exclusion, Participant, Study, Tally, Trial

#: A session without a sign of life for so long gives its unanswered places back.
STALE_AFTER: Final = dt.timedelta(minutes=45)
#: (stimulus, other) as shown; other is None but for pairs and references.
Place = tuple[int, int | None]
#: A place among the trials of one group of participants; "" where there are no groups.
GroupPlace = tuple[Place, str]
_CHUNK: Final = 400


def counted(study: Study, group: str | None = None) -> Counter[Place]:
    """Return how many votes each place of a study has or is about to get, after reviewing sessions that changed.

    With a `group`, those of its participants alone. Previews, the screened-out and those whom a researcher left out
    have none: the images they saw want others' votes.
    """
    tally, is_new = Tally.objects.get_or_create(study=study)
    people = study.participants.all() if is_new else _changed(study)
    change: Counter[GroupPlace] = Counter()
    for some in _chunks(sorted(set(people.values_list("pk", flat=True)))):
        change.update(_review(study, some))
    return _of(_changed_by(tally, change), group)


def last_counted(study: Study) -> Counter[Place]:
    """Return the same as at the last start, and change nothing: for pages that only look."""
    tally = Tally.objects.filter(study=study).first()
    return _of(_counts(tally), None) if tally else Counter()


def take(participant: Participant, trials: Iterable[Trial]) -> None:
    """Count the places that were just drawn for a participant, who is no preview."""
    places = Counter(
        ((trial.stimulus_id, trial.other_id), participant.group) for trial in trials if trial.counted
    )
    _changed_by(Tally.objects.get(study=participant.study_id), places)


def forget(participant: Participant) -> None:
    """Take the votes of somebody out who is about to be deleted. Call it with the study's row locked."""
    tally = Tally.objects.filter(study=participant.study_id).first()
    if tally is not None:
        gone = participant.trials.filter(counted=True).values_list("stimulus_id", "other_id")
        change = {(place, participant.group): -count for place, count in Counter(gone).items()}
        _changed_by(tally, Counter(change))


def _changed(study: Study) -> QuerySet[Participant]:
    """Return the sessions whose judgement may be another than at their last review."""
    fresh = timezone.now() - STALE_AFTER
    left_out = Exclusion.in_force(study).values("participant")
    people, state = study.participants.order_by(), Participant.State.ACTIVE
    live, over, out, back = (Participant.Review(value) for value in Participant.Review.values)
    # One query for each index, not one that reads every participant.
    return (
        people.filter(review=live)
        .filter(~Q(state=state) | Q(last_seen_at__lt=fresh))
        .union(
            people.filter(review=back),
            people.filter(review=over, state=state, last_seen_at__gte=fresh),
            people.filter(pk__in=left_out).exclude(review=out),
            people.filter(review=out).exclude(pk__in=left_out),
            all=True,
        )
    )


def _review(study: Study, people: Sequence[int]) -> Counter[GroupPlace]:
    """Judge some sessions anew; return by how much the counts change."""
    fresh = timezone.now() - STALE_AFTER
    left_out = set(
        Exclusion.objects.filter(participant__in=people, lifted_at__isnull=True).values_list(
            "participant", flat=True
        )
    )
    votes: set[int] = set()
    live: set[int] = set()
    reviews: dict[tuple[int, int], list[int]] = {}
    for person in Participant.objects.filter(pk__in=people).only(
        "state", "last_seen_at", "is_preview", "review"
    ):
        goes_on = person.state == Participant.State.ACTIVE and person.last_seen_at >= fresh
        if not (person.is_preview or person.state == Participant.State.SCREENED_OUT or person.pk in left_out):
            votes.add(person.pk)
            live |= {person.pk} if goes_on else set()
        review = Participant.Review.OUT if person.pk in left_out else Participant.Review.OVER
        review = Participant.Review.LIVE if person.pk in live else review
        reviews.setdefault((person.review, review), []).append(person.pk)
    change = _recounted(people, votes, live)
    for (before, after), pks in reviews.items():
        Participant.objects.filter(pk__in=pks, review=before).update(review=after)
    return change


def _recounted(people: Sequence[int], votes: set[int], live: set[int]) -> Counter[GroupPlace]:
    """Mark which trials of `people` count; those of `votes` do where answered, of `live` also where they wait."""
    change: Counter[GroupPlace] = Counter()
    flips: dict[bool, list[int]] = {True: [], False: []}
    main = Trial.objects.filter(participant__in=people, phase=Trial.Phase.MAIN).order_by()
    names = (
        "participant_id",
        "participant__group",
        "stimulus_id",
        "other_id",
        "outcome",
        "answered_at",
        "counted",
    )
    for pk, person, group, stimulus, other, outcome, answered_at, was in main.values_list("pk", *names):
        # A trial opened again by undo keeps its rating, and so its vote.
        answered = outcome == Trial.Outcome.RATED or (
            outcome == Trial.Outcome.OPEN and answered_at is not None
        )
        waits = outcome == Trial.Outcome.OPEN and person in live
        now = person in votes and (answered or waits)
        if now != was:
            flips[now].append(pk)
            change[(stimulus, other), group] += 1 if now else -1
    for value, pks in flips.items():
        for some in _chunks(pks):
            Trial.objects.filter(pk__in=some).update(counted=value)
    return change


def _changed_by(tally: Tally, change: Counter[GroupPlace]) -> Counter[GroupPlace]:
    """Add to a study's counts, and return them."""
    counts = _counts(tally)
    if change:
        counts.update(change)
        tally.counts = {_key(place): count for place, count in counts.items() if count}
        tally.save(update_fields=["counts"])
    return counts


def _counts(tally: Tally) -> Counter[GroupPlace]:
    return Counter({_place(key): count for key, count in tally.counts.items()})


def _of(counts: Counter[GroupPlace], group: str | None) -> Counter[Place]:
    """Return the counts of one group, or of all together for None."""
    found: Counter[Place] = Counter()
    for (place, of), count in counts.items():
        if group is None or of == group:
            found[place] += count
    return found


def _key(place: GroupPlace) -> str:
    (first, other), group = place
    shown = f"{first}" if other is None else f"{first},{other}"
    return f"{shown}@{group}" if group else shown


def _place(key: str) -> GroupPlace:
    shown, _, group = key.partition("@")
    first, _, other = shown.partition(",")
    return (int(first), int(other) if other else None), group


def _chunks(pks: Sequence[int]) -> Iterator[Sequence[int]]:
    return (pks[start : start + _CHUNK] for start in range(0, len(pks), _CHUNK))
