"""README.txt of a whole export: one line for each file that was written."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

#: Pattern of a file's path -> what it holds, in the order of the README.
Lines = dict[str, str]

_SHARED: Final[Lines] = {
    "items.csv": "one row an image: names, role, factors, covariates, SHA-256 of the bytes that people saw",
    "settings.csv": "one row an image: how it was made, with preset, network, size, seed, hashes and the whole recipe",
    "participants.csv": "one row a person: state of the session, answers about the person; no name, no address",
    "own_answers.csv": "answers to the study's own questions about images",
    "stops.csv": "when the study's own rule paused it",
    "codebook.csv": "what each column of each table means",
    "study.json": "the study's definition: texts, questions, rules",
}
_LAST: Final[Lines] = {
    "plots/*": "the plots as SVG and PDF",
    "README.txt": "this list",
    "SHA256SUMS": "check with: sha256sum --check SHA256SUMS",
}
OF_RATINGS: Final[Lines] = {
    "ratings.csv": "one row a rating",
    "ratings.parquet": "the same as Parquet",
    "ratings_excluded.csv": "ratings of the people who were left out; no other file counts them",
    "mos.csv": "one row an image: n, MOS, SD, 95 % intervals, median, counts",
    "comparisons.csv": "every two images: difference, Wilcoxon's test, p adjusted by Holm",
    "conditions.csv": "one row a condition: mean and intervals",
    "condition_comparisons.csv": "every two conditions, tested like images",
    "dmos.csv": "one row an image: differential score against its hidden reference",
    "effects.csv": "effects of the images' factors: tests, means, contrasts, slopes",
    "covariates.csv": "what was measured on the images against their MOS",
    "groups.csv": "groups of participants compared",
    "group_sessions.csv": "how many of each group began and finished",
    "split.csv": "which images' votes split into two camps more than chance allows",
    "observers.csv": "one row a person: mean, spread, agreement with the others, two screening verdicts",
    "screening.csv": "every screening rule for every person: value, threshold, verdict",
    "observer_model.csv": "bias and inconsistency of each person with intervals",
    "recovered.csv": "quality of each image with each person's bias and inconsistency modelled",
    "recovered_shrunken.csv": "the same where no single person may outweigh the others",
    "panels.csv": "scores and ranks of everyone, without the marked, and by the model",
    **_SHARED,
    "summary.json": "agreement, tests, notes and the stamp: data and program behind the numbers",
    "results.json": "all tables, the summary and the study's definition as one JSON file",
    "results.xlsx": "all tables in one workbook",
    "mos.tex": "tables of scores and effects for LaTeX",
    "methods.txt": "a paragraph for the method section of a paper",
    "report.html": "answer, tables, plots and method on one page",
    "reproduce.py": "computes mos.csv again from ratings.csv: run it in this folder",
    "reproduce.R": "the same in R",
    "sureal_*.json": "one question's ratings for Netflix's SUREAL",
    "sujson.json": "the ratings for suJSON",
    "p910_matrix_*.csv": "images (rows as in mos.csv) by participants (columns as in observers.csv), nan where missing",
    "psych-ds/*": "ratings, images and people as a Psych-DS dataset",
    **_LAST,
}
OF_PAIRS: Final[Lines] = {
    "choices.csv": "one row a choice between two images, as shown: first, second, answer",
    "choices.parquet": "the same as Parquet",
    "choices_excluded.csv": "choices of the people who were left out; no other file counts them",
    "scores.csv": "one row an image: wins, ties, losses, Bradley-Terry score (log odds), 95 % interval",
    "conditions.csv": "the same for conditions",
    "pairs.csv": "one row a pair: how often each was chosen, sign test, p adjusted by Holm",
    **_SHARED,
    "results.json": "all tables, the summary, the stamp and the study's definition as one JSON file",
    "results.xlsx": "all tables in one workbook",
    "methods.txt": "a paragraph for the method section of a paper",
    **_LAST,
}


def readme(lines: Lines, files: Iterable[str], title: str, *remarks: str) -> bytes:
    """Return README.txt: the title, remarks, and a line for each of `files` and for README.txt and SHA256SUMS.

    Files of one pattern, such as the plots, share a line.
    """
    present = [*files, "README.txt", "SHA256SUMS"]
    used = {
        pattern: words
        for pattern, words in lines.items()
        if any(fnmatchcase(name, pattern) for name in present)
    }
    width = max(map(len, used)) + 2
    listed = [f"{pattern.ljust(width)}{words}" for pattern, words in used.items()]
    return "\n".join([title, *filter(None, remarks), "", *listed, ""]).encode()
