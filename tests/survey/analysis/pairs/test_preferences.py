from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from survey.analysis import TableError
from survey.analysis.pairs.pairs import bradley_terry
from survey.analysis.pairs.preferences import analyse_preferences
from survey.analysis.plots import drawable_of, render
from survey.analysis.plots.preferences import PAIR_PLOTS
from tests.survey.analysis.pairs.test_pairs import choices

CONDITIONS = {"a": "weak", "b": "strong", "c": "weak", "d": "strong"}


def votes(text: str) -> pd.DataFrame:
    """`p x y first` a line."""
    return pd.DataFrame(
        [line.split() for line in text.strip().splitlines()],
        columns=["participant", "first", "second", "answer"],
    )


def two_contents() -> pd.DataFrame:
    """The same choices among four cats and among four dogs, whose names end in their quality."""
    parts = []
    for content in ("cat", "dog"):
        part = choices().assign(content=content)
        parts.append(part.assign(**{end: content + "-" + part[end] for end in ("first", "second")}))
    return pd.concat(parts, ignore_index=True)


def only(table: pd.DataFrame, **arguments):
    return analyse_preferences(table, **arguments).questions[""]


def test_connected_items_get_the_scores_of_one_bradley_terry_model():
    scores, expected = only(choices()).scores, bradley_terry(choices()).items
    assert scores["group"].unique().tolist() == ["all"]
    for name in ("item", "wins", "score", "ci_low", "ci_high"):
        assert scores[name].tolist() == expected[name].tolist()


@pytest.mark.parametrize(("people", "shown"), [(5, True), (6, False)])
def test_choices_too_few_for_any_sign_test_are_said_to_be_so(people, shown):
    notes = only(votes("\n".join(f"p{person} x y first" for person in range(people)))).summary["notes"]
    assert (
        "cannot show a difference, since the smallest p that this test can give them is 0.062"
        in notes.get("pairs", "")
    ) is shown


def test_images_of_contents_never_compared_are_groups_of_their_own():
    scores = only(two_contents()).scores.set_index("item")
    assert scores.groupby("group")["score"].mean().abs().max() < 1e-9
    assert sorted(scores["group"].unique()) == ["cat", "dog"]
    assert scores["score"]["cat-a"] == pytest.approx(scores["score"]["dog-a"])


def test_conditions_are_scored_across_contents():
    table = two_contents()
    conditions = {name: CONDITIONS[name[-1]] for name in {*table["first"], *table["second"]}}
    scores = only(table, conditions=conditions).conditions
    assert scores is not None
    scores = scores.set_index("condition")["score"]
    between = table[table["first"].map(conditions) != table["second"].map(conditions)]
    assert len(scores) == 2
    assert scores["strong"] > scores["weak"]
    assert only(between, conditions=conditions).conditions["score"].tolist() == scores.tolist()


def test_each_pair_is_counted_whichever_came_first():
    pairs = only(votes("p x y first\nq y x first\nr x y tie\ns y x second")).pairs
    row = pairs.iloc[0]
    assert (row["a"], row["b"], row["n"], row["a_wins"], row["ties"], row["b_wins"]) == ("x", "y", 4, 2, 1, 1)
    assert row["a_share"] == 2.5 / 4
    assert row["p"] == stats.binomtest(2, 3).pvalue


def test_an_item_that_never_wins_keeps_its_record_without_a_score():
    part = only(votes("p x y first\nq x y first\nr y x second"))
    assert part.scores["score"].isna().all()
    assert part.scores["wins"].tolist() == [3, 0]
    assert "need more comparisons" in part.summary["notes"]["scores of all"]


def test_a_bias_towards_the_first_place_is_shown():
    summary = only(choices().assign(answer="first")).summary
    assert summary["chose_first"] == 1
    assert summary["chose_first_p"] < 1e-9


def test_only_the_main_phase_counts_and_questions_are_apart():
    table = choices().assign(phase="main")
    table.loc[:9, "phase"] = "practice"
    both = pd.concat([table.assign(question="a"), table.assign(question="b")])
    result = analyse_preferences(both)
    assert [part.summary["choices"] for part in result.questions.values()] == [1490, 1490]
    assert result.tables()["scores"].columns[0] == "question"
    assert result.stamp["rows_of_other_phases"] == 20


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (votes("p x y left"), "answer 'left' is not one of first, second, tie"),
        (votes("p x y tie").drop(columns="second"), "no column 'second'"),
        (votes("p x y tie").assign(phase="practice"), "no choice of the main phase"),
    ],
)
def test_it_refuses_what_is_no_choice(table, words):
    with pytest.raises(TableError, match=words):
        analyse_preferences(table)


@pytest.mark.slow
def test_every_plot_is_drawn_the_same_from_the_same_choices():
    table = two_contents()
    names = {*table["first"], *table["second"]}
    part = only(table, conditions={name: CONDITIONS[name[-1]] for name in names})
    drawn = {plot.name: render(plot.draw, numbers) for plot, numbers in drawable_of(PAIR_PLOTS, part)}
    assert list(drawn) == ["scores", "conditions", "preferences"]
    assert drawn["scores"] != drawn["conditions"]
    again = {plot.name: render(plot.draw, numbers) for plot, numbers in drawable_of(PAIR_PLOTS, part)}
    assert drawn == again
    assert np.isfinite(part.scores["score"]).all()


def test_pairs_drawn_by_earlier_answers_give_scores_and_no_shares():
    """Which pairs met depends on who won before: a share of choices says as much about the drawing as about the image."""
    table = choices().assign(drawn_by="informative")
    part = only(table, conditions=CONDITIONS)
    plain = only(choices(), conditions=CONDITIONS)
    assert part.scores["share"].isna().all()
    assert part.conditions["share"].isna().all()
    assert part.pairs[["a_share", "p", "p_holm"]].isna().all(axis=None)
    assert part.scores[["n", "wins", "losses"]].equals(plain.scores[["n", "wins", "losses"]])
    assert part.scores["score"].abs().sum() < plain.scores["score"].abs().sum()
    assert "would mislead" in part.summary["notes"]["pairs"]
    assert f"{part.summary['score_sd']:.2f}" in part.summary["notes"]["scores"]
    assert "penalised" in analyse_preferences(table).stamp["estimators"]["scores"]
    assert "preferences" not in [plot.name for plot, _ in drawable_of(PAIR_PLOTS, part)]


def test_one_pair_drawn_by_answers_is_enough_to_say_so_and_balanced_ones_change_nothing():
    mixed = choices().assign(drawn_by=["informative", *["balanced"] * (len(choices()) - 1)])
    assert only(mixed).scores["share"].isna().all()
    balanced = choices().assign(drawn_by="balanced")
    pd.testing.assert_frame_equal(only(balanced).scores, only(choices()).scores)
