from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import linprog

from survey.analysis import TableError
from survey.analysis.pairs.gain import belief
from survey.analysis.pairs.pairs import bradley_terry, score_variance

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


# Worse are c10 and c14, the others better by twice the log odds of a tie, whatever these are: the more, the likelier.
WITHOUT_MAXIMUM = [
    ("c10", "c11", "second"),
    ("c13", "c11", "tie"),
    ("c14", "c13", "second"),
    ("c14", "c10", "tie"),
    ("c11", "c12", "tie"),
    ("c11", "c14", "tie"),
    ("c12", "c10", "first"),
    ("c14", "c12", "second"),
    ("c10", "c13", "tie"),
    ("c14", "c11", "second"),
    ("c12", "c14", "tie"),
]


def test_choices_that_scores_ever_further_apart_fit_better_have_no_scores():
    table = pd.DataFrame(WITHOUT_MAXIMUM, columns=["first", "second", "answer"])
    table = table.assign(participant=[f"p{number % 4}" for number in range(len(table))])
    with pytest.raises(TableError, match="do not determine the scores: ties and preferences"):
        bradley_terry(table)
    assert np.isfinite(bradley_terry(table, 1.0).items["score"]).all()


@pytest.mark.slow
def test_it_has_scores_wherever_the_likelihood_has_a_maximum():
    rng, seen = np.random.default_rng(0), Counter[bool]()
    for _ in range(150):
        table = _tied_choices(rng)
        try:
            bradley_terry(table)
            has_scores = True
        except TableError as error:
            if "determine" not in str(error):
                continue
            has_scores = False
        seen[has_scores] += 1
        assert has_scores == _has_maximum(table)
    assert min(seen.values()) > 20


def _tied_choices(rng: np.random.Generator) -> pd.DataFrame:
    """Return few choices between few items, many of them ties."""
    items = rng.integers(2, 7)
    count = rng.integers(items, 6 * items)
    first = rng.integers(0, items, count)
    second = (first + rng.integers(1, items, count)) % items
    score = rng.normal(0, 2, items)
    better = rng.random(count) < 1 / (1 + np.exp(score[second] - score[first]))
    answer = np.where(rng.random(count) < 0.5, "tie", np.where(better, "first", "second"))
    people = rng.integers(0, 5, count).astype(str)
    return pd.DataFrame(
        {"participant": people, "first": first.astype(str), "second": second.astype(str), "answer": answer}
    )


def _has_maximum(table: pd.DataFrame) -> bool:
    """By a linear program: no change of scores and ties favours some answers that were given, and opposes none."""
    names = sorted({*table["first"], *table["second"]})
    rows = []
    for first, second, answer in table[["first", "second", "answer"]].itertuples(index=False):
        one, other, tie = np.zeros((3, len(names) + 1))
        one[names.index(first)] = other[names.index(second)] = tie[-1] = 1
        tie += (one + other) / 2
        given = {"first": one, "second": other, "tie": tie}
        rows += [given[answer] - utility for name, utility in given.items() if name != answer]
    favours = np.array(rows)
    found = linprog(
        -favours.sum(axis=0),
        A_ub=np.vstack([-favours, favours]),
        b_ub=np.repeat([0.0, 1.0], len(favours)),
        bounds=(None, None),
    )
    return bool(-found.fun < 1e-6)


def test_an_error_of_0_is_no_interval():
    table = choices(n=40, tie=None)
    twice = pd.concat([table.assign(participant="p1"), table.assign(participant="p2")])
    items = bradley_terry(twice).items
    assert items[["ci_low", "ci_high"]].isna().all(axis=None)


def test_it_names_a_missing_column():
    with pytest.raises(TableError, match="no column 'answer'"):
        bradley_terry(choices().drop(columns="answer"))


def test_ties_alone_have_no_scores():
    table = choices(n=20).assign(answer="tie")
    with pytest.raises(TableError, match="every choice is a tie"):
        bradley_terry(table)


def test_penalised_scores_are_those_by_which_pairs_are_drawn():
    table = choices(tie=None, n=60)
    wins = np.zeros((4, 4))
    place = {name: i for i, name in enumerate("abcd")}
    for first, second, answer in table[["first", "second", "answer"]].itertuples(index=False):
        better, worse = (first, second) if answer == "first" else (second, first)
        wins[place[better], place[worse]] += 1
    found = belief(wins)
    assert score_variance(table) == pytest.approx(found.variance)
    scores = bradley_terry(table, found.variance).items["score"]
    np.testing.assert_allclose(scores, found.scores - found.scores.mean(), atol=2e-3)


def test_a_penalty_places_an_image_that_was_never_beaten():
    table = choices(n=80)
    table = table[(table["first"] != "d") & (table["second"] != "d")]
    best = pd.DataFrame({"participant": ["p1", "p2"], "first": "d", "second": ["a", "b"], "answer": "first"})
    table = pd.concat([table, best], ignore_index=True)
    with pytest.raises(TableError, match="do not place"):
        bradley_terry(table)
    items = bradley_terry(table, score_variance(table)).items.set_index("item")
    assert np.isfinite(items[["score", "ci_low", "ci_high"]].to_numpy()).all()
    assert items["score"].idxmax() == "d"
    assert (items["ci_high"] - items["ci_low"]).idxmax() == "d"


def test_a_penalty_that_says_nothing_changes_nothing():
    table = choices()
    plain, penalised = bradley_terry(table), bradley_terry(table, 1e9)
    np.testing.assert_allclose(penalised.items["score"], plain.items["score"], atol=1e-6)
    width, wider = (fit.items.eval("ci_high - ci_low") for fit in (plain, penalised))
    assert ((width < wider) & (wider < 1.4 * width)).all()
    assert penalised.tie == pytest.approx(plain.tie)
