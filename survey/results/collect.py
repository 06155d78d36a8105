"""From the database to an Export: the only module that reads results from the tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Final

import numpy as np
import pandas as pd
from django.db.models import Case, Count, DecimalField, F, Max, Sum, TextField, Value, When
from django.db.models.functions import Cast

from survey.analysis import Ratings, analyse, check
from survey.analysis.covariates.labels import label
from survey.analysis.items.mos import mos_from_counts, mos_table
from survey.analysis.scale import ACR, Scale
from survey.analysis.simulated import marked, marked_by_counts
from survey.analysis.table import code, main_phase
from survey.models import Exclusion, OwnAnswer, Preference, Rating, Study, Trial
from survey.results.export import Export, QuestionText
from survey.results.panels import DEFAULT, Selection, of_level, weighted_by_model, without_flagged
from survey.results.seen import viewing_columns
from survey.results.settings import settings_table
from survey.results.tidy_table import (
    are_numbers,
    column_names,
    has_repeats,
    rating_counts,
    scales_of,
    tidy_table,
)
from survey.study.about import ABOUT_PREFIX
from survey.study.definition import definition_of
from survey.study.own_questions import told
from survey.study.stopping import scored_roles, stops


class NoRatings(ValueError):
    """The study has no rating that counts in a MOS yet."""


_ITEM_FIELDS: Final = (
    "item",
    "name",
    "role",
    "content",
    "style",
    "condition",
    "width",
    "height",
    "sha256",
    "expected",
)


def collect(study: Study, selection: Selection = DEFAULT, version: str | None = None) -> Export:
    """Return the study with its ratings and their analysis. The result is cached until something changes.

    Excluded participants are only in `participants` and `excluded`.

    Args:
        study: The study.
        selection: Which ratings, with which intervals.
        version: The study's fingerprint, where the caller has just read it.

    Raises:
        NoRatings: If there is nothing to analyse.
        NobodyLeftError: If the panel leaves nobody.
    """
    return _collect(study.pk, version or fingerprint(study), selection)


def mos_tables(study: Study) -> dict[str, pd.DataFrame]:
    """Return {question: its MOS table}, equal to that of `collect`, in a second or two for any number of ratings.

    If somebody rated an image again, ratings are read one by one, since intervals then depend on participants. So are
    those of a continuous scale, which has no categories to count.

    Raises:
        NoRatings: If there is nothing to count.
    """
    scales = scales_of(study)
    if has_repeats(study) or any(scale.categories is None for scale in scales.values()):
        return _mos_tables_of_rows(study)
    counts = rating_counts(study)
    if counts.empty:
        raise NoRatings(f"study {study.slug!r} has no rating that counts yet")
    asked = asked_items(study)
    programs = dict(tuple(rating_counts(study, is_simulated=True).groupby("question")))
    tables = {
        str(key): _mos_of_counts(rows, scales[str(key)], asked) for key, rows in counts.groupby("question")
    }
    # Nobody rated an image twice: a rating is a participant.
    return {
        key: marked_by_counts(mos, programs[key].groupby("item")["n"].sum()) if key in programs else mos
        for key, mos in tables.items()
    }


def _mos_tables_of_rows(study: Study) -> dict[str, pd.DataFrame]:
    ratings = checked(study, counted_ratings(study), asked_items(study))
    main = main_phase(ratings.table)
    found = {}
    for key in sorted(main["question"].unique()):
        rows, listed = main[main["question"] == key], ratings.listed_items(main, str(key))
        found[str(key)] = marked(mos_table(code(rows, ratings.scale_of(str(key)), items=listed)), rows)
    return found


def _mos_of_counts(rows: pd.DataFrame, scale: Scale, asked: Collection[str]) -> pd.DataFrame:
    wide = rows.pivot_table(index="item", columns="rating", values="n", aggfunc="sum")
    wide = wide.reindex(sorted({*wide.index, *asked}))
    wide = wide.reindex(columns=[float(value) for value in scale.categories or ()]).fillna(0).astype(np.int64)
    return mos_from_counts(wide.index.to_numpy(object), wide.to_numpy(), scale=scale)


def asked_items(study: Study) -> list[str]:
    """Return the images that a study has a score of, rated yet or not."""
    images = study.stimuli.filter(role__in=scored_roles(study.method))
    if study.is_imported:
        # A file's references are images of the study, though nobody was asked about them.
        images = images.exclude(
            pk__in=Trial.objects.filter(participant__study=study, other__isnull=False).values("other")
        )
    return sorted(images.values_list("item", flat=True))


def checked(study: Study, rows: pd.DataFrame, asked: Collection[str] = ()) -> Ratings:
    """Return rows of a study's tidy table as checked ratings on the scales of its questions.

    asked: the images that keep a row in the tables if nobody rated them.
    """
    scales = scales_of(study)
    first = next(iter(scales.values()), ACR)
    others = {key: scale for key, scale in scales.items() if scale != first}
    ratings = check(rows, source=study.slug, scale=first, scales=others)
    pairs = pd.MultiIndex.from_product([list(scales), list(asked)], names=["question", "item"])
    rated = pd.MultiIndex.from_frame(main_phase(ratings.table)[["question", "item"]].astype("object"))
    return replace(ratings, unrated=pairs[~pairs.isin(rated)].to_frame(index=False))


def fingerprint(study: Study) -> str:
    """Return a hash that changes with any change of the results: the key of all caches of results.

    It covers the answers, `participants_table`, `items_table`, the exclusions and the study's texts. An image's cell
    stands for `settings_table`: what a cell was made from never changes.
    """
    facts = [
        _answer_facts(Preference if study.method == Study.Method.PAIR else Rating, study),
        OwnAnswer.objects.filter(trial__participant__study=study).aggregate(Count("pk"), Max("pk")),
        _participant_facts(study),
        list(Exclusion.in_force(study).order_by("participant").values_list("pk", "reason")),
        list(study.questions.values_list("key", "text", "labels", "low", "high", "step")),
        list(
            study.stimuli.order_by("pk").values_list(
                "pk", *_ITEM_FIELDS, "cell", *_as_text("factors", "covariates")
            )
        ),
        [study.slug, study.title, study.method, study.is_simulated, study.version.sha256, study.is_purged],
    ]
    return hashlib.sha256(json.dumps(facts, default=str, sort_keys=True).encode()).hexdigest()


def _answer_facts(kind: type[Rating] | type[Preference], study: Study) -> dict[str, Any]:
    """Return sums that change if an answer is added, removed or changed."""
    rows = kind.objects.filter(trial__participant__study=study)
    # Weighted by the trial: a plain sum would not change if two answers were swapped.
    if kind is Rating:
        # As decimals: a sum of binary fractions depends on the order in which the database adds them.
        number: Any = Cast("value", DecimalField(max_digits=30, decimal_places=9)) * F("trial_id")
    else:
        number = Case(
            When(value=Preference.Choice.FIRST, then=F("trial_id")),
            When(value=Preference.Choice.TIE, then=-F("trial_id")),
            default=Value(0),
        )
    return rows.aggregate(Count("pk"), Max("pk"), Sum("changes"), answers=Sum(number))


def _participant_facts(study: Study) -> str:
    """Return a hash of the columns of all participants that results show."""
    texts = _as_text("consented_at", "started_at", "finished_at", "before", "about", "screening", "viewing")
    shown = (
        "pk",
        "code",
        "version_id",
        "state",
        "language",
        "group",
        "consent_version",
        "is_preview",
        "is_simulated",
    )
    digest = hashlib.sha256()
    for row in study.participants.order_by("pk").values_list(*shown, *texts).iterator():
        digest.update(repr(row).encode())
    return digest.hexdigest()


def _as_text(*columns: str) -> list[Cast]:
    """Return times and JSON as the database writes them: as Python objects, those of 20,000 people would take half a second."""
    return [Cast(name, TextField()) for name in columns]


@lru_cache(maxsize=8)
def _collect(pk: int, fingerprint_: str, selection: Selection) -> Export:
    if selection.panel == "model":
        everyone = _collect(pk, fingerprint_, replace(selection, panel="everyone"))
        return replace(everyone, analysis=weighted_by_model(everyone.analysis))
    study = Study.objects.get(pk=pk)
    factors, covariates = column_names(study)
    items = items_table(study, factors, covariates)
    rows = analysis_rows(study)
    excluded = exclusions(study)
    out = rows["participant"].isin(list(excluded))
    counted = rows[~out & of_level(rows, selection.only)].reset_index(drop=True)
    _demand_ratings(study, counted)
    ratings = checked(study, counted, _asked_of_level(asked_items(study), items, selection))
    if selection.panel == "screened":
        everyone = _collect(pk, fingerprint_, replace(selection, panel="everyone"))
        ratings = without_flagged(ratings, everyone.analysis)
    return Export(
        fingerprint=fingerprint_,
        slug=study.slug,
        title=study.title,
        method=study.method,
        simulated=study.is_simulated,
        definition=study.version.definition,
        questions=texts_of(study),
        factors=tuple(factors.values()),
        descriptions={column: _described(name) for name, column in covariates.items()}
        | {column: f"factor {name}" for name, column in factors.items()},
        ratings=counted,
        checked=ratings.table,
        excluded=rows[out].reset_index(drop=True),
        items=items,
        read_settings=partial(settings_table, study),
        participants=participants_table(study, excluded),
        own_answers=own_answers_table(study, excluded),
        stops=stops_table(study),
        own_questions=own_questions_of(study),
        analysis=analyse(ratings, ci=selection.ci),
    )


def _asked_of_level(asked: list[str], items: pd.DataFrame, selection: Selection) -> list[str]:
    if selection.only is None:
        return asked
    return sorted({*asked} & {*items.loc[of_level(items, selection.only), "item"]})


def _described(covariate: str) -> str:
    """Return what a covariate's column holds, in words where its name says too little."""
    words = label(covariate)
    return f"covariate {covariate}" if words == covariate else f"covariate {covariate}: {words}"


def counted_ratings(study: Study) -> pd.DataFrame:
    """Return `Export.ratings` of a study without their analysis, which takes most of the time and memory.

    Raises:
        NoRatings: If there is nothing to analyse.
    """
    rows = analysis_rows(study)
    rows = rows[~rows["participant"].isin(list(exclusions(study)))].reset_index(drop=True)
    _demand_ratings(study, rows)
    return rows


def _demand_ratings(study: Study, rows: pd.DataFrame) -> None:
    if not (rows["phase"] == Trial.Phase.MAIN).any():
        raise NoRatings(f"study {study.slug!r} has no rating that counts yet")


def analysis_rows(study: Study) -> pd.DataFrame:
    """Return the tidy table for analysis and export, with whole numbers as integers.

    Columns that the study does not use (no condition, no reference ...) stay, but are empty.
    """
    table = with_whole_numbers(tidy_table(study))
    for name in ("group", "content", "style", "condition", "input"):
        table[name] = table[name].cat.remove_categories([c for c in table[name].cat.categories if c == ""])
    return table


def with_whole_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose times and sizes in whole units are integers, also with missing values."""
    whole = ("block", "rt_ms", "load_ms", "viewport_w", "viewport_h", "enlarged")
    found = {name: table[name].round().astype("Int64") for name in whole if name in table.columns}
    if "expected" in table.columns:
        found["expected"] = _whole_where_it_fits(table["expected"])
    return table.assign(**found)


def _whole_where_it_fits(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return numbers, some missing, as integers where all are whole."""
    number = column.astype(np.float64)
    return number.astype("Int64") if (number.dropna() % 1 == 0).all() else number


def stops_table(study: Study) -> pd.DataFrame:
    """Return one row for each time that the study's rule paused it."""
    rows = [(stop.rule, stop.at, stop.sessions, stop.widest) for stop in stops(study)]
    table = pd.DataFrame(rows, columns=["rule", "at", "sessions", "widest"])
    return table.assign(at=pd.to_datetime(table["at"], utc=True), widest=table["widest"].astype("float64"))


def items_table(study: Study, factors: dict[str, str], covariates: dict[str, str]) -> pd.DataFrame:
    """Return one row a stimulus: names, role, sizes, hash, then factors and covariates ({name: its column})."""
    rows = []
    for *values, of_factors, of_covariates in study.stimuli.order_by("item").values_list(
        *_ITEM_FIELDS, "factors", "covariates"
    ):
        row: dict[str, Any] = dict(zip(_ITEM_FIELDS, values, strict=True))
        row |= {name: row[name] or None for name in ("content", "style", "condition")}
        row |= {column: of_factors.get(name) for name, column in factors.items()}
        row |= {column: of_covariates.get(name) for name, column in covariates.items()}
        rows.append(row)
    table = pd.DataFrame(rows)
    table["expected"] = _whole_where_it_fits(table["expected"])
    for column in (*factors.values(), *covariates.values()):
        values = [row[column] for row in rows]
        if not are_numbers(values):
            table[column] = pd.Series(
                [None if value is None else str(value) for value in values], dtype=object
            )
    return table


def conditions_of(items: pd.DataFrame) -> dict[str, str]:
    """Return {item: its condition} of those rows of `items_table` that have one."""
    known = items.dropna(subset=["condition"])
    return dict(zip(known["item"], known["condition"], strict=True))


def participants_table(study: Study, excluded: dict[str, str]) -> pd.DataFrame:
    """Return one row a participant, without previews. No column identifies a person or gives access to a session.

    From the purge date on nothing is read of what people said of themselves, also before it is deleted.
    """
    purged = study.is_purged
    people = (
        study.participants.filter(is_preview=False)
        .annotate(ratings=Count("trials__ratings"))
        .select_related("version")
        .order_by("pk")
    )
    table = pd.DataFrame(
        [
            {
                "participant": person.code,
                "version": person.version.number,
                "state": person.state,
                "language": person.language,
                "group": person.group or None,
                "order_row": None if person.order_row is None else person.order_row + 1,
                "block_order": None if person.block_order is None else " > ".join(person.block_order),
                "consent_version": person.consent_version,
                "consented_at": person.consented_at,
                "started_at": person.started_at,
                "finished_at": person.finished_at,
                "simulated": person.is_simulated,
                "ratings": person.ratings,
                "excluded": excluded.get(person.code),
                **{
                    f"{ABOUT_PREFIX}{key}": told(value)
                    for key, value in {**(person.before or {}), **(person.about or {})}.items()
                    if not purged
                },
            }
            for person in people
        ]
    )
    for name in ("consented_at", "started_at", "finished_at"):
        table[name] = pd.to_datetime(table[name], utc=True)
    table["order_row"] = table["order_row"].astype("Int64")
    return table.assign(**viewing_columns([person.viewing for person in people]))


def own_answers_table(study: Study, excluded: Collection[str]) -> pd.DataFrame:
    """Return one row for each answer to the study's own questions about images.

    Columns: participant, version, language, trial, position, phase, item, other (the second image of a pair, or the
    reference), question, answer. Previews and excluded participants are left out, and from the purge date on what
    people wrote, also before it is deleted.
    """
    names = {
        "trial__participant__code": "participant",
        "trial__participant__version__number": "version",
        "trial__participant__language": "language",
        "trial_id": "trial",
        "trial__position": "position",
        "trial__phase": "phase",
        "trial__stimulus__item": "item",
        "trial__other__item": "other",
        "key": "question",
    }
    rows = OwnAnswer.objects.filter(trial__participant__study=study, trial__participant__is_preview=False)
    if study.is_purged:
        rows = rows.filter(words="")
    rows = rows.order_by("trial__participant_id", "trial__position", "pk")
    found = [
        (*values, told(words if chosen is None else chosen))
        for *values, words, chosen in rows.values_list(*names, "words", "chosen")
        if values[0] not in excluded
    ]
    return pd.DataFrame(found, columns=[*names.values(), "answer"])


def own_questions_of(study: Study) -> dict[str, str]:
    """Return {key: wording} of the study's own questions in its first language, of all its versions."""
    found: dict[str, str] = {}
    for version in study.versions.order_by("number"):
        definition = definition_of(version)
        first = definition.languages[0]
        for own in definition.own_questions:
            choices = ", ".join(own.choices_in(first, first))
            found[own.key] = definition.say(own.text, first) + (f" ({choices})" if choices else "")
    return found


def exclusions(study: Study) -> dict[str, str]:
    """Return {participant: reason} for excluded participants."""
    return dict(Exclusion.in_force(study).order_by("participant").values_list("participant__code", "reason"))


def texts_of(study: Study) -> tuple[QuestionText, ...]:
    """Return the questions as they were asked."""
    return tuple(
        QuestionText(question.key, question.text, tuple(question.labels), question.scale)
        for question in study.questions.all()
    )
