"""The screening rules: their names, their thresholds, and all that is said of them.

``screening.screen`` applies them. Whatever names a rule takes its words from here: pages, the report, its glossary,
the methods paragraph and the pre-registration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from survey.analysis.scale import ACR, Scale

P913_BY_ITEM, P913_BY_CONDITION = 0.75, 0.8
BT1788_MAXIMUM = 0.7
BT500_SHARE, BT500_BALANCE = 0.05, 0.3
STRAIGHT_LINE_CHANCE = 0.001
FEWEST_IN_LINE = 10
SPEED_SHARE_OF_PANEL = 1 / 3
GOLD_SHARE = 0.7
GOLD_TOLERANCE = 1 / 4
"""Share of the scale's range: one category of five."""
TRAP_TOLERANCE = 1 / 20
"""Share of the range of a slider, which fingers hit nearly."""
FEWEST_REPEATS = 3


def trap_tolerance(scale: Scale) -> float:
    """How far a trap's answer may be from the one asked for: exact by buttons, a twentieth of the range on a slider."""
    return scale.range * TRAP_TOLERANCE if scale.is_slider else 0


def repeat_limit(scale: Scale) -> float:
    """Return 7/8 of the mean absolute difference of two uniformly random answers: 1.4 on five categories."""
    if scale.categories is None or scale.step is None:
        return 7 * scale.range / 24
    many = len(scale.categories)
    return 7 * scale.step * (many**2 - 1) / (24 * many)


@dataclass(frozen=True)
class Exclusion:
    """What is said of a rule that marks a participant: the screened panel leaves out whom it flags.

    Attributes:
        phrase: names the rule in the methods paragraph, after "Participants were screened by".
        criterion: whom the rule marks, with its threshold, for the pre-registration.
        on_other_scales: the same on a scale other than 1 to 5, where the threshold is a number on the scale; else empty.
        disagrees: the rule marks whose ratings disagree with everyone's.
    """

    phrase: str
    criterion: str
    on_other_scales: str = ""
    disagrees: bool = False


@dataclass(frozen=True)
class Rule:
    """What is said of a screening rule.

    Attributes:
        words: what the rule finds, for people.
        term: the entry of the glossary that explains it.
        exclusion: None where the rule only informs.
    """

    words: str
    term: str
    exclusion: Exclusion | None = None


RULES: Final[dict[str, Rule]] = {
    "bt500": Rule(
        "Votes far from everyone’s (ITU-R BT.500)",
        "BT.500 screening",
        Exclusion(
            "the rule of ITU-R BT.500 Annex 1",
            f"ITU-R BT.500 Annex 1: more than {BT500_SHARE:.0%} of a participant's ratings at least 2 SD (√20 SD where the "
            "ratings of an image are not near normal) from the image's mean, and the two sides balanced within "
            f"{BT500_BALANCE:g}",
            disagrees=True,
        ),
    ),
    "correlation_p913": Rule("Disagrees with the means (ITU-T P.913)", "P.913 correlation"),
    "correlation_left_out": Rule("Disagrees with the means of the others", "other correlations"),
    "correlation_bt1788": Rule(
        "Disagrees with the rest (ITU-R BT.1788)",
        "other correlations",
        Exclusion(
            "the correlation rule of ITU-R BT.1788",
            "ITU-R BT.1788: the smaller of the Pearson and Spearman correlation with the images' MOS below "
            f"{BT1788_MAXIMUM:g}, or below the panel's mean less one SD where that is lower",
            disagrees=True,
        ),
    ),
    "straight_lining": Rule(
        "Always the same answer",
        "straight lining, speed",
        Exclusion(
            "runs of one answer",
            "a run of one answer so long that answers drawn at random from the panel's own would reach it with a chance "
            f"below {STRAIGHT_LINE_CHANCE:g}",
        ),
    ),
    "speed": Rule(
        "Answers too fast",
        "straight lining, speed",
        Exclusion("response times", "a median response time below a third of the panel's"),
    ),
    "gold": Rule(
        "Gold images missed",
        "gold, trap, repeats",
        Exclusion(
            "images with a known answer",
            f"fewer than {GOLD_SHARE:.0%} of the gold images rated within ±{GOLD_TOLERANCE * ACR.range:g}",
            f"fewer than {GOLD_SHARE:.0%} of the gold images rated within a quarter of the scale's range",
        ),
    ),
    "trap": Rule(
        "Attention picture missed",
        "gold, trap, repeats",
        Exclusion(
            "attention checks",
            "a trap picture answered otherwise than it asks",
            f"a trap picture answered otherwise than it asks, or on a slider {TRAP_TOLERANCE:.0%} of the range beside it",
        ),
    ),
    "repeats": Rule(
        "Repeats answered differently",
        "gold, trap, repeats",
        Exclusion(
            "images shown twice",
            f"a mean absolute difference above {repeat_limit(ACR):g} between repeated ratings (from {FEWEST_REPEATS} "
            "repeats on)",
            "a mean absolute difference between repeated ratings above 7/8 of that between answers drawn evenly from the "
            f"scale (from {FEWEST_REPEATS} repeats on)",
        ),
    ),
}
EXCLUSIONS: Final = {name: rule.exclusion for name, rule in RULES.items() if rule.exclusion}
"""Of the rules whose flag puts a participant out of the screened panel. The fixed thresholds of P.913 were set for
video in a laboratory and would put out most of an honest panel where ratings are noisier, so they only show."""
