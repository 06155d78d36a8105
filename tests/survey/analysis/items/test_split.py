"""Votes in two camps: the distribution, the valley, the test and its words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from survey.analysis import analyse, check
from survey.analysis.items.gsd import grid_of, probabilities, valley
from survey.analysis.items.split import split_votes
from survey.analysis.scale import ACR, parse_scale


def split(*counts, scale=ACR):
    names = np.array([f"image {i}" for i in range(len(counts))], dtype=object)
    return split_votes(names, np.array(counts), scale)


def test_the_distribution_has_the_chances_of_the_authors_program():
    chances = probabilities(np.array(3.2), np.array(0.8), 5)
    np.testing.assert_allclose(chances, [0.03755, 0.18357, 0.40401, 0.29109, 0.08379], atol=5e-6)


@pytest.mark.parametrize("categories", [3, 5, 9])
def test_mean_and_variance_are_those_that_psi_and_rho_stand_for(categories):
    grid = grid_of(categories)
    places = np.arange(1, categories + 1)
    mean = grid.chances @ places
    variance = grid.chances @ places**2 - mean**2
    psi, rho = grid.psi[:, None], grid.rho[None, :]
    widest, narrowest = (psi - 1) * (categories - psi), (np.ceil(psi) - psi) * (psi - np.floor(psi))
    np.testing.assert_allclose(grid.chances.sum(axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose(mean, np.broadcast_to(psi, mean.shape), rtol=1e-9)
    np.testing.assert_allclose(variance, rho * narrowest + (1 - rho) * widest, atol=1e-9)


def test_a_fit_is_that_of_the_authors_program():
    row = split([0, 12, 13, 4, 0]).table.iloc[0]
    # Theirs has the mean 2.627 from a finer search.
    assert (row["psi"], row["rho"]) == (2.63, 0.90)


def one_peak_by_trying(counts):
    """The best log likelihood of shares with one peak, on a fine grid of three categories."""
    a, b = np.meshgrid(np.linspace(0.001, 0.998, 998), np.linspace(0.001, 0.998, 998))
    c = 1 - a - b
    possible = (c > 0) & ~((b < a) & (c > b))
    shares = np.stack([a, b, c])[:, possible]
    return (np.array(counts)[:, None] * np.log(shares)).sum(axis=0).max()


@pytest.mark.parametrize("counts", [[7, 2, 5], [5, 1, 9], [4, 8, 3], [9, 3, 3]])
def test_a_valley_is_what_one_peak_cannot_explain(counts):
    row = np.array(counts)
    own = (row * np.log(row / row.sum())).sum()
    assert valley(row[None])[0] == pytest.approx(own - one_peak_by_trying(counts), abs=1e-3)


def test_each_image_has_its_own_valley_wherever_it_stands():
    rows = np.array([[6, 3, 3, 3, 6], [0, 2, 10, 7, 1], [8, 2, 0, 2, 8], [6, 3, 3, 3, 6], [2, 0, 9, 0, 2]])
    assert valley(rows).tolist() == [valley(row[None])[0] for row in rows]
    assert len(set(valley(rows))) == 4


def test_votes_of_the_two_ends_alone_split():
    found = split([10, 0, 0, 0, 10], [0, 2, 10, 7, 1])
    assert found.camps == {"image 0": "10 votes at 1, 10 votes at 5"}
    assert found.table["p_holm"][0] < 0.001
    assert found.sentences == [
        "Votes on 1 of 2 images split into two camps more than chance allows: “image 0”. Read its mean with care."
    ]


def test_votes_with_one_peak_never_split():
    found = split([20, 0, 0, 0, 0], [0, 10, 10, 0, 0], [1, 4, 10, 4, 1], [8, 5, 4, 2, 1], [4, 4, 4, 4, 4])
    assert (found.table["p"] == 1).all()
    assert found.sentences == ["No image's votes split into two camps more than chance allows."]


def test_a_few_odd_votes_are_no_camp():
    row = split([0, 0, 20, 0, 4]).table.iloc[0]
    assert row["p_holm"] < 0.05
    assert not row["split"]


def test_a_deeper_valley_is_less_likely():
    depth = np.array([[6, 3, 3, 3, 6], [7, 2, 2, 3, 7], [8, 2, 1, 2, 8], [8, 2, 0, 2, 8]])
    assert (np.diff([split(row).table["p"][0] for row in depth]) < 0).all()


def test_people_of_one_opinion_have_no_camps():
    rng = np.random.default_rng(0)
    said = []
    for _ in range(20):
        votes = np.rint(rng.uniform(1.3, 4.7, (30, 1)) + rng.normal(0, 0.9, (30, 24)))
        counts = [np.bincount(np.clip(row, 1, 5).astype(int), minlength=6)[1:] for row in votes]
        said.append(bool(split(*counts).camps))
    assert sum(said) <= 1


def test_images_of_few_votes_are_not_tested_and_say_so():
    found = split([3, 0, 0, 0, 3], [0, 5, 5, 2, 0])
    assert found.table["note"].tolist() == ["not tested: fewer than 10 votes", ""]
    assert found.sentences[1] == "Not tested, with fewer than 10 votes: 1 of 2 images."
    assert split([1, 0, 0, 0, 2]).sentences == [
        "Whether votes split into two camps was not tested: no image has votes of 10 people."
    ]


@pytest.mark.parametrize(
    ("scale", "why"),
    [
        ("0:100:0", "the scale is continuous"),
        ("0:100:1", "the scale has more than 11 categories"),
        ("0:1", "the scale has fewer than 3 categories"),
    ],
)
def test_a_scale_without_room_for_camps_is_named(scale, why):
    rows = pd.DataFrame(
        {"participant": np.arange(24) % 12, "item": np.arange(24) // 12, "rating": np.arange(24) % 2}
    )
    found = analyse(check(rows, scale=parse_scale(scale))).split_votes.result
    assert found.sentences == [f"Whether votes split into two camps was not tested: {why}."]
    assert (found.table["note"] == f"not tested: {why}").all()


def test_half_points_have_camps_in_their_own_numbers():
    counts = np.zeros(9, np.int64)
    counts[[0, 1, 7, 8]] = 2, 9, 9, 2
    found = split(counts, scale=parse_scale("1:5:0.5"))
    assert found.camps == {"image 0": "11 votes at 1 to 1.5, 11 votes at 4.5 to 5"}


def test_a_person_who_rates_again_counts_once():
    rows = pd.DataFrame({"participant": np.arange(12), "item": "a", "rating": [1, 5] * 6})
    once = analyse(rows).split
    again = analyse(pd.concat([rows, rows.assign(rating=3)], ignore_index=True)).split
    assert once is not None
    assert again is not None
    pd.testing.assert_frame_equal(once, again)
    assert once["n"].tolist() == [12]
