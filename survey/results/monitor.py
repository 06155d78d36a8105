"""Queries of the live page of a running study. `analysis.monitoring` computes the numbers."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from django.core.cache import cache
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, TextField, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from survey.analysis import TableError
from survey.analysis.participants.rules import RULES
from survey.analysis.planning.monitoring import LiveScores, drop_off, flags, live_scores, median_seconds
from survey.models import Exclusion, Participant, Stimulus, Study, Trial
from survey.results.collect import analysis_rows, checked
from survey.results.tidy_table import preference_table, scales_of
from survey.session.pairs import draw_informative, pair_state
from survey.study.definition import Definition, definition_of
from survey.study.stopping import finished_sessions, widest_half_width
from survey.study.votes import STALE_AFTER, last_counted

#: Minimum seconds for caching a snapshot. Slow snapshots are cached longer, to use at most a twentieth of one core.
KEPT_AT_LEAST: Final = 2.0
_SHARE: Final = 20


@dataclass(frozen=True)
class NextPair:
    """A pair that the next person would be given: the gain in nats, and how often it was judged and is being shown."""

    first: str
    second: str
    gain: float
    judged: int
    on_loan: int


@dataclass(frozen=True)
class NextPairs:
    """The pairs that the next person would be given, greatest gain first; of all: how many were ever judged, and on loan."""

    pairs: list[NextPair]
    possible: int
    judged: int
    on_loan: int


@dataclass(frozen=True)
class Watch:
    """A snapshot of a running study.

    Attributes:
        people: {activity: number of participants}, without previews and empty activities.
        began, finished: Numbers of participants.
        ratings: Number that counts in a MOS, without excluded participants.
        reached: `monitoring.drop_off`.
        seconds: Median response time; None if unknown.
        failures: {why an image could not be shown: how often}.
        failed_images: {item: how often}, most often first.
        flagged: {participant: reasons in words}.
        scores: {question's key: its scores}; empty in a pair study.
        comparisons: {item: number of pairs it was judged in}, fewest first; only in a pair study.
        next_pairs: What the next person would be given; None unless the study draws pairs by information.
        sessions: Number of finished sessions that count in the results.
        widest: Widest half width, as the study's rule sees it; None without such a rule, or with too few people.
    """

    people: dict[str, int]
    began: int
    finished: int
    ratings: int
    reached: pd.DataFrame
    seconds: float | None
    failures: dict[str, int]
    failed_images: dict[str, int]
    flagged: dict[str, list[str]]
    scores: dict[str, LiveScores]
    comparisons: dict[str, int]
    next_pairs: NextPairs | None
    sessions: int
    widest: float | None


def watch(study: Study) -> Watch:
    """Return a snapshot of a study, cached for some seconds."""
    key = f"watch:{study.pk}"
    seen: Watch | None = cache.get(key)
    if seen is None or _names_who_left(seen, study):
        began = time.perf_counter()
        seen = look(study)
        cache.set(key, seen, max(KEPT_AT_LEAST, _SHARE * (time.perf_counter() - began)))
    return seen


def _names_who_left(seen: Watch, study: Study) -> bool:
    """Return whether a cached snapshot names somebody who was since deleted or excluded."""
    known = study.participants.filter(code__in=list(seen.flagged)).exclude(
        exclusions__in=Exclusion.in_force(study)
    )
    return known.count() < len(seen.flagged)


def look(study: Study, rows: pd.DataFrame | None = None) -> Watch:
    """Return a new snapshot of a study. rows: `counting_rows`, where they are read already."""
    definition = definition_of(study.version)
    people = people_of(study)
    rows = counting_rows(study) if rows is None else rows
    failed = _failed(study)
    is_pair = study.method == Study.Method.PAIR
    main = rows["phase"] == Trial.Phase.MAIN
    rule = definition.stop_rule
    return Watch(
        people=people,
        began=sum(people.values()),
        finished=people.get("finished", 0),
        ratings=int(main.sum()),
        reached=drop_off(_answered(study)),
        seconds=median_seconds(rows),
        failures=_counted(failed, "reason"),
        failed_images=_counted(failed, "item"),
        flagged={} if is_pair else _flagged(study, rows),
        scores={} if is_pair else _scores(study, rows, definition),
        comparisons=_comparisons(study, rows[main]) if is_pair else {},
        next_pairs=_next_pairs(study, definition),
        sessions=finished_sessions(study),
        widest=widest_half_width(study, definition) if rule and rule.kind == "half width" else None,
    )


def people_now(study: Study, seen: Watch | None) -> Watch:
    """Return an earlier snapshot, or none, with who is where now."""
    people = people_of(study)
    counts: dict[str, Any] = {
        "people": people,
        "began": sum(people.values()),
        "finished": people.get("finished", 0),
    }
    if seen is not None:
        return replace(seen, **counts)
    nothing: dict[str, Any] = {
        name: {} for name in ("failures", "failed_images", "flagged", "scores", "comparisons")
    }
    sessions = finished_sessions(study)
    return Watch(
        **counts,
        ratings=0,
        reached=drop_off([]),
        seconds=None,
        next_pairs=None,
        sessions=sessions,
        widest=None,
        **nothing,
    )


def people_of(study: Study) -> dict[str, int]:
    """Count participants by state, in one query; active ones by the phase of their next image."""
    has_screening = definition_of(study.version).screening.asks
    active = Q(state=Participant.State.ACTIVE)
    waiting = Trial.objects.filter(participant=OuterRef("pk"), outcome=Trial.Outcome.OPEN).order_by(
        "position"
    )
    kinds = [
        When(~active, then=F("state")),
        When(last_seen_at__lt=timezone.now() - STALE_AFTER, then=Value(QUIET)),
        *([When(screening__isnull=True, then=Value("screening"))] if has_screening else []),
    ]
    # Only of those under way is the next image looked up.
    under_way = Coalesce(Subquery(waiting.values("phase")[:1]), Value("at the end"))
    rows = (
        study.participants.filter(is_preview=False)
        .order_by()
        .annotate(kind=Case(*kinds, default=under_way, output_field=TextField()))
        .values_list("kind")
        .annotate(count=Count("pk"))
    )
    counts = dict(rows)
    order = ["screening", *Trial.Phase.values, "at the end", QUIET, *Participant.State.values[1:]]
    return {kind: counts[kind] for kind in order if kind in counts}


#: Of people whose session counts as abandoned.
QUIET: Final = f"not seen for {STALE_AFTER // dt.timedelta(minutes=1)} minutes"


def _answered(study: Study) -> list[int]:
    """Return the number of finished trials of each person."""
    closed = Count("trials", filter=~Q(trials__outcome=Trial.Outcome.OPEN))
    people = study.participants.filter(is_preview=False).annotate(closed=closed)
    return list(people.values_list("closed", flat=True))


def counting_rows(study: Study) -> pd.DataFrame:
    """Return the tidy table without excluded participants."""
    rows = preference_table(study) if study.method == Study.Method.PAIR else analysis_rows(study)
    out = list(Exclusion.in_force(study).values_list("participant__code", flat=True))
    rows = rows[~rows["participant"].isin(out)].reset_index(drop=True)
    if study.method == Study.Method.PAIR:
        return rows
    try:
        return checked(study, rows).table
    except TableError:
        # Nothing counts yet: rows of other phases have no part in scores.
        return rows.iloc[:0]


def _scores(study: Study, rows: pd.DataFrame, definition: Definition) -> dict[str, LiveScores]:
    roles = ("main", "reference") if study.method == Study.Method.ACR_HR else ("main",)
    items = sorted(study.stimuli.filter(role__in=roles).values_list("item", flat=True))
    goal = definition.goal
    return {
        question.key: live_scores(
            rows[rows["question"] == question.key],
            items,
            votes=goal.votes,
            half_width=goal.half_width_on(question.asked_on),
            scale=question.asked_on,
        )
        for question in definition.questions
    }


def _flagged(study: Study, rows: pd.DataFrame) -> dict[str, list[str]]:
    """Return the participants whom a rule flags for any question."""
    found: dict[str, list[str]] = {}
    scales = scales_of(study)
    for question in rows["question"].unique():
        for person, rules in flags(rows[rows["question"] == question], scales[question]).items():
            found[person] = list(dict.fromkeys([*found.get(person, []), *rules]))
    return {person: [RULES[rule].words for rule in rules] for person, rules in sorted(found.items())}


def _comparisons(study: Study, rows: pd.DataFrame) -> dict[str, int]:
    """Count the pairs in which each image was judged, once for all questions; fewest first."""
    first = rows.drop_duplicates("trial")
    shown = pd.concat([first["first"], first["second"]]).astype("object").value_counts()
    items = study.stimuli.filter(role="main").values_list("item", flat=True)
    counts = {item: int(shown.get(item, 0)) for item in sorted(items)}
    return dict(sorted(counts.items(), key=lambda pair: pair[1]))


def _next_pairs(study: Study, definition: Definition) -> NextPairs | None:
    if definition.session.pairs != "informative":
        return None
    stimuli = list(study.stimuli.filter(role=Stimulus.Role.MAIN).order_by("pk"))
    state = pair_state(study, stimuli, last_counted(study))
    drawn = draw_informative(state, stimuli, (), definition.session.images, seed=0)
    answered = state.wins[0] + state.wins[0].T
    first, second = np.array(drawn, dtype=np.int64).reshape(-1, 2).T
    rows = zip(drawn, state.gain(first, second).tolist(), strict=True)
    pairs = [
        NextPair(stimuli[i].item, stimuli[j].item, gain, int(answered[i, j]), int(state.lent[i, j]))
        for (i, j), gain in rows
    ]
    contents = Counter(stimulus.content for stimulus in stimuli)
    return NextPairs(
        pairs=pairs,
        possible=sum(n * (n - 1) // 2 for n in contents.values()),
        judged=int(np.count_nonzero(np.triu(answered))),
        on_loan=int(np.triu(state.lent).sum()),
    )


def _failed(study: Study) -> list[dict[str, str]]:
    trials = Trial.objects.filter(
        participant__study=study, participant__is_preview=False, outcome=Trial.Outcome.SKIPPED
    )
    return [
        {"reason": reason, "item": item} for reason, item in trials.values_list("reason", "stimulus__item")
    ]


def _counted(rows: list[dict[str, str]], name: str) -> dict[str, int]:
    counts = pd.Series([row[name] for row in rows], dtype="object").value_counts()
    return {str(value): int(count) for value, count in counts.items()}
