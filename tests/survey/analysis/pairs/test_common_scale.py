"""Choices and ratings on one scale: what was put in comes out, and numbers agree with independent fits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import norm

from survey.analysis.pairs.common_scale import STEP, _coded, _likelihood, common_scale
from survey.analysis.scale import ACR, Scale
from survey.analysis.table import TableError

ITEMS = [f"i{n}" for n in range(8)]
QUALITY = np.linspace(-2.5, 2.5, 8)
CUTS = np.array([-1.6, -0.6, 0.3, 1.4])
SLOPE = 0.8


def answers(people: int = 60, seed: int = 1, odd: float = 0.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return choices and ratings of the same items; `odd` moves the first one in the ratings alone."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        for _ in range(12):
            i, j = rng.choice(8, 2, replace=False)
            gap = QUALITY[i] - QUALITY[j] + STEP * rng.normal()
            answer = "tie" if abs(gap) < 0.1 else "first" if gap > 0 else "second"
            rows.append((f"p{person}", ITEMS[i], ITEMS[j], answer))
    latent = SLOPE * (QUALITY + odd * (np.arange(8) == 0)) + rng.normal(size=(people, 8))
    rating = 1 + (latent[:, :, None] > CUTS).sum(axis=2)
    ratings = [(f"p{p}", ITEMS[i], rating[p, i]) for p in range(people) for i in range(8)]
    return (
        pd.DataFrame(rows, columns=["participant", "first", "second", "answer"]),
        pd.DataFrame(ratings, columns=["participant", "item", "rating"]),
    )


def test_what_both_were_drawn_from_comes_out():
    found = common_scale(*answers(), ACR)
    assert found.items["item"].tolist() == ITEMS
    assert found.items["quality"].to_numpy() == pytest.approx(QUALITY, abs=0.45)
    assert found.summary["noise"] == pytest.approx(1 / SLOPE, rel=0.15)
    assert found.summary["correlation"] > 0.97
    assert found.summary["apart"] == []


def test_one_step_is_three_of_four_people():
    assert norm.cdf(1 / STEP) == pytest.approx(0.75)


def test_the_slope_of_each_answer_is_that_of_the_likelihood():
    both = _coded(*answers(4), ITEMS)
    at = np.concatenate([QUALITY, [0.2], [-1.0], np.log([0.8, 0.9, 1.2])])
    assert both.cuts == 4

    def value(x: np.ndarray) -> float:
        return _likelihood(x, both, True)[0]

    numeric = approx_fprime(at, value, 1e-6)
    assert _likelihood(at, both, True)[1].sum(axis=0) == pytest.approx(numeric, abs=1e-3)


def test_both_together_are_surer_than_each_alone():
    few = answers(12)
    width = [common_scale(*answers(n), ACR).items.eval("ci_high - ci_low").mean() for n in (12, 48)]
    assert width[1] < 0.65 * width[0]
    found = common_scale(*few, ACR).items
    between = found["quality"].between(
        found[["by_pairs", "by_ratings"]].min(axis=1) - 0.3,
        found[["by_pairs", "by_ratings"]].max(axis=1) + 0.3,
    )
    assert between.all()


def test_choices_within_contents_say_nothing_across_them():
    """Two contents that never met: the ratings alone say how far apart they are, and that is no disagreement."""
    choices, ratings = answers(80)
    half = {item: n < 4 for n, item in enumerate(ITEMS)}
    choices = choices[choices["first"].map(half) == choices["second"].map(half)]
    found = common_scale(choices, ratings, ACR)
    assert found.items["group"].tolist() == ["i0"] * 4 + ["i4"] * 4
    assert found.items["quality"].to_numpy() == pytest.approx(QUALITY, abs=0.5)
    assert found.items.groupby("group")[["by_pairs", "by_ratings"]].mean().abs().max(axis=None) < 1e-9
    assert found.summary["apart"] == []
    assert found.summary["correlation"] > 0.9


def test_an_image_that_the_two_questions_place_differently_is_named():
    found = common_scale(*answers(odd=3.0), ACR)
    assert "i0" in found.summary["apart"]
    assert "i0" in found.summary["sentence"]
    assert found.items["difference"].iloc[0] > 1


@pytest.mark.slow
def test_intervals_hold_the_truth_about_as_often_as_they_say():
    held = []
    for seed in range(12):
        items = common_scale(*answers(20, seed), ACR).items
        held.append(((items["ci_low"] <= QUALITY) & (items["ci_high"] >= QUALITY)).mean())
    assert np.mean(held) > 0.85


def test_an_image_that_always_wins_and_is_always_excellent_stays_on_the_scale():
    choices, ratings = answers(10)
    best = pd.DataFrame([("x", "best", item, "first") for item in ITEMS], columns=choices.columns)
    top = pd.DataFrame([(f"p{n}", "best", 5) for n in range(10)], columns=ratings.columns)
    found = common_scale(pd.concat([choices, best]), pd.concat([ratings, top]), ACR).items
    assert found.set_index("item")["quality"].idxmax() == "best"
    assert np.isfinite(found[["quality", "ci_low", "ci_high"]].to_numpy()).all()


def test_what_gives_no_scale_is_refused_with_the_reason():
    choices, ratings = answers(10)
    with pytest.raises(TableError, match="4 images were both"):
        common_scale(choices, ratings[ratings["item"].isin(ITEMS[:4])], ACR)
    with pytest.raises(TableError, match="two or more people"):
        common_scale(choices, ratings[ratings["participant"] == "p1"], ACR)
    with pytest.raises(TableError, match="all ratings are equal"):
        common_scale(choices, ratings.assign(rating=3), ACR)


SLIDER = Scale(0, 100, None)


def on_a_slider(ratings: pd.DataFrame, seed: int = 5) -> pd.DataFrame:
    """The same opinions, on a slider: latent values of the same model, squeezed into 0 to 100."""
    rng = np.random.default_rng(seed)
    place = ratings["item"].map({item: n for n, item in enumerate(ITEMS)}).to_numpy()
    return ratings.assign(rating=100 * norm.cdf((SLOPE * QUALITY[place] + rng.normal(size=len(place))) / 2))


def test_a_slider_gives_the_qualities_that_it_was_drawn_from():
    choices, ratings = answers()
    found = common_scale(choices, on_a_slider(ratings), SLIDER)
    assert found.items["quality"].to_numpy() == pytest.approx(QUALITY, abs=0.45)
    assert found.summary["noise"] == pytest.approx(1 / SLOPE, rel=0.15)
    assert found.summary["classes"] == 10


def test_only_the_order_of_a_sliders_values_counts():
    choices, ratings = answers(20)
    slider = on_a_slider(ratings)
    found = common_scale(choices, slider, SLIDER)
    bent = common_scale(choices, slider.assign(rating=slider["rating"] ** 2 / 100), SLIDER)
    pd.testing.assert_frame_equal(found.items, bent.items)


def test_a_slider_that_many_push_to_its_end_keeps_equal_values_together():
    choices, ratings = answers(20)
    slider = on_a_slider(ratings)
    pushed = slider.assign(rating=slider["rating"].clip(40, 60))
    found = common_scale(choices, pushed, SLIDER)
    assert 2 <= found.summary["classes"] < 10
    assert np.isfinite(found.items["quality"]).all()


def test_many_categories_are_cut_and_few_are_kept():
    choices, ratings = answers(20)
    whole = on_a_slider(ratings).round({"rating": 0})
    assert common_scale(choices, whole, Scale(0, 100, 1)).summary["classes"] == 10
    assert common_scale(choices, ratings, ACR).summary["classes"] == 0
