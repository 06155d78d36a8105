"""Studies that many tests ask for: made through the services once in a process, copied row by row for every other test.

A test that wants six people's ratings is not about how they came: through the services they take 40 ms a person.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models import ForeignKey, Max
from django.utils import timezone

from survey.models import Stimulus, Study, Tally
from survey.study import votes
from tests.chance import repeatable

#: {kind of row: {key of a row that was copied: key of its copy}}.
Keys = dict[type[models.Model], dict[Any, Any]]


@dataclass(frozen=True)
class Kept:
    """All rows of a study as they were at a moment, and its files with their sizes and times."""

    rows: Mapping[type[models.Model], list[Any]]
    at: dt.datetime
    files: Mapping[str, object]


_kept: dict[Hashable, Kept] = {}


def kept(key: Hashable, make: Callable[[], Study]) -> Study:
    """Return the study that `make` makes: made the first time, a copy of the same age from then on.

    Args:
        key: What `make` depends on.
        make: Makes one study of nobody's, and changes no row that was there before.
    """
    known = _kept.get(key)
    if known is not None and known.files == _files(known.files):
        return _copy(known)
    before = {kind: _last(kind) for kind in _kinds()}
    # The same whichever test comes first.
    with repeatable(repr(key)):
        study = make()
    rows = {
        kind: list(kind._default_manager.filter(pk__gt=last).order_by("pk")) for kind, last in before.items()
    }
    files = _files(image.image.name for image in study.stimuli.all())
    _kept[key] = Kept(rows, timezone.now(), files)
    return study


def _kinds() -> list[type[models.Model]]:
    """Return all kinds of rows of `survey`, each after those that it refers to."""
    kinds = list(apps.get_app_config("survey").get_models())
    refers = {kind: [field.related_model for field in _references(kind)] for kind in kinds}
    return [kind for kind in TopologicalSorter(refers).static_order() if kind in refers]


def _references(kind: type[models.Model]) -> list[ForeignKey[Any, Any]]:
    return [field for field in kind._meta.concrete_fields if isinstance(field, ForeignKey)]


def _last(kind: type[models.Model]) -> int:
    return kind._default_manager.aggregate(last=Max("pk"))["last"] or 0


def _files(names: Iterable[str | None]) -> dict[str, object]:
    """Return the size and the time of each file that is there."""
    return {
        name: (default_storage.size(name), default_storage.get_modified_time(name))
        for name in names
        if name and default_storage.exists(name)
    }


@transaction.atomic
def _copy(known: Kept) -> Study:
    age, keys = timezone.now() - known.at, Keys()
    for kind, rows in known.rows.items():
        copies = [_copied(row, age, keys) for row in rows]
        kind._default_manager.bulk_create(copies)
        keys[kind] = {row.pk: one.pk for row, one in zip(rows, copies, strict=True)}
    (study,) = keys[Study].values()
    return Study.objects.get(pk=study)


def _copied(row: models.Model, age: dt.timedelta, keys: Keys) -> models.Model:
    """Return a new row that refers to the copies, `age` younger."""
    one = copy.copy(row)
    one.pk = None
    one._state.adding = True
    for field in one._meta.concrete_fields:
        value = getattr(one, field.attname)
        if isinstance(field, models.DateTimeField) and value is not None:
            setattr(one, field.attname, value + age)
        elif isinstance(field, ForeignKey) and value is not None:
            setattr(one, field.attname, keys[field.related_model][value])
    if isinstance(one, Tally):
        one.counts = _of_copies(one.counts, keys[Stimulus])
    return one


def _of_copies(counts: Mapping[str, int], images: Mapping[int, int]) -> dict[str, int]:
    """Return a study's running counts with the copies' keys."""
    places = {votes._place(key): count for key, count in counts.items()}
    return {
        votes._key(((images[first], other and images[other]), group)): count
        for ((first, other), group), count in places.items()
    }
