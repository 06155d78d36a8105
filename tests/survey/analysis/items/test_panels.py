"""The sentence on panels says what its numbers say."""

from __future__ import annotations

import pytest

from survey.analysis.items.panels import _sentence

NOTHING: dict[str, list[tuple[object, object]]] = {
    "reversed": [],
    "lost": [],
    "gained": [],
    "reversed_by_model": [],
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {},
            "without the 7 marked participants, the 14 significant pairs of items stay; the subject model reverses none",
        ),
        (
            {"gained": [("A", "B"), ("C", "D")]},
            "without the 7 marked participants, the 14 significant pairs of items stay and 2 more become significant "
            "(A and B; C and D); the subject model reverses none",
        ),
        (
            {"lost": [("A", "B")], "reversed": [("C", "D")], "reversed_by_model": [("C", "D")]},
            "without the 7 marked participants, of 14 significant pairs of items, 1 turns round (C and D) and 1 is no "
            "longer significant (A and B); the subject model reverses 1 (C and D)",
        ),
        (
            {"lost": [("A", name) for name in "BCDE"]},
            "without the 7 marked participants, of 14 significant pairs of items, 4 are no longer significant "
            "(A and B; A and C; A and D, ...); the subject model reverses none",
        ),
    ],
)
def test_only_pairs_that_changed_are_named(changed, said):
    assert _sentence(NOTHING | changed, 14, 7, 20, "item") == said


@pytest.mark.parametrize(
    ("changed", "significant", "said"),
    [
        ({}, 1, "the one significant pair of conditions stays"),
        ({}, 0, "no pair of conditions is significant either"),
        ({"gained": [("A", "B")]}, 0, "1 pair of conditions becomes significant (A and B)"),
        (
            {"gained": [("A", "B")]},
            1,
            "the one significant pair of conditions stays and 1 more becomes significant (A and B)",
        ),
    ],
)
def test_one_pair_and_none_are_told_in_plain_grammar(changed, significant, said):
    found = _sentence(NOTHING | changed, significant, 2, 20, "condition")
    assert found == f"without the 2 marked participants, {said}; the subject model reverses none"


def test_nobody_marked_and_too_few_left_are_said():
    assert _sentence(NOTHING, 1, 0, 20, "item") == (
        "no participant is marked, so nothing changes; the subject model reverses none"
    )
    assert _sentence(NOTHING, 1, 9, 1, "item") == (
        "9 participants are marked, and too few others are left to compare with"
    )
    assert _sentence(NOTHING, 1, 9, 0, "item").startswith("all 9 participants are marked, so nobody is left")
    assert _sentence(NOTHING, 1, 1, 0, "item").startswith("the only participant is marked, so nobody is left")
