"""Each statistic that the results page and the report show has its sentence and its source."""

from __future__ import annotations

import pytest

from survey.analysis import analyse
from survey.analysis.effects import EFFECT_COLUMNS
from survey.analysis.participants.rules import RULES
from survey.analysis.report.headlines import headlines
from survey.analysis.report.words import GLOSSARY
from tests.survey.exports.studies import ratings_frame

TERMS = {entry.term for entry in GLOSSARY}

#: What names or counts rather than measures.
PLAIN = {
    "item",
    "question",
    "participant",
    "condition",
    "reference",
    "content",
    "a",
    "b",
    "n",
    "items",
    "participants",
    "n_nonzero",
    "ci_method",
    "rule",
    "value",
    "threshold",
    "verdict",
    "detail",
}
#: The entry that explains each column of each table.
COLUMNS = {
    "MOS": ["mos", "mean"],
    "SD": ["sd"],
    "95 % CI": ["ci_low", "ci_high"],
    "bounded CI": ["bounded_low", "bounded_high"],
    "median, 1 … 5": ["median", "n1", "n2", "n3", "n4", "n5"],
    "GoB, PoW": ["gob", "pow"],
    "condition mean": ["naive_low", "naive_high", "too_narrow"],
    "bootstrap, mixed model": ["bootstrap_low", "bootstrap_high", "mixed_mean", "mixed_low", "mixed_high"],
    "letters": ["letters"],
    "Wilcoxon, Holm": ["difference", "w", "p", "p_holm", "rank_biserial"],
    "DMOS": ["dmos"],
    "panels": ["everyone", "screened", "model", "rank_everyone", "rank_screened", "rank_model"],
    "P.913 correlation": ["correlation", "p913_correlation_rejected"],
    "BT.500 screening": ["bt500_rejected"],
    "bias, inconsistency": ["bias", "inconsistency"],
    "recovered quality": ["quality"],
    "two camps": ["psi", "rho", "valley", "split", "camps"],
}
COLUMNS["effects of factors"] = [
    column
    for column in EFFECT_COLUMNS
    if not any(column in columns for columns in [PLAIN, *COLUMNS.values()])
]
HEADLINES = {
    "SOS a": "SOS a",
    "Krippendorff's α, ordinal": "Krippendorff's α",
    "Krippendorff's α, interval": "Krippendorff's α",
    "ICC(2,1)": "ICC(2,1), ICC(2,k)",
    "ICC(2,k)": "ICC(2,1), ICC(2,k)",
    "Kendall's W": "Friedman, Kendall's W",
    "Friedman p": "Friedman, Kendall's W",
}


@pytest.fixture(scope="module")
def analysis():
    frame = ratings_frame(items=6, people=8)
    number = frame["item"].str.removeprefix("item").astype(int)
    names = frame["item"].where(number % 2 == 1, None)
    frame["condition"] = number.mod(3).map({0: "weak", 1: "medium", 2: "strong"})
    frame["reference"] = names.map(lambda name: "item000" if isinstance(name, str) else None)
    return analyse(frame)


def test_every_column_is_explained(analysis):
    explained = {column for columns in COLUMNS.values() for column in columns}
    shown = {
        column for name, table in analysis.tables().items() if name != "observer_model" for column in table
    }
    assert "dmos" in shown
    assert "letters" in shown
    assert shown - PLAIN - explained == set()
    assert explained - shown == set()


def test_every_headline_is_explained(analysis):
    labels = {headline.label for headline in headlines(analysis.summary)}
    assert labels - {"Items", "Participants", "Ratings"} == set(HEADLINES)


def test_every_screening_rule_is_explained():
    assert {rule.term for rule in RULES.values()} <= TERMS


def test_the_entries_are_there():
    assert {*COLUMNS, *HEADLINES.values()} - TERMS == set()


@pytest.mark.parametrize("entry", GLOSSARY, ids=lambda entry: entry.term)
def test_every_entry_is_a_sentence_with_a_source(entry):
    assert entry.sentence.endswith((".", "1."))
    assert entry.source
