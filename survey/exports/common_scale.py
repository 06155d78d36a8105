"""Choices of one study and ratings of another, of the same images, on one scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import pandas as pd

from survey.analysis.pairs.common_scale import FEWEST_ITEMS, MEANING, CommonScale, common_scale
from survey.analysis.simulated import told_of
from survey.analysis.summary import Summary
from survey.analysis.table import TableError
from survey.exports.codebook import SHARE, Meanings, kind_of
from survey.exports.folder import Files, with_sums
from survey.exports.pairs import collect_pairs
from survey.exports.tables import csv_bytes, json_bytes
from survey.models import Stimulus, Study
from survey.results.collect import NoRatings, collect, fingerprint
from survey.results.tidy_table import scales_of

_MEANINGS: Final[Meanings] = (
    ("question", "", "keys of the question of the pairs and of that of the ratings"),
    ("group", "", "images that a chain of comparisons connects, by the first of them"),
    ("item", "", "the image, by its name in the pair study"),
    ("choices", "", "choices in which it was shown"),
    ("ratings", "", "ratings of it"),
    ("quality", "JOD", "from choices and ratings together; mean 0; at a difference of 1, 3 of 4 people prefer the better"),
    ("ci_low", "JOD", "lower end of the 95 % interval, participants as clusters"),
    ("ci_high", "JOD", "its upper end"),
    ("by_pairs", "JOD", "quality from the choices alone, mean 0 in its group"),
    ("by_ratings", "JOD", "quality from the ratings alone, mean 0 in its group"),
    ("difference", "JOD", "by_ratings − by_pairs"),
    ("p_holm", SHARE, "p of the difference (Student's t), adjusted by Holm for the number of images"),
)  # fmt: skip
_METHOD: Final = (
    "Qualities of {items} images were estimated from {choices} choices between pairs and {ratings} ratings of other "
    "participants together (Perez-Ortiz et al. 2019): Thurstone's case V for the choices, a tie as half to each, and an ordered "
    "probit model for the ratings{classes}, with one quality for each image in both. Intervals take a participant's answers as one "
    "cluster, with Student's t. One rating has an SD of {noise:.2f} JOD. " + MEANING
)


class NotCommon(Exception):
    """Two studies that give no common scale; the one-line message says why and what to do."""


@dataclass(frozen=True)
class CommonExport:
    """The studies' names, and the scale of each pair of questions.

    simulated: what a program answered of either study, in sentences; empty where people answered all.
    """

    pairs: str
    ratings: str
    scales: Mapping[str, CommonScale]
    simulated: str

    @property
    def table(self) -> pd.DataFrame:
        """The items of all scales, `question` first."""
        parts = [scale.items.assign(question=name) for name, scale in self.scales.items()]
        table = pd.concat(parts, ignore_index=True)
        table.insert(0, "question", table.pop("question"))
        return table

    @property
    def methods(self) -> str:
        """A paragraph for a paper's methods section."""
        paragraphs = [
            (f"For the question “{name}”: " if len(self.scales) > 1 else "")
            + _METHOD.format(**scale.summary | {"classes": _cut(scale.summary["classes"])})
            for name, scale in self.scales.items()
        ]
        return "\n\n".join([*filter(None, [self.simulated]), *paragraphs])


def _cut(classes: int) -> str:
    return f", cut into {classes} classes of about equally many" if classes else ""


def partners(study: Study, among: Iterable[Study]) -> list[Study]:
    """Return the studies of the other kind, of `among`, that have enough of a study's images to share a scale."""
    mine = study.method == Study.Method.PAIR
    return [
        other
        for other in among
        if (other.method == Study.Method.PAIR) != mine and len(_same_images(study, other)) >= FEWEST_ITEMS
    ]


def collect_common(pairs: Study, ratings: Study) -> CommonExport:
    """Return the common scale of a pair study and a study of ratings. The result is cached until something changes.

    Questions with one key in both belong together; where there are none, the first of each.

    Raises:
        NotCommon: The studies are of the wrong kinds, share too few images, or have no answers yet.
    """
    if pairs.method != Study.Method.PAIR:
        raise NotCommon(f"study {pairs.slug!r} compares no pairs; name the pair study first")
    if ratings.method == Study.Method.PAIR:
        raise NotCommon(f"study {ratings.slug!r} compares pairs too; name a study of ratings second")
    return _collect(pairs.pk, ratings.pk, fingerprint(pairs), fingerprint(ratings))


@lru_cache(maxsize=4)
def _collect(pairs_pk: int, ratings_pk: int, *fingerprints: str) -> CommonExport:
    pairs, ratings = Study.objects.get(pk=pairs_pk), Study.objects.get(pk=ratings_pk)
    same = _same_images(pairs, ratings)
    if len(same) < FEWEST_ITEMS:
        raise NotCommon(
            f"studies {pairs.slug!r} and {ratings.slug!r} share {len(same)} images; one scale needs {FEWEST_ITEMS} or more"
        )
    try:
        choices, rated = _main(collect_pairs(pairs).choices), _main(collect(ratings).ratings)
    except NoRatings as error:
        raise NotCommon(str(error)) from error
    rated = rated[rated["item"].isin(list(same))]
    rated = rated.assign(item=rated["item"].astype("object").map(same))
    scales = scales_of(ratings)
    found = {}
    for first, second in _questions(pairs, ratings):
        name = first if first == second else f"{first} and {second}"
        mine, theirs = choices[choices["question"] == first], rated[rated["question"] == second]
        try:
            found[name] = common_scale(mine, theirs, scales[second])
        except TableError as error:
            raise NotCommon(f"{name}: {error}") from error
    said = [told_of(choices, answers="choices"), told_of(rated)]
    return CommonExport(pairs.slug, ratings.slug, found, " ".join(filter(None, said)))


def _same_images(one: Study, other: Study) -> dict[str, str]:
    """Return {item of the study of ratings: item of the pair study}: of the same bytes, or made as the same cell."""
    pairs, ratings = (one, other) if one.method == Study.Method.PAIR else (other, one)
    by: dict[Any, str] = {}
    for item, sha256, cell in _images(pairs):
        by |= {sha256: item} | ({cell: item} if cell else {})
    return {
        item: by.get(sha256) or by[cell]
        for item, sha256, cell in _images(ratings)
        if sha256 in by or (cell and cell in by)
    }


def _images(study: Study) -> list[tuple[str, str, int | None]]:
    rated = study.stimuli.filter(role__in=[Stimulus.Role.MAIN, Stimulus.Role.REFERENCE])
    return list(rated.order_by("pk").values_list("item", "sha256", "cell_id"))


def _questions(pairs: Study, ratings: Study) -> list[tuple[str, str]]:
    keys = [[question.key for question in study.questions.order_by("position")] for study in (pairs, ratings)]
    return [(key, key) for key in keys[0] if key in keys[1]] or [(keys[0][0], keys[1][0])]


def _main(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["phase"] == "main"]


def common_files(export: CommonExport) -> Files:
    """Return the files of a common scale by their names."""
    table = export.table
    known = {name: (unit, meaning) for name, unit, meaning in _MEANINGS}
    codebook = pd.DataFrame(
        [("common_scale", column, kind_of(table, column), *known[column]) for column in table.columns],
        columns=["table", "column", "type", "unit", "meaning"],
    )
    summary = {
        "pairs": export.pairs,
        "ratings": export.ratings,
        "simulated": export.simulated,
        "questions": {name: Summary(scale.summary) for name, scale in export.scales.items()},
    }
    files = {
        "common_scale.csv": csv_bytes(table),
        "codebook.csv": csv_bytes(codebook),
        "summary.json": json_bytes(summary),
        "methods.txt": f"{export.methods}\n".encode(),
    }
    return with_sums(files)
