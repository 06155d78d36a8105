from __future__ import annotations

import numpy as np
import pytest

from survey.analysis.scale import ACR, Scale, parse_scale


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("1:5", Scale()),
        ("1:7", Scale(1, 7)),
        (" 0 : 10 ", Scale(0, 10)),
        ("0:100", Scale(0, 100, None)),
        ("0:100:1", Scale(0, 100, 1)),
        ("1:5:0.5", Scale(1, 5, 0.5)),
        ("-3:3", Scale(-3, 3)),
        ("0:1", Scale(0, 1)),
        ("1:5:0", Scale(1, 5, None)),
        ("0:0.3:0.1", Scale(0, 0.3, 0.1)),
    ],
)
def test_a_scale_is_read_from_text_and_written_again(text: str, scale: Scale) -> None:
    assert parse_scale(text) == scale
    assert parse_scale(str(scale)) == scale


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "write LOW:HIGH"),
        ("5", "write LOW:HIGH"),
        ("1:2:3:4", "write LOW:HIGH"),
        ("a:b", "write LOW:HIGH"),
        ("5:1", "low end"),
        ("1:1", "low end"),
        ("1:5:3", "do not lead"),
        ("1:5:-1", "above 0"),
        ("0:nan", "finite"),
        ("0:inf", "finite"),
        ("0:100:0.01", "10001 values"),
    ],
)
def test_what_is_no_scale_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refusal:
        parse_scale(text)
    assert "\n" not in str(refusal.value)


def test_categories_are_exact_decimals() -> None:
    assert ACR.categories == (1, 2, 3, 4, 5)
    assert Scale(0, 0.3, 0.1).categories == (0, 0.1, 0.2, 0.3)
    assert Scale(0, 100, None).categories is None


def test_rounding_noise_is_a_value_of_the_scale_and_anything_else_is_not() -> None:
    assert ACR.contains(1.0000000001)
    assert not any(map(ACR.contains, (0, 6, 1.001, 2.5, float("nan"), float("inf"))))
    assert Scale(1, 5, 0.5).contains(2.5)
    assert Scale(0, 100, None).contains(33.3)
    assert not Scale(0, 100, None).contains(100.1)
    assert ACR.snap([1.0000000001, 5, 7, np.nan]).tolist()[:2] == [1, 5]
