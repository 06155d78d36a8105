"""The tidy table: a study's ratings as one DataFrame, one row for each rating.

All results are computed from it, except that counts are enough for a MOS table alone. It has all phases but no
previews; `phase == "main"` selects the ratings that count in a MOS.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, get_args

import numpy as np
import pandas as pd
from django.db.models import Count, QuerySet, TextField
from django.db.models.functions import Cast

from survey.analysis.scale import ACR, Scale
from survey.analysis.table import COLUMNS
from survey.models import Exclusion, Participant, Preference, Question, Rating, Stimulus, Study, Trial
from survey.study.definition import definition_of
from survey.study.tables import PairRule

_CHUNK: Final = 20_000
_SCREEN: Final = ("viewport_w", "viewport_h", "dpr", "zoom", "shown_w", "shown_h", "enlarged", "load_ms")


#: Names of columns that are no factor's: of the tidy table, of the two tables of the images, and of rows on their way.
_TAKEN: Final = frozenset(
    {
        *COLUMNS,
        *("name", "role", "width", "height", "sha256"),
        *("file", "shown_sha256", "provenance"),
        *("participant_id", "question_id", "stimulus_id", "other_id"),
    }
)


def column_names(study: Study) -> tuple[dict[str, str], dict[str, str]]:
    """Return ({factor: its column}, {covariate: its column}), sorted.

    A name that these tables, or that of the images, use for something else gets the prefix `factor_` or `covariate_`. So
    does a covariate with the name of a factor.
    """
    return _column_names(_stimuli(study))


def _column_names(stimuli: list[Any]) -> tuple[dict[str, str], dict[str, str]]:
    factors = _columns(stimuli, "factors", "factor_", _TAKEN)
    return factors, _columns(stimuli, "covariates", "covariate_", {*_TAKEN, *factors})


def tidy_table(study: Study) -> pd.DataFrame:
    """Return the study's ratings, one row each, by participant, position and question.

    Columns: COLUMNS, then factors, then covariates. `rating` is an integer (int8 where it fits) if all scales have
    whole numbers, else float64. `expected` is on the first question's scale, and NaN for questions on another one.
    `rt_ms` and the screen's sizes are floats with NaN for "not known". Times are UTC. `repeat` is 0 for the first time
    a participant sees an item in the phases main and repeat, 1 for the second, and so on. Texts are categories: 10^6
    ratings take about 100 bytes each. Without ratings the table has no rows. Pair studies have `preference_table`
    instead.
    """
    answers = Rating.objects.filter(trial__participant__study=study)
    scales = scales_of(study)
    table = _answers(study, answers, "f8").astype(dict.fromkeys(("value", "first_value"), _kind(scales)))
    table = table.rename(columns={"value": "rating", "first_value": "first_rating"})
    stimuli = _stimuli(study)
    factors, covariates = _column_names(stimuli)
    table = table.join(_stimulus_frame(stimuli, factors, covariates), on="stimulus_id")
    table["reference"] = _coded(table["other_id"], {stimulus.pk: stimulus.item for stimulus in stimuli})
    table["repeat"] = _repeats(table)
    table["question_scale"] = (
        table["question"].map({key: str(scale) for key, scale in scales.items()}).astype("category")
    )
    first, *others = scales.items() or [("", ACR)]
    elsewhere = [key for key, scale in others if scale != first[1]]
    table["expected"] = table["expected"].mask(table["question"].isin(elsewhere))
    return table[[*COLUMNS, *factors.values(), *covariates.values()]].reset_index(drop=True)


def scales_of(study: Study) -> dict[str, Scale]:
    """Return {question: its scale}, in the questions' order."""
    return {question.key: question.scale for question in study.questions.all()}


def _kind(scales: Mapping[str, Scale]) -> type[np.generic]:
    """Return the type that holds the ratings of all these scales."""
    values = [value for scale in scales.values() for value in scale.categories or (0.5,)]
    if not all(float(value).is_integer() for value in values):
        return np.float64
    return np.int8 if all(abs(value) <= np.iinfo(np.int8).max for value in values) else np.int64


def preference_table(study: Study) -> pd.DataFrame:
    """Return a pair study's answers, one row each.

    Columns: study, version, participant, language, group, simulated, trial, position, block, phase, drawn_by, content, question,
    first, second (items as shown), answer (`first`, `second` or `tie`), first_answer, changes, rt_ms, shown_at, answered_at, input
    and the screen's. `drawn_by` is the rule of the participant's version that chose a main pair.
    """
    answers = Preference.objects.filter(trial__participant__study=study)
    table = _answers(study, answers, "U6")
    table = table.rename(columns={"value": "answer", "first_value": "first_answer"})
    stimuli = _stimuli(study)
    items = {stimulus.pk: stimulus.item for stimulus in stimuli}
    table["first"] = _coded(table["stimulus_id"], items)
    table["second"] = _coded(table["other_id"], items)
    table["content"] = _coded(table["stimulus_id"], {s.pk: s.content for s in stimuli})
    table["drawn_by"] = _drawn_by(study, table)
    order = "study version participant language group simulated trial position block phase drawn_by content question"
    order += " first second"
    order += " answer first_answer changes rt_ms shown_at answered_at input"
    return table[[*order.split(), *_SCREEN]].reset_index(drop=True)


def _drawn_by(study: Study, table: pd.DataFrame) -> pd.Categorical:
    """Return which rule drew each main pair; none for other phases, whose pairs are the same for everybody or drawn again."""
    rules = {version.number: definition_of(version).session.pairs for version in study.versions.all()}
    drawn = table["version"].map(rules).where(table["phase"] == Trial.Phase.MAIN)
    return pd.Categorical(drawn, categories=get_args(PairRule))


def has_repeats(study: Study) -> bool:
    """Return whether anybody saw an image more than once in the main phase."""
    shown = Trial.objects.filter(
        participant__study=study, phase=Trial.Phase.MAIN, outcome=Trial.Outcome.RATED
    )
    pairs = shown.order_by().values_list("participant_id", "stimulus_id").annotate(n=Count("pk"))
    return pairs.filter(n__gt=1).exists()


def rating_counts(study: Study, **of: bool) -> pd.DataFrame:
    """Return how often each item got each rating in the main phase, by one query.

    Columns: question, item, rating, n; sorted. Previews and excluded participants do not count.

    of: what holds of the participants who count, as `is_simulated=True`; all count by default.
    """
    left_out = Exclusion.in_force(study)
    counts = (
        Rating.objects.filter(
            trial__participant__study=study,
            trial__participant__is_preview=False,
            trial__phase=Trial.Phase.MAIN,
            **{f"trial__participant__{name}": value for name, value in of.items()},
        )
        .exclude(trial__participant__in=left_out.values("participant"))
        .order_by()
        .values_list("question_id", "trial__stimulus_id", "value")
        .annotate(n=Count("pk"))
    )
    names = ["question", "item", "rating"]
    table = pd.DataFrame(list(counts), columns=[*names, "n"])
    # Keys become names here: in a join the database would compare a text for each rating.
    table["question"] = table["question"].map(
        dict(Question.objects.filter(study=study).values_list("pk", "key"))
    )
    table["item"] = table["item"].map(dict(Stimulus.objects.filter(study=study).values_list("pk", "item")))
    return table.sort_values(names, ignore_index=True)


def _answers(study: Study, answers: QuerySet[Any], value: str) -> pd.DataFrame:
    """Return the common columns of ratings and preferences. `value` is the NumPy type of an answer."""
    fields: dict[str, _Pack] = {
        "trial_id": _numbers("i8"),
        "question_id": _numbers("i8"),
        "value": _numbers(value),
        "first_value": _numbers(value),
        "changes": _numbers("i2"),
        "rt_ms": _numbers("f8"),
        "input": _coded_as(["mouse", "touch", "key", ""]),
        "trial__participant_id": _numbers("i8"),
        "trial__stimulus_id": _numbers("i8"),
        "trial__other_id": _numbers("f8"),
        "trial__position": _numbers("i4"),
        "trial__block": _numbers("f8"),
        "trial__phase": _coded_as(Trial.Phase.values),
        **{f"trial__{name}": _numbers("f8") for name in _SCREEN},
    }
    # Times as text: pandas parses them ten times as fast as Django.
    times = {name: Cast(f"trial__{name}", TextField()) for name in ("shown_at", "answered_at")}
    rows = (
        answers.filter(trial__participant__is_preview=False)
        .order_by("trial__participant_id", "trial__position", "question__position")
        .values_list(*fields, *times.values())
        .iterator(chunk_size=_CHUNK)
    )
    packs = [*fields.values(), _times, _times]
    # In chunks into packed columns: a list of a million tuples would take a gigabyte.
    packed: list[list[Any]] = [[] for _ in packs]
    while chunk := list(islice(rows, _CHUNK)):
        for column, pack, part in zip(zip(*chunk, strict=True), packs, packed, strict=True):
            part.append(pack(column))
    table = pd.DataFrame()
    for name, pack, part in zip((*fields, *times), packs, packed, strict=True):
        table[name.removeprefix("trial__")] = pd.concat(part or [pack(())], ignore_index=True)
        # Not all parts and the whole table at once.
        part.clear()
    table = table.rename(columns={"trial_id": "trial"})
    keys = dict(Question.objects.filter(study=study).order_by("position").values_list("pk", "key"))
    table["question"] = _coded(table["question_id"], keys)
    table["study"] = pd.Categorical.from_codes(np.zeros(len(table), np.int8), pd.Index([study.slug]))
    names_of = ("code", "language", "group", "version__number", "is_simulated")
    people = Participant.objects.filter(study=study).values_list("pk", *names_of)
    rows_of = {pk: rest for pk, *rest in people.order_by("pk")}
    for i, name in enumerate(("participant", "language", "group", "version", "simulated")):
        table[name] = _coded(table["participant_id"], {pk: rest[i] for pk, rest in rows_of.items()})
    table["version"] = table["version"].astype("i4")
    table["simulated"] = table["simulated"].astype(bool)
    return table


_Pack = Callable[[Sequence[Any]], pd.Series]


def _numbers(kind: str) -> _Pack:
    return lambda values: pd.Series(np.array(values, dtype=kind))


def _coded_as(categories: list[str]) -> _Pack:
    return lambda values: pd.Series(pd.Categorical(values, categories=categories))


def _times(values: Sequence[Any]) -> pd.Series[Any]:
    return pd.Series(pd.to_datetime(list(values), utc=True, format="ISO8601").as_unit("us"))


def _coded(ids: pd.Series[Any], names: dict[int, Any]) -> pd.Categorical:
    """Return the names of `ids` as a categorical in the order of `names`, without a string for each row."""
    categories = list(dict.fromkeys(names.values()))
    place = {name: code for code, name in enumerate(categories)}
    codes = ids.map({key: place[name] for key, name in names.items()}).fillna(-1).to_numpy(np.int32)
    return pd.Categorical.from_codes(codes, pd.Index(categories))


def _stimuli(study: Study) -> list[Any]:
    """Return the columns of each stimulus for the tables, as named tuples, ten times as fast as models."""
    names = ("pk", "item", "content", "style", "condition", "sha256", "expected", "factors", "covariates")
    rows = Stimulus.objects.filter(study=study).values_list(*names, named=True)
    # Sorted here, because databases sort text differently.
    return sorted(rows, key=lambda stimulus: stimulus.item)


def _stimulus_frame(stimuli: list[Any], factors: dict[str, str], covariates: dict[str, str]) -> pd.DataFrame:
    """Return one row for each stimulus (index: pk) with the columns that the tidy table takes from it."""
    frame = pd.DataFrame(index=pd.Index([s.pk for s in stimuli], dtype="i8"))
    for name in ("item", "content", "style", "condition"):
        values = [getattr(s, name) for s in stimuli]
        frame[name] = pd.Categorical(values, categories=list(dict.fromkeys(values)))
    frame["image_sha256"] = pd.Categorical([s.sha256 for s in stimuli])
    frame["expected"] = np.array([s.expected for s in stimuli], dtype="f8")
    for names, field in ((factors, "factors"), (covariates, "covariates")):
        for name, column in names.items():
            frame[column] = _values([getattr(s, field).get(name) for s in stimuli])
    return frame


def _values(values: list[Any]) -> Any:
    """Return one factor's values as numbers if all are numbers, else as categories."""
    if are_numbers(values):
        return np.array([np.nan if v is None else v for v in values], dtype="f8")
    texts = [None if v is None else str(v) for v in values]
    return pd.Categorical(texts, categories=list(dict.fromkeys(t for t in texts if t is not None)))


def are_numbers(values: Iterable[Any]) -> bool:
    """Return whether all values that are known are numbers, and some are; otherwise all are levels by their texts."""
    known = [value for value in values if value is not None]
    return bool(known) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in known
    )


def _repeats(table: pd.DataFrame) -> pd.Series[Any]:
    counted = table["phase"].isin(["main", "repeat"])
    keys = ["participant_id", "stimulus_id", "question_id"]
    return table[counted].groupby(keys).cumcount().reindex(table.index, fill_value=0).astype("i2")


def _columns(stimuli: list[Any], field: str, prefix: str, taken: Collection[str]) -> dict[str, str]:
    # Sorted: PostgreSQL does not keep the order of a JSON object's keys.
    names = sorted({name for stimulus in stimuli for name in getattr(stimulus, field)})
    return {name: prefix + name if name in taken else name for name in names}
