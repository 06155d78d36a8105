"""Ratings made elsewhere, as a study of their own kind: it has results and exports, and no participants' page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any, Final
from unicodedata import normalize

import pandas as pd
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from PIL import Image, ImageDraw

from generator.files import images
from survey.analysis import Ratings
from survey.analysis.reading.roles import plain
from survey.analysis.scale import Scale, number_text
from survey.analysis.simulated import COLUMN as SIMULATED
from survey.analysis.simulated import simulated_people
from survey.analysis.summary import named
from survey.models import Participant, Question, Rating, Study, Trial
from survey.models.study import FAR
from survey.study.definition import Definition
from survey.study.pictures import Picture, PublishError
from survey.study.publish import publish
from survey.study.tables import AskedQuestion, Consent

CONSENT: Final = "imported"
"""The consent version of imported participants: who agreed to what is not known here."""

_BATCH: Final = 2000
_NAMED: Final = ("content", "style", "condition")
_MAX_QUESTIONS: Final = 4
_LONGEST: Final = 200
_LAST: Final = 2**31 - 1
"""The largest number that the database takes as a position."""

_OF_RATINGS: Final = frozenset(
    {
        "participant",
        "item",
        "rating",
        "question",
        "phase",
        "repeat",
        "rt_ms",
        "position",
        "reference",
        SIMULATED,
    }
)
"""Columns that may differ between the ratings of one item."""


def unrated_note(ratings: Ratings) -> str:
    """Return a sentence about items that no row of a file rates: the study's tables have them with n = 0."""
    names = sorted({str(name) for name in ratings.unrated["item"]} - set(ratings.table["item"].astype(str)))
    if not names:
        return ""
    is_one = len(names) == 1
    return (
        f"{len(names)} item{'' if is_one else 's'} without any rating ({named(names)}): "
        f"{'it has' if is_one else 'they have'} n = 0 in the study's tables"
    )


def import_study(
    slug: str, ratings: Ratings, title: str, *, folder: Path | None = None, owner: User | None = None
) -> Study:
    """Make a closed study of checked ratings; all of it or nothing.

    Args:
        slug: the study's name. title: what it is called.
        ratings: as the reader of ratings files returns them.
        folder: has an image for each item, named by it; None for a placeholder in place of each.
        owner: to whom the study belongs; None for a command.

    Raises:
        PublishError: the slug is taken, the ratings do not fit a study, or an item has no image in ``folder``.
        generator.files.images.ImageError: an image cannot be read.
    """
    table = ratings.table
    keys = _question_keys(table)
    _check_names(table)
    pictures = list(_pictures(ratings, folder))
    definition = Definition(
        title=title[:500],
        questions=[_question(name, key, ratings.scale_of(name)) for name, key in keys.items()],
        consent=Consent(version=CONSENT),
    )
    saved: list[str] = []
    try:
        with transaction.atomic():
            study = publish(slug, definition, pictures, owner=owner, state=Study.State.CLOSED)
            saved = list(study.stimuli.values_list("image", flat=True))
            study.is_imported = True
            study.is_simulated = simulated_people(table) > 0
            study.save(update_fields=["is_imported", "is_simulated"])
            _save_answers(study, table, keys)
    except BaseException:
        for name in saved:
            default_storage.delete(name)
        raise
    return study


def _question_keys(table: pd.DataFrame) -> dict[str, str]:
    """Return {question as the file has it: key}."""
    if "question" not in table.columns or table["question"].isna().all():
        return {"Overall": "overall"}
    # As they come in the file: those of an export are in the study's order.
    names = list(table["question"].astype(str).unique())
    if len(names) > _MAX_QUESTIONS:
        raise PublishError(
            f"{len(names)} questions, and a study has at most {_MAX_QUESTIONS}: {', '.join(names[:6])} ...; `analyse` takes "
            "any number, and --columns rating=A+B takes some of several columns"
        )
    keys = {name: re.sub(r"^(?=[^a-z])", "q_", re.sub(r"[^a-z0-9_]", "", plain(name)))[:40] for name in names}
    # No letter may be left of a name in another script.
    if not all(keys.values()) or len(set(keys.values())) < len(keys):
        keys = {name: f"question_{number}" for number, name in enumerate(names, 1)}
    return keys


def _question(name: str, key: str, scale: Scale) -> AskedQuestion:
    """Return a question; on another scale than the usual one nobody here knows what its ends were called."""
    if max(abs(scale.low), abs(scale.high)) > FAR:
        raise PublishError(
            f"a study's scale lies within ±{FAR:g}, not {scale.describe()}; `analyse` takes any scale"
        )
    labels = None if scale.is_acr else [number_text(scale.low), number_text(scale.high)]
    return AskedQuestion(key=key, text=name[:500], scale=str(scale), labels=labels)


def _check_names(table: pd.DataFrame) -> None:
    for role in ("participant", "item"):
        longest = max(table[role].cat.categories, key=len)
        if len(longest) > _LONGEST:
            raise PublishError(
                f"{role} {longest[:40]!r}...: at most {_LONGEST} characters, not {len(longest)}"
            )


def _pictures(ratings: Ratings, folder: Path | None) -> Iterator[Picture]:
    """Yield the picture of each item, with what the table says of it."""
    table = ratings.table
    known = {*table.columns} - _OF_RATINGS
    # The first value of each: `expected` may be given for one question only.
    about = table.groupby("item", observed=True)[sorted(known)].first()
    for name in sorted(known):
        levels = table[["item", name]].dropna().drop_duplicates()
        if len(levels) > levels["item"].nunique():
            item = levels["item"][levels.duplicated("item")].iloc[0]
            raise PublishError(
                f"item {item!r} has several values of {name!r}: a study's image has one; make them items of their own by "
                f"--columns item=item+{name}"
            )
    files = {} if folder is None else _files(folder)
    unrated = [item for item in ratings.unrated["item"] if item not in about.index]
    for item in sorted({*map(str, about.index), *unrated, *_references(table)}):
        row = about.loc[item].to_dict() if item in about.index else {}
        values = {key: _plain(value) for key, value in row.items() if not pd.isna(value)}
        yield Picture(
            item=item,
            read=_placeholder if folder is None else partial(images.read, _file_of(item, files, folder)),
            content=str(values.get("content", ""))[:_LONGEST],
            style=str(values.get("style", ""))[:_LONGEST],
            condition=str(values.get("condition", ""))[:_LONGEST],
            factors={key: value for key, value in values.items() if key not in {*_NAMED, "expected"}},
            expected=values.get("expected"),
        )


def _references(table: pd.DataFrame) -> list[str]:
    """Return the references that ratings name."""
    return [] if "reference" not in table.columns else list(table["reference"].dropna().astype(str).unique())


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise PublishError(f"--images: {folder}: no such folder")
    paths = sorted(path for path in folder.rglob("*") if images.has_picture_name(path))
    return {normalize("NFC", path.stem): path for path in paths} | {
        normalize("NFC", path.name): path for path in paths
    }


def _file_of(item: str, files: dict[str, Path], folder: Path) -> Path:
    path = files.get(item) or files.get(PurePosixPath(item.replace("\\", "/")).name)
    if path is None:
        raise PublishError(f"--images: {folder}: no image of item {item!r}")
    return path


@cache
def _placeholder() -> Image.Image:
    """Return what is shown for an item whose image is not here."""
    image = Image.new("RGB", (320, 240), "#d8dee4")
    ImageDraw.Draw(image).text((160, 120), "no image", fill="#57606a", anchor="mm", font_size=24)
    return image


def _save_answers(study: Study, table: pd.DataFrame, keys: dict[str, str]) -> None:
    """Save participants, their trials in the order of the table, and their ratings."""
    now = timezone.now()
    rows = _presentations(table)
    version = study.version
    programs = (
        set(table.loc[table[SIMULATED], "participant"].astype(str)) if SIMULATED in table.columns else set()
    )
    people = {
        code: Participant(
            study=study,
            version=version,
            code=code,
            token=None,
            withdrawal=None,
            state=Participant.State.FINISHED,
            consent_version=CONSENT,
            consented_at=now,
            finished_at=now,
            is_simulated=code in programs,
        )
        for code in dict.fromkeys(rows["participant"])
    }
    Participant.objects.bulk_create(people.values(), batch_size=_BATCH)
    stimuli = dict(study.stimuli.values_list("item", "pk"))
    first = rows.drop_duplicates("trial")
    trials = [
        Trial(
            participant=people[row["participant"]],
            stimulus_id=stimuli[row["item"]],
            # An item that is its own reference stands beside nothing.
            other_id=stimuli[row["reference"]] if row["reference"] not in ("", row["item"]) else None,
            position=row["place"],
            phase=row["phase"],
            outcome=Trial.Outcome.RATED,
            answered_at=now,
        )
        for row in first.to_dict("records")
    ]
    Trial.objects.bulk_create(trials, batch_size=_BATCH)
    by_number = dict(zip(first["trial"], trials, strict=True))
    questions = {question.key: question for question in Question.objects.filter(study=study)}
    Rating.objects.bulk_create(
        (
            Rating(
                trial=by_number[row["trial"]],
                question=questions[keys[row["question"]]],
                value=row["rating"],
                first_value=row["rating"],
                rt_ms=None if pd.isna(row["rt_ms"]) else max(0, round(row["rt_ms"])),
            )
            for row in rows.to_dict("records")
        ),
        batch_size=_BATCH,
    )


def _presentations(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as plain values with ``trial``, the number of the presentation, and its ``place`` for the person.

    Rows of one participant, item and phase that answer different questions are one presentation.
    """
    asked = "question" in table.columns and table["question"].notna().any()
    rows = pd.DataFrame(
        {
            "participant": table["participant"].astype(str).to_numpy(object),
            "item": table["item"].astype(str).to_numpy(object),
            "rating": table["rating"].to_numpy(),
            "question": table["question"].astype(str).to_numpy(object) if asked else "Overall",
            "phase": table["phase"].astype(object).fillna("main").to_numpy(object)
            if "phase" in table.columns
            else "main",
            "reference": table["reference"].astype(object).fillna("").astype(str).to_numpy(object)
            if "reference" in table.columns
            else "",
            "rt_ms": table["rt_ms"].to_numpy() if "rt_ms" in table.columns else float("nan"),
        }
    )
    shown = ["participant", "item", "phase"]
    rows["time"] = rows.groupby([*shown, "question"], sort=False).cumcount()
    rows["trial"] = rows.groupby([*shown, "time"], sort=False).ngroup()
    if "position" in table.columns and _are_places(rows.assign(place=table["position"].to_numpy())):
        return rows.assign(place=table["position"].to_numpy(int))
    first = rows.drop_duplicates("trial")
    places = dict(zip(first["trial"], first.groupby("participant", sort=False).cumcount() + 1, strict=True))
    return rows.assign(place=rows["trial"].map(places))


def _are_places(rows: pd.DataFrame) -> bool:
    """Whether ``place`` is a whole number from 1 that each presentation has for itself, among those of its participant."""
    place = pd.to_numeric(rows["place"], errors="coerce")
    if place.isna().any() or (place < 1).any() or (place != place.round()).any() or (place > _LAST).any():
        return False
    pairs = rows.assign(place=place)[["participant", "place", "trial"]].drop_duplicates()
    return not pairs.duplicated(["participant", "place"]).any() and not pairs.duplicated("trial").any()
