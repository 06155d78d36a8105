"""A study that pauses itself: its rule is checked when a session is finished, in that session's transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, F, QuerySet, Sum

from survey.access.audit import STOP_RULE, record
from survey.analysis.scale import Scale
from survey.models import AuditEntry, Exclusion, Participant, Preference, Rating, Stimulus, Study, Trial
from survey.study.definition import Definition, definition_of
from survey.study.prolific.pausing import pause_there_too
from survey.study.stop_rule import StopRule

ACT = "study.stop"


@dataclass(frozen=True)
class Stop:
    """A rule that paused its study: when, after how many finished sessions, and the widest half width then."""

    rule: str
    at: dt.datetime
    sessions: int
    widest: float | None

    @property
    def sentence(self) -> str:
        """Why the study was paused, for the desk."""
        seen = f"{self.sessions} session{'s' * (self.sessions != 1)} finished"
        if self.widest is not None:
            seen += f", the widest half width ± {self.widest:.3g}"
        return f"Its rule “{self.rule}” paused it on {self.at:%Y-%m-%d at %H:%M} UTC: {seen}."


@dataclass(frozen=True)
class Standing:
    """How a study stands with its rule.

    Attributes:
        rule: The rule, if the study has one now.
        stop: The newest stop that a rule made, if any.
        is_paused: Whether that stop is why the study is paused now.
    """

    rule: StopRule | None
    stop: Stop | None
    is_paused: bool

    @property
    def is_spent(self) -> bool:
        """Whether the rule has paused the study and will not do so again."""
        return self.stop is not None and self.stop.rule == str(self.rule or "")

    @property
    def sentence(self) -> str:
        """What the rule does or did, in words; "" for nothing to say."""
        if self.stop and self.is_paused:
            return f"{self.stop.sentence} {self._next}"
        if self.stop and self.is_spent:
            return f"{self.stop.sentence} Somebody opened it again. To let the rule pause it again, change the rule."
        return f"It pauses by itself when {self.rule.in_words}." if self.rule else ""

    @property
    def _next(self) -> str:
        if self.rule is None or self.is_spent:
            return "Open it to go on by hand, or change the rule first."
        return f"Open it to go on until {self.rule.in_words}."


def standing(study: Study, definition: Definition) -> Standing:
    """Return how a study stands with its rule."""
    stop = study.audit.filter(act=ACT).order_by("-pk").first()
    is_paused = False
    if stop and study.state == Study.State.PAUSED:
        is_paused = not study.audit.filter(act="study.state", pk__gt=stop.pk).exists()
    return Standing(definition.stop_rule, _stop(stop) if stop else None, is_paused)


def pause_note(study: Study) -> str:
    """Return which rule paused a study, for lists; "" for one that no rule paused."""
    if study.state != Study.State.PAUSED:
        return ""
    now = standing(study, definition_of(study.version))
    return f"its rule “{now.stop.rule}” paused it" if now.stop and now.is_paused else ""


def stops(study: Study) -> list[Stop]:
    """Return every time that a rule paused a study, in order."""
    return [_stop(entry) for entry in study.audit.filter(act=ACT).order_by("pk")]


def pause_if_enough(study: Study) -> None:
    """Pause an open study whose rule is met. Call it with the study's row locked, after a session was finished.

    A rule pauses its study once. Whoever opens the study again goes on by hand, until the rule is changed.
    """
    definition = definition_of(study.version)
    rule = definition.stop_rule
    if rule is None or study.state != Study.State.OPEN or standing(study, definition).is_spent:
        return
    sessions = finished_sessions(study)
    widest = None
    if rule.kind == "sessions":
        if sessions < rule.number:
            return
    else:
        if not is_due(sessions):
            return
        widest = widest_half_width(study, definition)
        if widest is None or widest > rule.number:
            return
    study.state = Study.State.PAUSED
    study.save(update_fields=["state"])
    seen = {"rule": str(rule), "sessions": sessions, "version": study.version.number}
    record(ACT, study, STOP_RULE, **seen, **({} if widest is None else {"widest": round(widest, 6)}))
    pause_there_too(study)


def is_due(sessions: int) -> bool:
    """Whether the widths are looked at after so many sessions: at each up to 100, then each time 1 to 2 % more are finished.

    One look at a million ratings takes a second, for which the last page of a session would wait each time. That many
    more sessions narrow an interval by 1 % at most.
    """
    return sessions % (1 << max(0, (sessions // 50).bit_length() - 1)) == 0


def finished_sessions(study: Study) -> int:
    """Count the finished sessions that count in the results."""
    people = study.participants.filter(is_preview=False, state=Participant.State.FINISHED)
    return people.exclude(pk__in=Exclusion.in_force(study).values("participant")).count()


def scored_roles(method: str) -> list[str]:
    """Return the roles of the images that have a score: ACR-HR rates its references too."""
    hidden = [Stimulus.Role.REFERENCE.value] if method == Study.Method.ACR_HR else []
    return [Stimulus.Role.MAIN.value, *hidden]


def widest_half_width(study: Study, definition: Definition) -> float | None:
    """Return the widest half width of any image and question so far; None where an image has too few people.

    One query sums the ratings of each image, or reads the choices: nothing else is analysed while a participant waits.
    """
    if study.method == Study.Method.PAIR:
        return _widest_of_pairs(study)
    # Imported here, since every command imports this module and scipy takes a second.
    import numpy as np

    from survey.analysis.planning.stopping import stopping_half_widths

    images = list(
        study.stimuli.filter(role__in=scored_roles(study.method)).order_by().values_list("pk", flat=True)
    )
    scales = {question.pk: question.scale for question in study.questions.all()}
    sums = _sums(study)
    widest = [
        float(np.max(stopping_half_widths(_tally(sums, key, images, scale), definition.goal.votes)))
        for key, scale in scales.items()
        if images
    ]
    return max(widest) if widest and np.isfinite(widest).all() else None


def _widest_of_pairs(study: Study) -> float | None:
    import numpy as np
    import pandas as pd

    from survey.analysis.pairs.preferences import INFORMATIVE
    from survey.analysis.planning.stopping import widest_of_choices

    columns = {
        "participant": "trial__participant_id",
        "first": "trial__stimulus_id",
        "second": "trial__other_id",
        "answer": "value",
        "question": "question_id",
    }
    rows = _counting(Preference.objects.all(), study).values_list(*columns.values())
    choices = pd.DataFrame(list(rows), columns=list(columns))
    if any(definition_of(version).session.pairs == INFORMATIVE for version in study.versions.all()):
        choices["drawn_by"] = INFORMATIVE
    shown = set(study.stimuli.filter(role=Stimulus.Role.MAIN).values_list("pk", flat=True))
    if not shown or shown - set(choices["first"]) - set(choices["second"]):
        return None
    widest = [widest_of_choices(some) for _, some in choices.groupby("question")]
    return max(widest) if np.isfinite(widest).all() else None


def _counting(answers: QuerySet[Any], study: Study) -> QuerySet[Any]:
    """Return those answers of a study that count in its results."""
    return (
        answers.filter(
            trial__participant__study=study,
            trial__participant__is_preview=False,
            trial__phase=Trial.Phase.MAIN,
        )
        .exclude(trial__participant__in=Exclusion.in_force(study).values("participant"))
        .order_by()
    )


def _sums(study: Study) -> dict[tuple[int, int], tuple[int, float, float]]:
    """Return {(question, image): number, mean and mean square of its ratings above the scale's low end}."""
    value = F("value") - F("question__low")
    rows = (
        _counting(Rating.objects.all(), study)
        .values_list("question_id", "trial__stimulus_id")
        .annotate(n=Count("pk"), mean=Avg(value), square=Sum(value * value))
    )
    return {(question, image): (n, mean, square) for question, image, n, mean, square in rows}


def _tally(
    sums: Mapping[tuple[int, int], tuple[int, float, float]], question: int, images: list[int], scale: Scale
) -> Any:
    import numpy as np

    from survey.analysis.items.tally import tally_moments

    n, mean, square = np.array([sums.get((question, image), (0, 0.0, 0.0)) for image in images], float).T
    variance = (square - n * mean**2) / np.maximum(n - 1, 1)
    # Rounding leaves a trace of variance where all ratings agree.
    variance = np.where(variance > 1e-9 * scale.range**2, variance, 0.0)
    return tally_moments(n, scale.low + mean, variance, scale)


def _stop(entry: AuditEntry) -> Stop:
    seen = entry.detail
    return Stop(seen["rule"], entry.at, seen["sessions"], seen.get("widest"))
