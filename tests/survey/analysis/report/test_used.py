"""The method section explains what an analysis holds, and nothing else."""

from __future__ import annotations

import pytest

from survey.analysis import analyse, check
from survey.analysis.report.used import _held, glossary_of
from survey.analysis.report.words import GLOSSARY
from survey.analysis.scale import Scale
from tests.survey.exports.studies import ratings_frame


def terms(analysis) -> set[str]:
    return {entry.term for entry in glossary_of(analysis)}


@pytest.fixture(scope="module")
def plain():
    return analyse(ratings_frame())


def test_a_plain_study_has_no_word_on_groups_factors_references_or_traps(plain):
    lacking = {
        "groups",
        "covariates",
        "effects of factors",
        "DMOS",
        "gold, trap, repeats",
        "condition mean",
        "letters",
    }
    assert terms(plain).isdisjoint(lacking)
    assert terms(plain) >= {
        "MOS",
        "SD",
        "95 % CI",
        "Wilcoxon, Holm",
        "GoB, PoW",
        "Krippendorff's α",
        "BT.500 screening",
    }


def test_what_a_study_has_is_explained():
    frame = ratings_frame()
    number = frame["item"].str.removeprefix("item").astype(int)
    frame["condition"] = number.mod(2).map({0: "weak", 1: "strong"})
    frame["group"] = frame["participant"].map(lambda name: "a" if name < "p4" else "b")
    frame["reference"] = number.map(lambda one: "item000" if one else None)
    assert terms(analyse(frame)) >= {"condition mean", "letters", "groups", "DMOS"}


def test_the_scale_is_that_of_the_ratings(plain):
    (mos,) = (entry for entry in glossary_of(plain) if entry.term == "MOS")
    assert mos.sentence.endswith("The scale is 1 to 5.")
    frame = ratings_frame().assign(rating=lambda rows: rows["rating"] * 2)
    other = analyse(check(frame, scale=Scale(0, 10, 1)))
    assert "The scale is 0 to 10." in glossary_of(other)[0].sentence
    assert "GoB, PoW" not in terms(other)


def test_only_terms_of_the_glossary_are_asked_for(plain):
    assert set(_held(next(iter(plain.questions.values())))) <= {entry.term for entry in GLOSSARY}
