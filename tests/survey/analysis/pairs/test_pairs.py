from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from survey.analysis import TableError
from survey.analysis.pairs.pairs import bradley_terry

TRUTH = np.array([-0.8, 0.0, 0.2, 0.6])


def choices(seed: int = 0, n: int = 1500, tie: float | None = -0.5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 4, n)
    second = (first + rng.integers(1, 4, n)) % 4
    middle = (TRUTH[first] + TRUTH[second]) / 2 + (-np.inf if tie is None else tie)
    utility = np.stack([TRUTH[first], TRUTH[second], middle], axis=1) + rng.gumbel(size=(n, 3))
    names = np.array(["a", "b", "c", "d"], dtype=object)
    return pd.DataFrame(
        {
            "participant": [f"p{k}" for k in rng.integers(0, 40, n)],
            "first": names[first],
            "second": names[second],
            "answer": np.array(["first", "second", "tie"])[utility.argmax(axis=1)],
        }
    )


def test_without_ties_it_is_a_logistic_regression():
    table = choices(tie=None)
    signed = pd.get_dummies(table["first"]).astype(float) - pd.get_dummies(table["second"]).astype(float)
    theirs = sm.Logit(table["answer"] == "first", signed.drop(columns="a")).fit(disp=False).params
    expected = np.array([0, *theirs])
    ours = bradley_terry(table)
    np.testing.assert_allclose(ours.items["score"], expected - expected.mean(), atol=1e-8)
    assert np.isnan(ours.tie)


def test_davidsons_ties_are_a_loglinear_model():
    table = choices()
    counts = table.groupby(["first", "second", "answer"]).size().rename("n").reset_index()
    design = pd.DataFrame(0.0, counts.index, ["b", "c", "d", "tie"])
    for row, (first, second, answer) in enumerate(
        zip(counts["first"], counts["second"], counts["answer"], strict=True)
    ):
        for item, share in ((first, {"first": 1, "tie": 0.5}), (second, {"second": 1, "tie": 0.5})):
            if item != "a":
                design.loc[row, item] = share.get(answer, 0)
        design.loc[row, "tie"] = float(answer == "tie")
    pairs = pd.get_dummies(counts["first"] + counts["second"]).astype(float)
    theirs = sm.GLM(counts["n"], pd.concat([design, pairs], axis=1), sm.families.Poisson()).fit().params
    expected = np.array([0, *theirs[["b", "c", "d"]]])
    ours = bradley_terry(table)
    np.testing.assert_allclose(ours.items["score"], expected - expected.mean(), atol=1e-6)
    assert ours.tie == pytest.approx(theirs["tie"], abs=1e-6)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    truth = TRUTH - TRUTH.mean()
    held = [
        (scores["ci_low"].to_numpy() <= truth) & (truth <= scores["ci_high"].to_numpy())
        for scores in (bradley_terry(choices(seed, 400)).items for seed in range(40))
    ]
    assert 0.88 <= np.mean(held) <= 0.99


def test_wins_ties_and_losses_are_counted():
    table = bradley_terry(choices()).items
    assert (table["wins"] + table["ties"] + table["losses"] == table["n"]).all()
    assert table["wins"].sum() == table["losses"].sum()


def test_swapping_the_sides_changes_nothing():
    table = choices()
    answers = table["answer"].map({"first": "second", "second": "first", "tie": "tie"})
    swapped = table.assign(first=table["second"], second=table["first"], answer=answers)
    np.testing.assert_allclose(
        bradley_terry(table).items["score"], bradley_terry(swapped).items["score"], atol=1e-9
    )


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([("p", "a", "b", "first")], "do not place"),
        ([("p", "a", "b", "left")], "answer 'left' is not one of"),
        ([("p", "a", "a", "first")], "compared with itself"),
    ],
)
def test_it_refuses_what_has_no_scores(table, words):
    with pytest.raises(TableError, match=words):
        bradley_terry(pd.DataFrame(table, columns=["participant", "first", "second", "answer"]))


def test_it_names_a_missing_column():
    with pytest.raises(TableError, match="no column 'answer'"):
        bradley_terry(choices().drop(columns="answer"))


def test_ties_alone_have_no_scores():
    table = choices(n=20).assign(answer="tie")
    with pytest.raises(TableError, match="every choice is a tie"):
        bradley_terry(table)
