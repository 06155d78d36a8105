"""What is made in the background of a large study: asked for, made, kept in pieces, forgotten.

It lies in the database, so that every web host serves it, and so that what must be gone goes in one transaction.
`survey.exports.background` makes it.
"""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from survey.models import Preference, Rating, Stored, StoredPart, Study

#: The kind that holds the figures of the study's pages. Kinds but this and models are formats of exports or files of the API.
FIGURES: Final = "figures"
#: How the kinds begin that hold the mixed models of a selection of ratings.
MODELS: Final = "models"
#: Ratings or choices up to which a page computes what it shows. Of more, it shows what was made in the background.
MAX_RATINGS: Final = 250_000
#: Ratings or choices up to which an export is made while the browser waits. Of more, it would take participants' time.
MAX_IN_FILES: Final = 25_000
#: For so long what was made counts as new, although answers came since.
FRESH: Final = dt.timedelta(minutes=10)
#: Where another host makes it and says nothing for so long, its process is taken for dead.
_SILENCE: Final = dt.timedelta(hours=3)
_PART: Final = 2**20
_DIED: Final = "its process ended early (killed, or out of memory?)"
State = Stored.State
OPEN: Final = (State.WAITING, State.MAKING)


def is_large(study: Study) -> bool:
    """Whether a study has more ratings, or choices between pairs, than a page analyses."""
    return _has_more_than(MAX_RATINGS, study)


def has_large_files(study: Study) -> bool:
    """Whether a study has more ratings than an export has that is made while the browser waits."""
    return _has_more_than(MAX_IN_FILES, study)


def _has_more_than(number: int, study: Study) -> bool:
    kind: type[Rating] | type[Preference] = Preference if study.method == Study.Method.PAIR else Rating
    answers = kind.objects.filter(trial__participant__study=study).order_by()
    return answers[number : number + 1].exists()


def latest(study: Study, kind: str) -> Stored | None:
    """Return what was made last of a kind, without its data; from the purge date on nothing that was begun before it."""
    made = study.stored.filter(kind=kind, state=State.DONE)
    if (purged := study.purged_since) is not None:
        made = made.filter(began_at__gte=purged)
    return made.order_by("pk").last()


def is_current(made: Stored) -> bool:
    """Whether nothing came since it was made, or it was made just now."""
    began = made.began_at
    if began is None or began > timezone.now() - FRESH:
        return began is not None
    study = made.study
    return not (
        study.participants.filter(last_seen_at__gte=began).exists()
        or study.audit.filter(at__gte=began).exists()
    )


def ask(study: Study, kind: str, about: Mapping[str, Any] | None = None) -> Stored:
    """Ask for a kind to be made, and return the request: a new one, or the one that waits or is being made.

    about: what else the kind stands for, such as a selection of ratings.
    """
    try:
        with transaction.atomic():
            if wanted := study.stored.filter(kind=kind, state__in=OPEN).first():
                return wanted
            return Stored.objects.create(study=study, kind=kind, about=about)
    except IntegrityError:
        return study.stored.get(kind=kind, state__in=OPEN)


def take() -> Stored | None:
    """Take the oldest request; return None where none waits. Figures and models come before exports, as pages wait for them."""
    waiting = Stored.objects.filter(state=State.WAITING).select_related("study")
    shown = waiting.filter(Q(kind=FIGURES) | Q(kind__startswith=MODELS))
    while wanted := shown.first() or waiting.first():
        began = {"state": State.MAKING, "host": socket.gethostname(), "began_at": timezone.now()}
        if Stored.objects.filter(pk=wanted.pk, state=State.WAITING).update(**began):
            wanted.refresh_from_db()
            return wanted
    return None


def tell(making: Stored, step: str) -> None:
    """Say what is being done."""
    Stored.objects.filter(pk=making.pk, state=State.MAKING).update(step=step)


def keep(making: Stored, name: str, data: Iterable[bytes]) -> bool:
    """Keep what was made in place of what was there before; False where it was forgotten meanwhile."""
    size = number = 0
    for number, part in enumerate(_parts(data)):
        # One short transaction each, so that ratings wait for none of them.
        with transaction.atomic():
            if not Stored.objects.filter(pk=making.pk, state=State.MAKING).update(size=size + len(part)):
                return False
            StoredPart.objects.create(stored=making, number=number, data=part)
        size += len(part)
    with transaction.atomic():
        done = {"state": State.DONE, "step": "", "name": name, "size": size, "made_at": timezone.now()}
        if not Stored.objects.filter(pk=making.pk, state=State.MAKING).update(**done):
            return False
        Stored.objects.filter(study=making.study_id, kind=making.kind, pk__lt=making.pk).delete()
    return True


def fail(making: Stored, problem: str) -> None:
    """Record that it could not be made."""
    with transaction.atomic():
        StoredPart.objects.filter(stored=making).delete()
        Stored.objects.filter(pk=making.pk, state=State.MAKING).update(
            state=State.FAILED, problem=problem[:200]
        )


def bury() -> None:
    """Record what dead processes were making. The caller holds the lock of this host's process."""
    busy = Stored.objects.filter(state=State.MAKING)
    for dead in busy.filter(Q(host=socket.gethostname()) | Q(began_at__lt=timezone.now() - _SILENCE)):
        fail(dead, _DIED)


def read(made: Stored) -> Iterator[bytes]:
    """Return the pieces of what was made, one in memory at a time."""
    numbers = list(made.parts.values_list("number", flat=True))
    for number in numbers:
        yield bytes(made.parts.values_list("data", flat=True).get(number=number))


def forget(study: Study) -> None:
    """Delete all that was made or is being made of a study: somebody's answers must be gone from it."""
    study.stored.all().delete()


def _parts(data: Iterable[bytes]) -> Iterator[bytes]:
    """Return the same bytes in pieces of one size."""
    rest = bytearray()
    for some in data:
        for start in range(0, len(some), _PART):
            rest += some[start : start + _PART]
            while len(rest) >= _PART:
                yield bytes(rest[:_PART])
                del rest[:_PART]
    if rest:
        yield bytes(rest)
