"""The answer in words says what the tables say, in each of its cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from survey.analysis import QuestionAnalysis, analyse
from survey.analysis.report.answers import (
    Answer,
    Claim,
    answer,
    condition_finding,
    condition_meaning,
    confounded,
    reliability_finding,
)


def ratings(means: dict[str, float], people: int = 40, noise: float = 0.7, seed: int = 1) -> pd.DataFrame:
    """Each person rates each item once, round its mean."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"p{person}", item, int(np.clip(round(mean + rng.normal(0, noise)), 1, 5)))
        for person in range(people)
        for item, mean in means.items()
    ]
    return pd.DataFrame(rows, columns=["participant", "item", "rating"])


def answered(means: dict[str, float], people: int = 40) -> Answer:
    return answer(analyse(ratings(means, people)))


def test_one_image_ahead_of_all_others_looks_best():
    found = answered({"A": 4.4, "B": 3, "C": 2.5})
    assert found.finding.startswith("“A” looks best: 4.")
    assert found.finding.endswith("out of 5, clearly ahead of all two others.")
    assert answered({"A": 4.4, "B": 2}).finding.endswith("clearly ahead of the other.")


def test_two_or_three_that_tie_are_named():
    found = answered({"A": 4, "B": 4, "C": 2})
    assert found.finding.startswith("“")
    assert "look best (" in found.finding
    assert found.finding.endswith("these ratings cannot say which.")
    assert found.letters["A"] == found.letters["B"] != found.letters["C"]


def test_four_or_more_that_tie_are_counted():
    means = dict.fromkeys("ABCD", 4.0) | dict.fromkeys("EFGHI", 1.6)
    assert "Four images look best, “" in answered(means).finding
    assert answered(means).finding.endswith("these ratings cannot order them.")


def test_no_image_stands_out_where_more_than_half_tie():
    means = dict.fromkeys("ABCD", 4.0) | {"E": 1.6}
    assert answered(means).finding == (
        "No image stands out: these ratings cannot tell the best 4 of 5 apart."
    )
    assert answered({"A": 3, "B": 3}).finding == (
        "No image stands out: these ratings cannot tell the best of all 2 apart."
    )


def test_few_people_are_too_early():
    assert answered({"A": 5, "B": 1}, people=14).finding == (
        "Too early to say: 14 people so far. From 15 on there is a first answer; 35 are wanted."
    )
    assert answered({"A": 5, "B": 1}, people=15).finding.startswith("“A” looks best")


def test_what_was_never_compared_is_not_called_best():
    split = ratings({"A": 4.5, "B": 2}, 40)
    odd = split["participant"].str[1:].astype(int) % 2 == 1
    found = answer(analyse(split[odd == (split["item"] == "A")]))
    assert "has the highest score" in found.finding
    assert "cannot be tested: too few people rated both." in found.finding
    assert found.letters == {}


def test_a_single_image_has_a_score_and_no_rank():
    assert answered({"A": 4}).finding.startswith("“A” has the score ")


def test_the_panel_is_counted():
    found = answered({"A": 4, "B": 2})
    assert found.panel == "40 people gave 80 ratings, 40 for each of 2 images."
    table = ratings({"A": 4, "B": 2})
    assert (
        answer(analyse(table.iloc[:-1])).panel == "40 people gave 79 ratings, 39 to 40 for each of 2 images."
    )


def test_one_rating_is_one_rating():
    table = pd.DataFrame({"participant": ["p"], "item": ["A"], "rating": [4]})
    assert answer(analyse(table)).panel == "1 person gave 1 rating, 1 for 1 image."


def texts(found: Answer) -> list[str]:
    return [claim.text for claim in found.claims]


def test_the_best_may_be_claimed_with_what_the_marked_people_change():
    part = analyse(ratings({"A": 4.4, "B": 3, "C": 2.5}))
    marked = replace(part, summary=part.summary | {"participants_flagged": ["p1", "p2"]})
    assert "“A” is rated best. It also stays first when the 2 marked people are left out." in texts(
        answer(marked)
    )
    turned = marked.panels.assign(rank_screened=[2.0, 1.0, 3.0])
    (claim,) = [
        claim for claim in answer(replace(marked, panels=turned)).claims if "another image" in claim.text
    ]
    assert claim == Claim(
        "warning",
        "“A” is rated best. Without the 2 marked people another image is first: say so.",
        "participants",
    )


def test_the_widest_interval_is_the_precision():
    part = analyse(ratings({"A": 4.4, "B": 3}))
    half = ((part.mos["ci_high"] - part.mos["ci_low"]) / 2).max()
    assert f"Each score is known to ± {half:.2f} or better." in texts(answer(part))


def precision(part: QuestionAnalysis) -> list[str]:
    return [text for text in texts(answer(part)) if "±" in text]


def test_no_precision_is_claimed_of_few_people():
    assert precision(analyse(ratings({"A": 4.4, "B": 3}, people=2))) == []
    assert precision(analyse(ratings({"A": 4.4, "B": 3}, people=14))) == []


def test_an_interval_that_is_wide_on_its_scale_is_no_precision():
    (text,) = precision(analyse(ratings({"A": 3, "B": 3}, people=15, noise=2)))
    assert text.startswith("A close score of each image: the widest interval is ± ")
    assert text.endswith(" on a scale of 1 to 5.")


def test_a_score_without_an_interval_is_not_called_known():
    table = ratings({"A": 4, "B": 3, "C": 2})
    table.loc[table["item"] == "A", "rating"] = 5
    (text,) = precision(analyse(table))
    assert text.startswith("2 of 3 scores are known to ± ")
    assert text.endswith("; 1 has no interval.")


def of_one_mind(people: int, items: int = 8) -> pd.DataFrame:
    """Everybody finds the first item the worst, and the last the best."""
    means = {f"i{number}": 3.0 for number in range(items)} | {"i0": 1.0, f"i{items - 1}": 5.0}
    return ratings(means, people, noise=0)


def test_too_few_people_for_so_many_pairs_are_named_as_the_reason():
    part = analyse(of_one_mind(10))
    assert (
        "Which of the eight images differ: 10 people cannot show a difference in any of 28 pairs, since the smallest p that this test "
        "can give them is 0.055 after Holm’s correction. It takes 11 who all differ in the same way. Friedman’s test shows that "
        "not all are alike (p < 0.001)."
    ) in texts(answer(part))
    assert not any("these ratings cannot tell them apart" in text for text in texts(answer(part)))
    assert answer(part).letters == {}
    assert "10 people cannot show a difference in any of 28 pairs" in part.summary["notes"]["comparisons"]


def test_enough_people_for_the_pairs_are_no_reason():
    part = analyse(of_one_mind(11))
    assert (part.comparisons["p_holm"] < 0.05).any()
    assert not any("cannot show a difference" in text for text in texts(answer(part)))
    assert "comparisons" not in part.summary["notes"]


def test_the_best_of_many_images_is_not_called_equal_where_no_test_can_tell():
    part = analyse(of_one_mind(15, items=42))
    assert (
        "Whether it is really ahead cannot be tested: too few people rated the same images."
        in answer(part).finding
    )


def test_those_who_rated_the_same_two_images_count_and_not_the_panel():
    table = of_one_mind(16)
    person, item = table["participant"].str[1:].astype(int), table["item"].str[1:].astype(int)
    table = table[(person % 2 == 0) == (item < 4)]
    said = analyse(table).summary["notes"]["comparisons"]
    assert said.startswith("At most 8 people rated the same two images, and so few cannot show")


def test_conditions_that_so_few_people_cannot_tell_apart_are_not_called_alike():
    table = of_one_mind(10)
    found = condition_finding(analyse(table.assign(condition=table["item"])))
    assert "10 people cannot show a difference in any of 28 pairs" in found
    assert found.endswith("Friedman’s test shows that not all are alike (p < 0.001).")


def test_an_order_that_the_tests_do_not_give_may_not_be_claimed():
    assert "An order among the next three: these ratings cannot tell them apart." in texts(
        answered({"A": 4.6, "B": 2.5, "C": 2.5, "D": 2.5})
    )
    assert not any("An order" in text for text in texts(answered({"A": 4.6, "B": 3, "C": 1.4})))


def test_few_people_are_said_to_be_few():
    assert "Only 20 people: ITU-T P.913 asks for 35 outside a laboratory." in texts(
        answered({"A": 4, "B": 2}, 20)
    )
    assert not any("P.913" in text for text in texts(answered({"A": 4, "B": 2}, 35)))


GRID = pd.DataFrame(
    [(f"{c}{r}", c, r, "x") for c in ("cat", "dog") for r in (0.1, 0.2)],
    columns=["item", "content", "ratio", "tv"],
)


def test_a_full_grid_confounds_nothing():
    assert confounded(GRID) == []


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        ([0, 3], "no two levels were tried on the same content"),
        ([0, 1, 2], "1 of 2 levels were tried on one content only"),
    ],
)
def test_a_factor_that_varies_with_the_content_is_warned_of(kept, reason):
    (claim,) = confounded(GRID.iloc[kept])
    assert claim == Claim("warning", f"Do not say that one ratio is better than another: {reason}.", "design")


def test_levels_on_unequal_contents_are_warned_of():
    rows = [(f"{c}{r}", c, r) for c in "abc" for r in (1, 2) if (c, r) != ("c", 2)]
    (claim,) = confounded(pd.DataFrame(rows, columns=["item", "content", "ratio"]))
    assert claim.text.endswith("not every level was tried on every content.")


def with_conditions(means: dict[str, float]) -> pd.DataFrame:
    table = ratings(means)
    return table.assign(condition=table["item"].str[0])


def test_a_condition_ahead_of_the_others_scores_highest():
    part = analyse(with_conditions({"a1": 4.5, "a2": 4.4, "b1": 2, "b2": 2.1}))
    assert condition_finding(part).startswith("Condition “a” scores highest, 4.")
    tied = analyse(with_conditions({"a1": 3, "a2": 3, "b1": 3, "b2": 3}))
    assert condition_finding(tied).endswith("These ratings cannot tell the best 2 of 2 conditions apart.")
    assert (
        condition_finding(analyse(ratings({"A": 4, "B": 2}))) == "These images have no conditions to compare."
    )


def crossed() -> pd.DataFrame:
    """Images of two contents and two styles, at two ratios."""
    items = [f"{c}{s}{r}" for c in "cd" for s in "vw" for r in "12"]
    table = ratings(dict.fromkeys(items, 3.0), 6)
    of = {"content": table["item"].str[0], "style": table["item"].str[1], "ratio": table["item"].str[2]}
    return table.assign(**of, condition="ratio " + of["ratio"])


def test_a_condition_is_said_to_combine_the_factors_that_tell_it_apart():
    assert condition_meaning(analyse(crossed())) == (
        "A condition here is one level of ratio; its images differ in photograph and style."
    )
    both = crossed()
    both["condition"] = both["style"] + both["ratio"]
    assert condition_meaning(analyse(both)) == (
        "A condition here is one combination of style and ratio; its images differ in photograph."
    )
    assert condition_meaning(analyse(crossed().drop(columns=["content", "style", "ratio"]))) == (
        "A condition is what the column “condition” says of the images."
    )
    assert condition_meaning(analyse(crossed().drop(columns="condition"))) == ""


def test_that_a_condition_combines_the_factors_is_no_finding():
    effects = analyse(crossed()).factor_effects.result
    assert effects is not None
    assert "condition" in effects.untested
    assert "condition" not in " ".join(effects.sentences)
    assert "condition" not in effects.left_out


@pytest.mark.parametrize(
    ("value", "word"), [(0.95, "Yes"), (0.8, "Nearly"), (0.6, "Only roughly"), (0.2, "No"), (-0.5, "No")]
)
def test_reliability_is_told_in_a_word(value, word):
    summary = {"icc_2_k": value, "icc_2_k_low": 0.1, "icc_2_k_high": 0.99, "participants": 45}
    assert reliability_finding(summary) == (
        f"Would another 45 people give the same scores? {word}: the reliability of the means is {value:.2f} "
        "(0.10 to 0.99)."
    )
    assert "cannot be computed" in reliability_finding({"icc_2_k": None})


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"p1": "bt500"}, "1 of 40 people is marked: 1 disagrees with the rest."),
        (
            {"p1": "bt500", "p2": "correlation_bt1788", "p3": "speed"},
            "3 of 40 people are marked: 2 disagree with the rest, 1 more by other rules (answers too fast).",
        ),
        (
            {"p3": "speed", "p4": "gold"},
            "2 of 40 people are marked: 2 by other rules (answers too fast, gold images missed).",
        ),
        ({"p3": "correlation_p913"}, None),
    ],
)
def test_the_answer_counts_the_marked_people_of_the_other_pages(rules, said):
    part = analyse(ratings({"A": 4.4, "B": 3, "C": 2.5}))
    screening = part.screening.assign(verdict="ok")
    for person, rule in rules.items():
        screening.loc[(screening["participant"] == person) & (screening["rule"] == rule), "verdict"] = (
            "flagged"
        )
    claims = [claim.text for claim in answer(replace(part, screening=screening)).claims]
    assert [text for text in claims if "marked" in text and "left out" not in text] == (
        [said] if said else []
    )
