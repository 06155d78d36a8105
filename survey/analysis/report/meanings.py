"""What a number says about the study at hand, in a sentence for a reader who is no statistician."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from survey.analysis.items.comparisons import SIGNIFICANT
from survey.analysis.participants.recovery import FEWEST_RATINGS
from survey.analysis.participants.rules import EXCLUSIONS, RULES
from survey.analysis.terms import listed

_ALL: Final = float("-inf")
_Words = tuple[Mapping[float, str], str]
"""{least value: what it says}, the highest first, and how the number runs."""

_ALPHA: Final[_Words] = (
    {
        0.8: "Two people mostly give the same rating.",
        0.667: "Two people give similar ratings.",
        _ALL: "Two people often rate the same thing differently. That is usual in taste; the means can be sure all the same.",
    },
    "1 is perfect, 0 is chance; from 0.8 on agreement is called good.",
)
_SAME_ALPHA: Final[_Words] = ({_ALL: "The same, with equal steps between the categories."}, "")
_OF: Final[Mapping[str, _Words]] = {
    "sos_a": (
        {
            0.5: "People disagree strongly: look whether all understood the question alike.",
            0.25: "People differ about as much as is usual where taste decides.",
            _ALL: "People’s ratings of the same thing are fairly close.",
        },
        "0 means that all agree, 1 that only the ends of the scale were chosen.",
    ),
    "alpha_ordinal": _ALPHA,
    "alpha_interval": _SAME_ALPHA,
    "icc_2_1": (
        {
            0.75: "One person’s rating alone tells much of the score.",
            0.5: "One person’s rating alone tells the score roughly.",
            _ALL: "One person’s rating alone tells little, so ask many.",
        },
        "1 is perfect; from 0.75 on it is called good.",
    ),
    "icc_2_k": (
        {
            0.9: "Another such group would give nearly the same scores.",
            0.75: "Another such group would give similar scores.",
            0.5: "Another such group would give roughly similar scores: more people would help.",
            _ALL: "Another such group may well give other scores: ask more people.",
        },
        "1 is perfect; from 0.9 on it is called excellent.",
    ),
    "kendall_w": (
        {
            0.7: "Everybody’s order is nearly the same.",
            0.3: "Everybody’s order is partly the same.",
            _ALL: "Everybody has quite another order.",
        },
        "1 is the same order by everybody, 0 none in common.",
    ),
    "friedman_p": (
        {
            SIGNIFICANT: "No difference between them is shown: chance alone could give such ratings (p of 0.05 or more).",
            _ALL: "Not all are rated alike: chance alone would rarely give such ratings (p below 0.05).",
        },
        "",
    ),
}


def meaning(summary: Mapping[str, Any], key: str) -> str:
    """Return what the number of one key of a summary says; empty where there is none, or nothing to say.

    Bounds: alpha, Krippendorff 2019; ICC, Koo and Li 2016; W, Schmidt 1997, Decision Sciences 28.
    """
    value = summary.get(key)
    if value is None or key not in _OF:
        return ""
    alone = key == "alpha_interval" and summary.get("alpha_ordinal") is None
    levels, runs = _ALPHA if alone else _OF[key]
    found = next(words for least, words in levels.items() if value >= least)
    return f"{found} {runs}".strip()


_RECOVERED: Final = (
    "Scores with each person’s habit of rating high or low taken off, and careful people weighted more."
)
TABLE_WORDS: Final = {
    "mos": "Each row is one rated thing: its mean, and the interval in which the mean of very many such people would lie.",
    "conditions": "Each row is one condition: its mean over people. Conditions that share a letter cannot be told apart.",
    "condition_comparisons": "Each row is a pair of conditions. Look at p_holm: below 0.05 the two differ, for what was shown here.",
    "effects": "The rows “test” say whether a factor matters: look at p_holm, below 0.05 it does. The rows “mean” give the score of each level.",
    "covariates": "Each row is something that was measured. Near 1 or −1 it rises or falls with the score; near 0 it does not tell it.",
    "groups": "The rows “difference” compare two groups of people: look at p_holm, below 0.05 they differ. The rows “item” do so for one thing.",
    "dmos": "How far each fell short of its reference: the scale’s highest value means that it was rated as its reference.",
    "panels": "The scores of everyone, without marked people, and with careful people weighted more. Similar ranks mean that it does not matter who counts.",
    "comparisons": "Each row is a pair. Look at p_holm: below 0.05 these ratings tell the two apart.",
    "observers": "Each row is one person. A high bias means that they rate higher than others, a high inconsistency that they are hard to predict. "
    "“yes” under bt500_rejected marks a person; under p913_correlation_rejected it only informs, since that threshold was set for video in laboratories.",
    "screening": f"Each row is one rule for one person. A person is marked where one of {listed(list(EXCLUSIONS), 'or')} says "
    f"“flagged”; {listed([rule for rule in RULES if rule not in EXCLUSIONS])} only inform. A mark is a reason to look at the answers, and no reason to "
    "leave somebody out unseen.",
    "split": "Each row is one rated thing. “yes” under split means that its votes fall into two camps, which the mean hides: look at camps.",
    "recovered": f"{_RECOVERED} Use them beside the means.",
    "recovered_shrunken": f"{_RECOVERED} This is the shrunken variant, since some people gave fewer than {FEWEST_RATINGS} ratings: the strict one of "
    "ITU-T P.910 weighs them badly, and is in recovered.csv alone. Use these beside the means.",
}
"""What each table says and where to look, for whoever reads it first."""
_STRICT: Final = f"Some people gave fewer than {FEWEST_RATINGS} ratings: the model judges them badly, and an inconsistency near 0 says nothing of them."


def shown_table(name: str, notes: Mapping[str, str]) -> str:
    """Return which table a reader sees under a name: the shrunken model where people gave too few ratings for the strict one."""
    return "recovered_shrunken" if name == "recovered" and "recovered" in notes else name


def table_words(name: str, notes: Mapping[str, str]) -> str:
    """Return how to read a table of one question, with what limits it; notes: of the question's summary."""
    return f"{TABLE_WORDS[name]} {caution(name, notes)}".strip()


def caution(name: str, notes: Mapping[str, str]) -> str:
    """Return what limits a table or a plot of one question; empty where nothing does."""
    of_model = ("components", "p910_converged")
    keys = {
        "comparisons": ("comparisons",),
        "significance": ("comparisons",),
        "condition_comparisons": ("condition_comparisons",),
        "condition_significance": ("condition_comparisons",),
        "recovered": of_model,
        "recovered_shrunken": of_model[:1],
        "observers": of_model[1:],
    }.get(name, ())
    said = in_sentences({key: notes[key] for key in keys if key in notes})
    return " ".join([*([_STRICT] if name == "observers" and "recovered" in notes else []), *said])


def in_sentences(notes: Mapping[str, str]) -> list[str]:
    """Return notes as sentences without their keys, each once."""
    said = dict.fromkeys(note.strip() for note in notes.values())
    return [f"{note[0].upper()}{note[1:].rstrip('.')}." for note in said if note]
