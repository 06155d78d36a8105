"""A summary's numbers in words, for the report and the results page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from survey.analysis.report.meanings import meaning
from survey.analysis.summary import PLANNED_SHARE


class Headline(NamedTuple):
    """One number of a study, ready to be read.

    `interval` is its 95 % interval, or empty; `meaning` what it says of the study, or empty for a count.
    """

    label: str
    value: str
    interval: str
    meaning: str = ""


_COUNTS: Final = (("items", "Items"), ("participants", "Participants"), ("ratings", "Ratings"))
_MEASURES: Final = (
    ("sos_a", "SOS a"),
    ("alpha_ordinal", "Krippendorff's α, ordinal"),
    ("alpha_interval", "Krippendorff's α, interval"),
    ("icc_2_1", "ICC(2,1)"),
    ("icc_2_k", "ICC(2,k)"),
    ("kendall_w", "Kendall's W"),
)


def headlines(summary: Mapping[str, Any]) -> list[Headline]:
    """Return the headline numbers of one question's summary, a dash for what the data do not allow."""
    counts = [Headline(label, f"{summary[key]:,}".replace(",", " "), "") for key, label in _COUNTS]
    measures = [
        Headline(label, number(summary.get(key)), _interval(summary, key), meaning(summary, key))
        for key, label in _MEASURES
    ]
    chi2 = summary.get("friedman_chi2")
    statistic = "" if chi2 is None else f"χ² = {number(chi2)}"
    test = Headline(
        "Friedman p", _p_value(summary.get("friedman_p")), statistic, meaning(summary, "friedman_p")
    )
    return [*counts, *measures, test]


def preference_headlines(summary: Mapping[str, Any]) -> list[Headline]:
    """Return the headline numbers of one question of a pair study."""
    counts = (("items", "Images"), ("participants", "Participants"), ("choices", "Choices"), ("ties", "Ties"))
    first = summary["chose_first"]
    position = "–" if first is None else f"{100 * first:.0f} %"
    return [
        *(Headline(label, f"{summary[key]:,}".replace(",", " "), "") for key, label in counts),
        Headline("Chose the first image", position, f"p = {_p_value(summary['chose_first_p'])}"),
    ]


def findings(summary: Mapping[str, Any]) -> list[str]:
    """Return what follows from the summary, a sentence each: panels, ordinal check, what is still needed."""
    sentences = []
    if summary.get("conclusions"):
        verdict = {True: "change", False: "do not change"}.get(summary["conclusions_depend_on_panel"])
        judged = f"Conclusions {verdict} with who is counted: " if verdict else "Who is counted: "
        sentences.append(f"{judged}{summary['conclusions']}.")
    if summary.get("ordinal"):
        sentences.append(f"Ordinal check: {summary['ordinal']}.")
    if (difference := summary.get("detectable_difference")) is not None:
        ends = summary["planned_half_width"] / PLANNED_SHARE
        sentences.append(
            "These ratings are too few to tell any two items apart reliably: not even two at the ends of the scale."
            if difference > ends
            else f"With these ratings, two items that truly differ by {difference:.2f} points are told apart in 8 of 10 such "
            "studies (80 % power), in a test of these two alone."
        )
    if (needed := summary.get("ratings_for_half_width_025")) is not None:
        sentences.append(
            f"To know a score in the middle of the scale to ±{summary['planned_half_width']:g}, about {needed:.0f} "
            "ratings of an item are needed."
        )
    if (needed := summary.get("ratings_for_icc_090")) is not None:
        sentences.append(
            f"About {needed:.0f} ratings of each item make the means highly reliable (ICC(k) ≥ 0.9)."
        )
    return sentences


def number(value: float | None) -> str:
    """Return a number with three decimals, a very small one in powers of ten, a dash for none."""
    if value is None:
        return "–"
    return f"{value:.1e}" if value != 0 and abs(value) < 0.001 else f"{value:.3f}"


def _p_value(p: float | None) -> str:
    # Below the smallest double it is stored as 0, which no p value is.
    return "< 1e-300" if p == 0 else number(p)


def _interval(summary: Mapping[str, Any], key: str) -> str:
    low, high = summary.get(f"{key}_low"), summary.get(f"{key}_high")
    # Adding 0 makes -0.0 to 0.0.
    return "" if low is None or high is None else f"[{round(low, 2) + 0:.2f}, {round(high, 2) + 0:.2f}]"
