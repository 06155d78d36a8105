"""Which printed means and SDs can come from whole ratings."""

from __future__ import annotations

from itertools import combinations_with_replacement
from statistics import pstdev, stdev

import pytest
from django.core.management import CommandError, call_command

from survey.analysis.grimmer import HOW, verdicts
from survey.analysis.scale import ACR, parse_scale


def possible_sds(mean: str, n: int) -> list[str]:
    """Return the printed SDs from 0.00 to 2.50 that are possible with divisor n − 1, rounded half up."""
    texts = [f"{k / 100:.2f}" for k in range(251)]
    return [text for text in texts if "n − 1" in (verdicts(mean, text, n, ACR).sd or {})["half up"]]


def test_the_possible_sds_of_small_groups_are_those_that_counting_gives():
    assert possible_sds("3.2", 5) == ["0.45", "0.84", "1.10", "1.30", "1.48", "1.64", "1.79", "2.05"]


def test_every_real_group_is_possible():
    for group in combinations_with_replacement(range(1, 6), 4):
        found = verdicts(f"{sum(group) / 4:.2f}", f"{stdev(group):.3f}", 4, ACR)
        assert "n − 1" in (found.sd or {})["half up"] + (found.sd or {})["half even"], group
        other = verdicts(f"{sum(group) / 4:.2f}", f"{pstdev(group):.3f}", 4, ACR)
        assert "n" in (other.sd or {})["half up"] + (other.sd or {})["half even"], group


@pytest.mark.parametrize("mean", ["4.37", "3.37", "3.66"])
def test_means_that_only_cutting_off_allows(mean):
    assert {how: verdicts(mean, None, 45, ACR).mean[how] for how in HOW} == {
        "half up": False,
        "half even": False,
        "half down": False,
        "cut off": True,
    }


@pytest.mark.parametrize(("mean", "n", "scale"), [("5.19", 28, "1:7"), ("5.2", 10, "1:5")])
def test_means_that_nothing_allows(mean, n, scale):
    assert not any(verdicts(mean, None, n, parse_scale(scale)).mean.values())


def test_halves_go_each_way():
    """Of eight ratings that sum up to 25 the mean is exactly 3.125."""
    assert [how for how in HOW if verdicts("3.13", None, 8, ACR).mean[how]] == ["half up"]
    assert [how for how in HOW if verdicts("3.12", None, 8, ACR).mean[how]] == [
        "half even",
        "half down",
        "cut off",
    ]


def test_half_points_are_counted_by_their_step():
    assert verdicts("3.25", None, 2, parse_scale("1:5:0.5")).mean["half up"]
    assert not verdicts("3.25", None, 2, ACR).mean["cut off"]


def test_too_many_cases_leave_the_sd_unjudged():
    assert verdicts("50.1", "20.3", 500, parse_scale("0:100:1")).sd is None


def test_the_command_opens_with_one_sentence(capsys):
    call_command("grim", "--mean", "3.66", "--n", "45")
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("The mean 3.66 cannot come from 45 ratings on the scale 1")
    assert first.endswith("by rounding, but can if further digits were cut off.")


@pytest.mark.parametrize(
    "options",
    [{"mean": "x"}, {"n": "0"}, {"sd": "-1"}, {"sd": "nan"}, {"scale": "5:1"}, {"sd": "1", "n": "1"}],
)
def test_bad_input_is_refused_in_one_line(options):
    given = {"mean": "3.2", "n": "5"} | options
    with pytest.raises(CommandError) as error:
        call_command("grim", *(part for name, value in given.items() for part in (f"--{name}={value}",)))
    assert error.value.returncode == 2
    assert "\n" not in str(error.value)
