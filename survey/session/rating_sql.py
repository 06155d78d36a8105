"""The SQL that each answer and each start walks through, written out.

The ORM takes several times as long to build these statements as the database takes to run them, and a rating is
little else (benchmarks/survey_load.py). Everything else in the survey goes through the ORM.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db import connection
from django.utils import timezone

from survey.access.together import ask_sql
from survey.analysis.scale import Scale
from survey.models import Preference, Rating, Trial, new_token
from survey.study.votes import Place

# Every change of a participant takes that row first, so that two of them wait in line and never in a circle.
# A session that was reviewed as over (survey.study.votes) is back. Of one that ended, `last_seen_at` stays the time when it did.
_LOCK: Final = """
UPDATE survey_participant SET last_seen_at = CASE state WHEN 'active' THEN %s ELSE last_seen_at END,
    review = CASE review WHEN 1 THEN 3 ELSE review END
WHERE id = (SELECT participant_id FROM survey_trial WHERE token = %s)
"""
# A statement of its own: on PostgreSQL only a later one sees what was committed while the first one waited.
_READ: Final = """
SELECT trial.id, trial.outcome, trial.revision, person.token, study.method, person."group",
    person.state <> 'active' OR NOT person.is_preview AND (study.state = 'closed' OR coalesce(study.purge_on <= %s, FALSE)),
    (SELECT count(*) FROM survey_trial WHERE participant_id = person.id AND outcome <> 'open'),
    (SELECT count(*) FROM survey_trial WHERE participant_id = person.id),
    version.id, version.sha256, question.id, question.key, question.low, question.high, question.step
FROM survey_trial trial
JOIN survey_participant person ON person.id = trial.participant_id
JOIN survey_studyversion version ON version.id = person.version_id
JOIN survey_study study ON study.id = person.study_id
JOIN survey_question question ON question.study_id = study.id
WHERE trial.token = %s
ORDER BY question.position
"""
_CLOSE: Final = """
UPDATE survey_trial SET outcome = %s, reason = %s, answered_at = %s, shown_at = coalesce(%s, shown_at),
    viewport_w = %s, viewport_h = %s, shown_w = %s, shown_h = %s, dpr = %s, zoom = %s, enlarged = %s, load_ms = %s
WHERE id = %s
"""
_KEEP: Final = """
INSERT INTO {} (trial_id, question_id, value, first_value, changes, rt_ms, input) VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True)
class AnswerTarget:
    """The trial that an answer belongs to.

    `ended` says that its session or its study takes no more answers but those on their way. `questions` are (id, key,
    scale); `version` and `sha256` are its participant's version of the study, and `group` is theirs; `cookie` is its
    participant's token, None after a purge; of that participant's `total` trials, `saved` have an answer in the
    database, or a reason for none.
    """

    trial: int
    outcome: str
    revision: int
    cookie: str | None
    method: str
    group: str
    ended: bool
    saved: int
    total: int
    version: int
    sha256: str
    questions: tuple[tuple[int, str, Scale], ...]


class Drawn(NamedTuple):
    """A trial that was drawn: the image, or the pair as it is shown, its phase, and the participant's block."""

    place: Place
    phase: str
    block: int | None


class Shown(NamedTuple):
    """What a page for participants knows of an image."""

    name: str
    width: int
    height: int
    sha256: str


class Upcoming(NamedTuple):
    """A trial that waits for an answer: what a page needs of it. A pair's second image, or the reference, is the last."""

    pk: int
    token: str
    revision: int
    position: int
    phase: str
    block: int | None
    was_shown: bool
    images: tuple[Shown, ...]


_UPCOMING: Final = """
SELECT trial.id, trial.token, trial.revision, trial.position, trial.phase, trial.block, trial.shown_at IS NOT NULL,
    one.name, one.width, one.height, one.sha256, two.name, two.width, two.height, two.sha256
FROM survey_trial trial
JOIN survey_stimulus one ON one.id = trial.stimulus_id
LEFT JOIN survey_stimulus two ON two.id = trial.other_id
WHERE trial.participant_id = %s AND trial.outcome = 'open'
ORDER BY trial.position LIMIT %s
"""


def read_upcoming(participant: int, count: int) -> list[Upcoming]:
    """Return the next `count` trials of a participant that wait for an answer."""
    with connection.cursor() as cursor:
        cursor.execute(_UPCOMING, [participant, count])
        return [_upcoming(*row) for row in cursor.fetchall()]


def _upcoming(
    pk: int,
    token: str,
    revision: int,
    position: int,
    phase: str,
    block: int | None,
    was_shown: Any,
    *shown: Any,
) -> Upcoming:
    images = tuple(Shown(*image) for image in (shown[:4], shown[4:]) if image[0])
    return Upcoming(pk, token, revision, position, phase, block, bool(was_shown), images)


_IMAGES: Final = """
SELECT id, item, role, content, style, condition FROM survey_stimulus WHERE study_id = %s ORDER BY id
"""


def ask_images(study: int) -> Callable[[], list[tuple[Any, ...]]]:
    """Ask for what a draw needs to know of each image of a study."""
    return ask_sql(_IMAGES, [study])


# The trials come as one JSON text: a driver takes longer to write out eight values of each than the database takes to
# read them all.
_INSERT_TRIALS: Final = """
INSERT INTO survey_trial
    (participant_id, stimulus_id, other_id, position, phase, block, token, counted, revision, outcome, reason)
"""
_FROM_JSON: Final = {
    "postgresql": """
SELECT %s, stimulus, other, position, phase, block, token, counted, 0, 'open', ''
FROM jsonb_to_recordset(%s::jsonb) AS drawn
    (stimulus bigint, other bigint, position int, phase text, block int, token text, counted boolean)
""",
    "sqlite": """
SELECT %s, json_extract(value, '$.stimulus'), json_extract(value, '$.other'), json_extract(value, '$.position'),
    json_extract(value, '$.phase'), json_extract(value, '$.block'), json_extract(value, '$.token'),
    json_extract(value, '$.counted'), 0, 'open', ''
FROM json_each(%s)
""",
}


def insert_trials(participant: int, drawn: Sequence[Drawn], *, first: int, counted: bool) -> None:
    """Save new trials, which wait for their answers.

    Args:
        participant: whose they are.
        drawn: the trials, in order.
        first: the position of the first one.
        counted: whether the main ones are in their study's Tally.
    """
    rows = [
        {
            "stimulus": trial.place[0],
            "other": trial.place[1],
            "position": position,
            "phase": trial.phase,
            "block": trial.block,
            "token": new_token(),
            "counted": counted and trial.phase == "main",
        }
        for position, trial in enumerate(drawn, start=first)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_TRIALS + _FROM_JSON[connection.vendor], [participant, json.dumps(rows)])


def take(token: str, now: dt.datetime) -> AnswerTarget:
    """Lock the participant of a trial until the transaction ends, note that they were here, and read the trial.

    Raises Trial.DoesNotExist for an unknown token.
    """
    with connection.cursor() as cursor:
        # PostgreSQL refuses to be asked for a NUL.
        if "\x00" not in token:
            cursor.execute(_LOCK, [_moment(now), token])
            if cursor.rowcount:
                cursor.execute(_READ, [timezone.localdate(), token])
                return _target(cursor.fetchall())
    raise Trial.DoesNotExist(token)


def _target(rows: Sequence[Sequence[Any]]) -> AnswerTarget:
    pk, outcome, revision, cookie, method, group, ended, saved, total, version, sha256, *_ = rows[0]
    questions = tuple((row[11], row[12], _scale(*row[13:])) for row in rows)
    return AnswerTarget(
        pk, outcome, revision, cookie, method, group, bool(ended), saved, total, version, sha256, questions
    )


@lru_cache(maxsize=256)
def _scale(low: float, high: float, step: float | None) -> Scale:
    return Scale(low, high, step)


def keep(
    kind: type[Rating] | type[Preference],
    target: AnswerTarget,
    question: int,
    value: float | str,
    changes: int,
    rt_ms: int | None,
    by: str,
) -> None:
    """Write the first answer to a question; `by` is one of Answer.Input."""
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP.format(kind._meta.db_table), [target.trial, question, value, value, changes, rt_ms, by]
        )


def close(
    target: AnswerTarget,
    outcome: str,
    reason: str,
    answered_at: dt.datetime,
    shown_at: dt.datetime | None,
    measured: Sequence[float | None],
) -> None:
    """Close a trial. `measured`: viewport_w, viewport_h, shown_w, shown_h, dpr, zoom, enlarged, load_ms; None for not known."""
    times = _moment(answered_at), _moment(shown_at)
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, [outcome, reason, *times, *measured, target.trial])


def _moment(time: dt.datetime | None) -> Any:
    """Return a time as this database's driver takes it."""
    return connection.ops.adapt_datetimefield_value(time)
