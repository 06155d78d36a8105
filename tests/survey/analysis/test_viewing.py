"""How large people saw the images, from their screens' pixels and distances."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from survey.analysis.viewing import median_interval, pixels_per_degree, viewing


def test_pixels_of_a_degree_are_those_of_geometry():
    # 57.29 cm away a degree is a centimetre on the screen: 2 × 57.29 × tan 0.5° = 1.00.
    assert pixels_per_degree(57.29, 4.0) == pytest.approx(40.0, rel=1e-4)
    # A display of 96 pixels an inch at 60 cm.
    assert pixels_per_degree(60, 96 / 25.4) == pytest.approx(39.58, abs=0.01)


@pytest.mark.parametrize(("n", "rank"), [(6, 1), (8, 1), (9, 2), (10, 2), (20, 6), (35, 12), (50, 18)])
def test_a_medians_interval_has_the_ranks_of_the_tables(n, rank):
    # Ranks of Conover's and Dixon and Massey's tables for 95 %.
    assert median_interval(range(1, n + 1)) == (rank, n + 1 - rank)
    assert stats.binom.cdf(rank - 1, n, 0.5) <= 0.025 < stats.binom.cdf(rank, n, 0.5)


@pytest.mark.parametrize("n", range(6))
def test_fewer_than_six_people_have_no_interval(n):
    assert median_interval(range(n)) is None


def ratings_of(people, bias):
    """Return ratings of four images by people who rate them so much higher."""
    return pd.DataFrame(
        [
            {
                "participant": person,
                "item": item,
                "question": "q",
                "rating": 3 + item / 4 + bias[person],
                "shown_w": 400.0,
            }
            for person in people
            for item in range(4)
        ]
    )


def people_of(pixels):
    return pd.DataFrame({"participant": list(pixels), "pixels_per_degree": list(pixels.values())}).astype(
        {"pixels_per_degree": float}
    )


def test_the_figures_are_those_of_whose_pixels_are_known():
    found = viewing(
        people_of({"a": 20, "b": 30, "c": 40, "d": None}), ratings_of("abc", dict.fromkeys("abc", 0))
    )
    assert found
    assert (found.asked, found.known, found.median, found.interval, found.quartiles) == (
        4,
        3,
        30,
        None,
        (25, 35),
    )
    assert found.degrees == pytest.approx(400 / 30)
    assert found.rho is None


def test_nothing_is_said_where_nothing_is_known():
    assert viewing(people_of({"a": None})) is None


def test_the_link_is_spearmans_with_its_interval():
    rng = np.random.default_rng(1)
    people = [f"p{n}" for n in range(40)]
    pixels = dict(zip(people, rng.uniform(20, 60, 40), strict=True))
    bias = {person: -0.02 * pixels[person] + rng.normal(0, 0.2) for person in people}
    found = viewing(people_of(pixels), ratings_of(people, bias))
    assert found
    assert found.rho == pytest.approx(stats.spearmanr(list(pixels.values()), list(bias.values())).statistic)
    assert found.rho_interval
    low, high = found.rho_interval
    assert low < found.rho < high < 0


def test_a_perfect_link_has_an_interval_within_bounds():
    people = [f"p{n}" for n in range(12)]
    pixels = {person: 20.0 + n for n, person in enumerate(people)}
    found = viewing(people_of(pixels), ratings_of(people, {p: pixels[p] / 50 for p in people}))
    assert found
    assert found.rho == pytest.approx(1)
    assert found.rho_interval
    assert -1 <= found.rho_interval[0] <= found.rho_interval[1] <= 1
