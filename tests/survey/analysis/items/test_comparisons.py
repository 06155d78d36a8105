from __future__ import annotations

from collections import Counter
from fractions import Fraction
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.stats.multitest import multipletests

from survey.analysis.items.comparisons import (
    COLUMNS,
    MAX_EXACT,
    MAX_ITEMS,
    compact_letters,
    compare,
    compare_items,
    friedman,
    holm,
    signed_ranks,
)
from survey.analysis.items.ordinal import ordered_probit, ordinal_check
from survey.analysis.planning.simulation import simulate
from tests.survey.analysis.tables import coded, few, rows, study

DIFFERENCES = st.lists(
    st.sampled_from([-4, -3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4]), min_size=1, max_size=60
)


def p_by_counting(differences: list[float]) -> float:
    """Two-sided p of the rank sum over all choices of signs, in whole numbers: twice mid-ranks are whole."""
    d = np.array([x for x in differences if x])
    ranks = [int(r) for r in 2 * stats.rankdata(np.abs(d))]
    ways = Counter({0: 1})
    for rank in ranks:
        ways = ways + Counter({total + rank: times for total, times in ways.items()})
    plus = sum(rank for rank, x in zip(ranks, d, strict=True) if x > 0)
    tails = [
        sum(t for w, t in ways.items() if keep(w)) for keep in (lambda w: w <= plus, lambda w: w >= plus)
    ]
    return float(min(Fraction(1), Fraction(2 * min(tails), 2 ** len(ranks))))


@given(DIFFERENCES)
@few
def test_the_signed_rank_test_is_exact_with_ties_and_zeros(differences):
    ours = signed_ranks(np.array([differences], dtype=float))
    if not any(differences):
        assert ours.p[0] == 1
        return
    assert ours.w[0] == stats.wilcoxon(differences, method="approx").statistic
    assert ours.n_nonzero[0] == np.count_nonzero(differences)
    if ours.n_nonzero[0] <= MAX_EXACT:
        assert ours.p[0] == pytest.approx(p_by_counting(differences), abs=1e-14)


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([1, 1, 2, 3, 4], 0.0625),
        ([1, 1, 1, -1, 2, 0, 0], 0.3125),
        ([2, 2, 1, -1, 3, 1, 0, 1, 2, -1], 0.0625),
        ([1] * 10 + [-1] * 3 + [0] * 5, 0.09228515625),
        ([1, 1, 1, 1] + [0] * 16, 0.125),
    ],
)
def test_signed_ranks_of_known_answers(differences, p):
    assert signed_ranks(np.array([differences], dtype=float)).p[0] == p


def test_beyond_fifty_pairs_that_differ_p_is_normal_with_the_correction_for_ties():
    rng = np.random.default_rng(0)
    differences = rng.choice([-2, -1, 1, 2, 3], MAX_EXACT + 1).astype(float)
    theirs = stats.wilcoxon(differences, correction=False, method="approx").pvalue
    assert signed_ranks(differences[None]).p[0] == pytest.approx(theirs, abs=1e-12)


def test_means_in_thirds_tie_where_they_are_equal():
    # 4/3 - 1 and 5/3 - 4/3 are both a third, but not as floats.
    lines = []
    for person, (x, y) in enumerate([((1, 1, 2), (1, 1, 1)), ((1, 2, 2), (1, 1, 2)), ((3, 3, 3), (1, 2, 3))]):
        lines += [f"p{person} x {r}" for r in x] + [f"p{person} y {r}" for r in y]
    table, _ = compare_items(coded(rows("\n".join(lines))))
    assert table.loc[0, "p"] == p_by_counting([1, 1, 3])
    assert table.loc[0, "difference"] == pytest.approx(5 / 9, abs=1e-15)


def test_denominators_too_large_for_whole_numbers_change_no_p(monkeypatch):
    rng = np.random.default_rng(3)
    lines = [
        f"p{person} {item} {rng.integers(1, 6)}"
        for person in range(9)
        for item in "xyz"
        for _ in range(int(rng.integers(1, 8)))
    ]
    ratings = coded(rows("\n".join(lines)))
    exact, _ = compare_items(ratings)
    monkeypatch.setattr("survey.analysis.items.means.LARGEST_WHOLE", 1.0)
    plain, _ = compare_items(ratings)
    pd.testing.assert_frame_equal(plain, exact)


@given(st.lists(st.integers(1, 900), min_size=1, max_size=40, unique=True))
@few
def test_without_ties_it_is_exact(sizes):
    """Differences are further apart than what counts as rounding."""
    signed = np.array(sizes) / 100 * np.where(np.arange(len(sizes)) % 3, 1, -1)
    assert signed_ranks(signed[None]).p[0] == pytest.approx(
        stats.wilcoxon(signed, method="exact").pvalue, abs=1e-12
    )


@given(DIFFERENCES)
@few
def test_turning_the_signs_turns_the_effect_and_keeps_p(differences):
    ours, turned = (signed_ranks(np.array([differences], float) * sign) for sign in (1, -1))
    np.testing.assert_allclose(ours.p, turned.p)
    np.testing.assert_allclose(ours.rank_biserial, -turned.rank_biserial)


def test_pairs_are_tested_over_the_participants_who_have_both():
    scores = np.array([[1, 2, np.nan], [2, 4, 1], [3, np.nan, 2], [1, 5, np.nan]])
    table = compare(scores, ["x", "y", "z"])
    assert list(table.columns) == list(COLUMNS)
    assert table[["a", "b", "n"]].to_numpy().tolist() == [["x", "y", 3], ["x", "z", 2], ["y", "z", 1]]
    assert table["difference"].tolist() == [pytest.approx(-7 / 3), 1, 3]
    expected = stats.ttest_rel([1, 2, 1], [2, 4, 5]).confidence_interval()
    np.testing.assert_allclose(table.loc[0, ["ci_low", "ci_high"]].astype(float), expected)


def test_pairs_that_nobody_rated_both_of_are_no_test():
    table = compare(np.array([[1, np.nan, 1], [np.nan, 2, 2], [2, np.nan, 3]]), ["x", "y", "z"])
    assert table["p"].isna().tolist() == [True, False, False]
    assert table["p_holm"].isna().tolist() == [True, False, False]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@few
def test_holm_is_statsmodels(p):
    # It would collect garbage, which takes half a second in a process that has run thousands of tests.
    with mock.patch("gc.collect"):
        theirs = multipletests(p, method="holm")[1]
    np.testing.assert_allclose(holm(np.array(p)), theirs, atol=1e-12)


def test_holm_leaves_what_was_not_tested_out_of_the_count():
    np.testing.assert_allclose(holm(np.array([0.01, np.nan, 0.04])), [0.02, np.nan, 0.04])


def test_more_items_than_the_cap_are_cut_and_it_says_so():
    ratings = coded(simulate(np.linspace(1, 5, MAX_ITEMS + 5), 4).table)
    table, remark = compare_items(ratings)
    assert len(table) == MAX_ITEMS * (MAX_ITEMS - 1) / 2
    assert f"first {MAX_ITEMS} of {MAX_ITEMS + 5} items" in remark


def test_friedman_is_scipys_and_needs_three_items_that_differ():
    scores = study().pivot(index="participant", columns="item", values="rating").to_numpy(float)
    ours, theirs = friedman(scores), stats.friedmanchisquare(*scores.T)
    assert ours is not None
    assert (ours.chi2, ours.p) == (theirs.statistic, theirs.pvalue)
    assert 0 <= ours.kendall_w <= 1
    assert friedman(scores[:, :2]) is None
    assert friedman(scores[:1]) is None
    assert friedman(np.full((4, 4), 3.0)) is None


def letters_of(pairs: set[frozenset[str]], names: str) -> dict[object, str]:
    rows = [
        (a, b, 0.01 if frozenset((a, b)) in pairs else 0.5)
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    ]
    return compact_letters(pd.DataFrame(rows, columns=["a", "b", "p_holm"]), list(names))


@given(st.sets(st.frozensets(st.sampled_from("abcdef"), min_size=2, max_size=2)))
@few
def test_two_share_a_letter_exactly_where_they_do_not_differ(different):
    letters = letters_of(different, "abcdef")
    for i, a in enumerate("abcdef"):
        for b in "abcdef"[i + 1 :]:
            assert bool(set(letters[a]) & set(letters[b])) == (frozenset((a, b)) not in different)
    assert letters["a"].startswith("a")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_ordered_probit_is_statsmodels(seed):
    rng = np.random.default_rng(seed)
    weights = np.array([[1, 2, 3, 2, 1], [0, 1, 2, 4, 3], [3, 3, 2, 1, 0]])
    counts = np.array([rng.multinomial(60, row / row.sum()) for row in weights])
    group = np.repeat(np.arange(3), counts.sum(axis=1))
    rating = np.concatenate([np.repeat(np.arange(1, 6), row) for row in counts])
    dummies = pd.get_dummies(pd.Series(group), drop_first=True).astype(float)
    theirs = OrderedModel(rating, dummies, distr="probit").fit(method="bfgs", disp=False, gtol=1e-8)
    np.testing.assert_allclose(ordered_probit(counts), [0, *theirs.params[:2]], atol=1e-3)


def test_the_ordinal_check_tells_when_means_and_ranks_disagree():
    # b has the higher mean, but only through its few 5s among the 1s.
    counts = np.array([[0, 60, 40, 0, 0], [55, 0, 0, 0, 45], [0, 0, 0, 50, 50]])
    comparison = pd.DataFrame([("a", "b", 0.4, 0.01)], columns=["a", "b", "difference", "p_holm"])
    latent = ordered_probit(counts)
    agrees, sentence = ordinal_check(counts, np.array(list("abc"), dtype=object), comparison)
    assert agrees == (latent[0] > latent[1])
    turned = comparison.assign(difference=-comparison["difference"])
    disagrees, other = ordinal_check(counts, np.array(list("abc"), dtype=object), turned)
    assert disagrees != agrees
    assert "a and b" in (other if agrees else sentence)
