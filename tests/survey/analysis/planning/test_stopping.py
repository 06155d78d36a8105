"""Intervals for any number of looks, and the widths by which a study may stop."""

from __future__ import annotations

import numpy as np
import pytest

from survey.analysis.items.intervals import always_valid, sos_wilson, student_t
from survey.analysis.items.tally import tally_counts, tally_moments
from survey.analysis.planning.stopping import stopping_half_widths

RATINGS = np.array([4, 5, 3, 4, 4, 5, 2, 4, 4, 3, 5, 4, 4, 3, 4])


def counted(ratings: np.ndarray) -> np.ndarray:
    return np.bincount(ratings, minlength=6)[1:]


@pytest.mark.parametrize(("n", "low", "high"), [(10, 2.634, 4.550), (15, 2.925, 4.493)])
def test_the_interval_for_any_look_has_its_known_values(n, low, high):
    ends = always_valid(tally_counts([counted(RATINGS[:n])]), 0.35, 30)
    assert np.ravel(ends) == pytest.approx([low, high], abs=6e-4)


def test_moments_tell_the_same_intervals_as_counts():
    counts = tally_counts([counted(RATINGS), counted(RATINGS[:1]), counted(RATINGS[:0])])
    n = [15, 1, 0]
    moments = tally_moments(n, [RATINGS.mean(), 4, 0], [RATINGS.var(ddof=1), 0, 0])
    for interval in (student_t, lambda items: sos_wilson(items, 0.35)):
        assert np.ravel(interval(moments)) == pytest.approx(np.ravel(interval(counts)), nan_ok=True)


def test_the_interval_for_any_look_is_wider_than_one_for_a_single_look():
    items = tally_counts([counted(RATINGS)])
    low, high = always_valid(items, 0.35, 35)
    once_low, once_high = sos_wilson(items, 0.35)
    assert low < once_low < once_high < high


def test_few_images_stop_later_than_many():
    few, many = (tally_counts([counted(RATINGS)] * images) for images in (9, 10))
    t_low, t_high = student_t(many)
    assert stopping_half_widths(many, 35) == pytest.approx((t_high - t_low) / 2)
    assert stopping_half_widths(few, 35).min() > 1.2 * stopping_half_widths(many, 35).max()


def test_nothing_stops_before_ten_people_nor_where_an_image_has_none():
    assert np.isinf(stopping_half_widths(tally_counts([counted(RATINGS[:9])] * 12), 35)).all()
    assert np.isinf(stopping_half_widths(tally_counts([[0] * 5]), 35)).all()


def test_images_that_all_agree_on_have_the_bounded_width():
    halves = stopping_half_widths(tally_counts([[0, 0, 0, 0, 12]] * 10), 35)
    assert np.isfinite(halves).all()
    assert (halves > 0).all()
