"""Figures, models and exports of large studies, made by one process in the background.

A page asks; the process makes, and ends when nothing waits. `survey.study.stored` keeps what it makes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from generator.queue import process
from survey.exports.api_documents import DOCUMENTS
from survey.exports.files import packed
from survey.models import Stored, Study
from survey.results.collect import NoRatings, collect
from survey.results.export import Export
from survey.results.figures import Figures, figures_of, from_json, to_json
from survey.results.fitted import Fitted, fitted_models, of_everybody, slow_models, with_fitted
from survey.results.fitted import from_json as fitted_from_json
from survey.results.fitted import to_json as fitted_to_json
from survey.results.panels import NobodyLeftError, Selection
from survey.study import stored

log = logging.getLogger(__name__)

_NAME: Final = "results"
_OURS: Final = "an error in the program; see the server's log"
_ENDED: Final = "its process was asked to end"


@dataclass(frozen=True)
class Wanted:
    """What there is of a kind, and what is being done about a newer one.

    Attributes:
        made: what was made last.
        making: what waits, is being made, or failed; None where nothing newer is needed.
    """

    made: Stored | None
    making: Stored | None

    @property
    def moves(self) -> bool:
        """Whether it is worth looking again soon."""
        return self.making is not None and self.making.state != Stored.State.FAILED


Key = tuple[int, dt.datetime | None]
"""Which making of what is stored: its row, and when."""


def wanted(study: Study, kind: str, about: Mapping[str, Any] | None = None) -> Wanted:
    """Return what there is of a kind. Where there is none, or something came since, ask for a new one.

    about: as `stored.ask` takes it.
    """
    made = stored.latest(study, kind)
    if made is not None and stored.is_current(made):
        return Wanted(made, None)
    recently = timezone.now() - stored.FRESH
    failed = study.stored.filter(kind=kind, state=Stored.State.FAILED, asked_at__gt=recently).last()
    # Not again at once: what failed would fail with every look at the page.
    if failed is not None and (made is None or failed.pk > made.pk):
        return Wanted(made, failed)
    making = stored.ask(study, kind, about)
    transaction.on_commit(wake)
    return Wanted(made, making)


def figures(study: Study) -> tuple[Figures | None, Wanted]:
    """Return the figures of a study's pages as they were last made, None where they never were."""
    found = wanted(study, stored.FIGURES)
    return (None if found.made is None else _figures(found.made.pk, found.made.made_at)), found


@lru_cache(maxsize=4)
def _figures(pk: int, _made_at: dt.datetime | None) -> Figures:
    # What was made never changes; what must be gone has no row, and nobody asks for its key again. The time tells
    # rows apart that have one key in a database that was restored.
    return from_json(b"".join(stored.read(Stored.objects.get(pk=pk))))


def models(study: Study, export: Export, selection: Selection) -> tuple[Export, Wanted | None]:
    """Return an export with the models that a page does not wait for, as they were last fitted, and ask for newer ones.

    None in place of `Wanted` where the page can wait for all of them.
    """
    if not slow_models(export):
        return export, None
    kind, about = _of_models(selection)
    found = wanted(study, kind, about)
    return (
        export if found.made is None else with_fitted(export, _models(found.made.pk, found.made.made_at))
    ), found


def models_key(study: Study, export: Export, selection: Selection) -> Key | None:
    """Return which making of an export's models was the last; None where there is none, or none is needed."""
    made = stored.latest(study, _of_models(selection)[0]) if slow_models(export) else None
    return None if made is None else (made.pk, made.made_at)


def with_models(export: Export, key: Key | None) -> Export:
    """Return an export with the models of one making."""
    return export if key is None else with_fitted(export, _models(*key))


def _of_models(selection: Selection) -> tuple[str, dict[str, Any]]:
    """Return the kind of a selection's models, and the selection as JSON."""
    chosen = of_everybody(selection)
    about = {"panel": chosen.panel, "only": list(chosen.only) if chosen.only else None}
    return f"{stored.MODELS}-{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:12]}", about


def _selection_of(making: Stored) -> Selection:
    about = making.about or {}
    only = about.get("only")
    return Selection(
        panel="screened" if about.get("panel") == "screened" else "everyone",
        only=(only[0], only[1]) if only else None,
    )


@lru_cache(maxsize=16)
def _models(pk: int, _made_at: dt.datetime | None) -> Fitted:
    return fitted_from_json(b"".join(stored.read(Stored.objects.get(pk=pk))))


def is_slow(study: Study) -> bool:
    """Whether an export of a study holds models that a browser does not wait for."""
    return study.method != Study.Method.PAIR and bool(slow_models(collect(study)))


def wake() -> None:
    """Record what a dead process was making, and start a process if something waits and none is at work."""

    def waits_after_burial() -> bool:
        stored.bury()
        return _waits()

    process.wake(_NAME, "make_results", waits_after_burial)


def work(lock: int | None = None) -> None:
    """Make what waits until nothing does, or another process makes it. `lock` is an inherited lock."""

    def make_all() -> None:
        stored.bury()
        while making := stored.take():
            make(making)

    process.work_off(_NAME, lock, make_all, _waits)


def _waits() -> bool:
    return Stored.objects.filter(state=Stored.State.WAITING).exists()


def make(making: Stored) -> None:
    """Make one thing that was taken, and keep it or why it could not be made."""
    study, tell = making.study, partial(stored.tell, making)
    try:
        if making.kind == stored.FIGURES:
            data: Iterable[bytes] = [to_json(figures_of(study, tell))]
            name = "figures.json"
        elif making.kind.startswith(stored.MODELS):
            data = [fitted_to_json(fitted_models(study, _selection_of(making), tell))]
            name = "models.json"
        else:
            tell("reading the ratings, then writing the file")
            name, data = _file(study, making.kind)
        stored.keep(making, name, data)
    except (NoRatings, NobodyLeftError) as error:
        stored.fail(making, str(error))
    except KeyboardInterrupt:
        stored.fail(making, _ENDED)
        raise
    except Exception:
        log.exception("%s of study %s", making.kind, study.pk)
        stored.fail(making, _OURS)


def _file(study: Study, kind: str) -> tuple[str, Iterable[bytes]]:
    """Return the name of an export or of a file of the API, and its pieces."""
    if kind in DOCUMENTS:
        return kind, DOCUMENTS[kind](study)
    return packed(study, kind)
