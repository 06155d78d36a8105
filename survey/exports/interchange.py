"""Ratings in formats of other programs: SUREAL, suJSON and the matrix of the P.910 demonstration program.

All have the ratings that count in a MOS, which are those of the main phase.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd

from survey.analysis.scale import plain_number
from survey.analysis.table import main_phase
from survey.exports.columns import written
from survey.results.export import Export, QuestionText

SUJSON_VERSION: Final = "1.1.1"


def sureal_dataset(export: Export, question: str) -> dict[str, Any]:
    """Return one question's ratings as a dataset of Netflix's SUREAL (`sureal --dataset FILE.json`).

    A participant's score is a number, or a list if they saw the item several times.
    """
    scores = _scores(_of_question(export, question))
    items = export.items
    contents = _numbered(items["content"])
    return {
        "dataset_name": f"{export.slug}_{question}",
        "yuv_fmt": "notyuv",
        # SUREAL ignores these lines; `analyse` reads them.
        "scale": str(next(asked.scale for asked in export.questions if asked.key == question)),
        **({"simulated": programs} if (programs := _programs(_of_question(export, question))) else {}),
        "ref_videos": [
            {"content_id": index, "content_name": name, "path": f"reference/{name}"}
            for name, index in contents.items()
        ],
        "dis_videos": [
            {
                "content_id": contents[content],
                "asset_id": asset,
                "path": item,
                "os": scores[item],
            }
            for asset, (item, content) in enumerate(
                zip(items["item"], items["content"].map(_name), strict=True)
            )
            if item in scores
        ],
    }


def p910_parts(export: Export, question: str) -> Iterator[bytes]:
    """Return items × participants for the P.910 demonstration program, in pieces: no header, `nan` for missing ratings.

    Rows are in the order of mos.csv, columns in that of observers.csv. Repeated ratings are averaged.
    """
    ratings = _of_question(export, question)
    # By name, as in the tables: categories would be in the order in which people joined.
    names = [pd.factorize(ratings[name].astype("str"), sort=True) for name in ("item", "participant")]
    (items, item_names), (people, person_names) = names
    means = ratings["rating"].groupby([items, people]).mean()
    texts = np.array(written(means, str), dtype=object)
    item, person = (means.index.get_level_values(level).to_numpy() for level in (0, 1))
    starts = np.searchsorted(item, np.arange(len(item_names) + 1))
    for start, end in pairwise(starts):
        row = np.full(len(person_names), "nan", dtype=object)
        row[person[start:end]] = texts[start:end]
        yield (",".join(row) + "\n").encode()


def sujson_dataset(export: Export) -> dict[str, Any]:
    """Return the study as suJSON 1.1 (AGH and VQEG's exchange format for subjective experiments)."""
    items = export.items
    contents, conditions = _numbered(items["content"], 1), _numbered(items["condition"], 1)
    pvs_id = {item: index for index, item in enumerate(items["item"], 1)}
    ratings = main_phase(export.ratings)
    people = list(dict.fromkeys(ratings["participant"].astype(str)))
    programs = _programs(ratings)
    trials, scores = _trials(export.questions, ratings, pvs_id, people)
    return {
        "dataset_name": export.slug,
        "sujson_version": SUJSON_VERSION,
        "characteristics": {
            "description": export.title,
            "simulated": export.simulated,
            "method": export.method,
            "rating_order_known": True,
            "per_subject_data": True,
            "with_sound": False,
        },
        "tasks": [{"id": 1, "task": export.title}],
        "scales": [_scale(index, question) for index, question in enumerate(export.questions, 1)],
        "questions": [
            {
                "id": index,
                "question": question.text,
                "scale_id": index,
                "characteristics": {"key": question.key},
            }
            for index, question in enumerate(export.questions, 1)
        ],
        "src": [{"id": index, "name": name} for name, index in contents.items()],
        "hrc": [{"id": index, "name": name} for name, index in conditions.items()],
        "pvs": [
            {
                "id": pvs_id[item],
                "src_id": contents[content],
                "hrc_id": conditions[condition],
                "path": item,
            }
            for item, content, condition in zip(
                items["item"], items["content"].map(_name), items["condition"].map(_name), strict=True
            )
        ],
        "subjects": [
            {"id": index, "name": name}
            | ({"characteristics": {"simulated": True}} if name in programs else {})
            for index, name in enumerate(people, 1)
        ],
        "trials": trials,
        "scores": scores,
    }


def _scale(index: int, question: QuestionText) -> dict[str, Any]:
    scale = question.scale
    kind = f"{len(scale.categories)} categories" if scale.categories else "continuous"
    return {
        "id": index,
        "name": f"{question.key}: {kind}",
        "type": "ordinal" if scale.categories else "interval",
        "range": {"min": plain_number(scale.low), "max": plain_number(scale.high)},
        "labels": {label: plain_number(float(value)) for value, label in question.anchors},
    }


def _trials(
    questions: Sequence[QuestionText], ratings: pd.DataFrame, pvs_id: dict[str, int], people: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the trials and the scores, whose numbers count from 1."""
    question_id = {question.key: index for index, question in enumerate(questions, 1)}
    subject_id = {name: index for index, name in enumerate(people, 1)}
    times = ratings["answered_at"].dt.strftime("%Y-%m-%d %H:%M:%S.%f")
    scores = pd.DataFrame(
        {
            "id": np.arange(1, len(ratings) + 1),
            "question_id": ratings["question"].astype("object").map(question_id).to_numpy(),
            "timestamp": times.astype("object").to_numpy(),
            "score": ratings["rating"].to_numpy(),
            "pvs_id": ratings["item"].astype("object").map(pvs_id).to_numpy(),
        }
    )
    number, _ = pd.factorize(ratings["trial"])
    # A trial's scores one after the other, in the order given; trials count from the first row on.
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    first = order[starts]
    ids = scores["id"].to_numpy()[order].tolist()
    of_trial = [ids[start:end] for start, end in pairwise([*starts.tolist(), len(ids)])]
    trials = pd.DataFrame(
        {
            "id": np.arange(1, len(first) + 1),
            "subject_id": ratings["participant"].astype("object").map(subject_id).to_numpy()[first],
            "task_id": 1,
            "order_num": ratings["position"].to_numpy()[first],
            "pvs_id": scores["pvs_id"].to_numpy()[first],
            "score_id": pd.Series(of_trial, dtype=object),
        }
    )
    return trials, scores


def _programs(ratings: pd.DataFrame) -> list[str]:
    """Return the participants that are a program."""
    return sorted(ratings.loc[ratings["simulated"], "participant"].astype(str).unique())


def _of_question(export: Export, question: str) -> pd.DataFrame:
    ratings = main_phase(export.ratings)
    return ratings[ratings["question"] == question]


def _scores(ratings: pd.DataFrame) -> dict[str, dict[str, float | list[float]]]:
    """Return {item: {participant: score, or scores in the order given}}."""
    given: dict[str, dict[str, list[float]]] = {}
    columns = (ratings[name].tolist() for name in ("item", "participant", "rating"))
    for item, person, rating in zip(*columns, strict=True):
        given.setdefault(item, {}).setdefault(person, []).append(rating)
    return {
        item: {person: some[0] if len(some) == 1 else some for person, some in people.items()}
        for item, people in given.items()
    }


def _numbered(column: pd.Series[Any], first: int = 0) -> dict[str, int]:
    """Return the column's names, sorted, with their numbers."""
    return {name: number for number, name in enumerate(sorted(set(map(_name, column))), first)}


def _name(value: Any) -> str:
    """Return a level's name. A study may leave content and condition of an image open."""
    missing = value is None or value == "" or (isinstance(value, float) and np.isnan(value))
    return "unnamed" if missing else str(value)
