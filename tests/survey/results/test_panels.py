from __future__ import annotations

import pandas as pd
import pytest

from survey.analysis import ReadOptions, analyse, check
from survey.analysis.report.answers import answer
from survey.exports.analysis import analyse_file
from survey.results.panels import NobodyLeftError, weighted_by_model, without_flagged
from tests.survey.exports.studies import ratings_frame


def test_the_models_bounded_interval_ends_where_the_scale_does():
    table = ratings_frame(items=6, people=8)
    table.loc[table["item"] == "item000", "rating"] = 5
    table.loc[table["item"] == "item001", "rating"] = 1
    scores = weighted_by_model(analyse(check(table))).mos.set_index("item").to_dict("index")
    assert scores["item000"]["ci_high"] > 5
    assert scores["item000"]["bounded_high"] == 5
    assert scores["item001"]["ci_low"] < 1
    assert scores["item001"]["bounded_low"] == 1


def all_failed_gold() -> pd.DataFrame:
    """Ratings of people who all miss the answer that a gold image expects, since it was set wrong."""
    main = ratings_frame(items=6, people=4)
    gold = [(p, f"gold{n}", 5, "gold", 1) for p in main["participant"].unique() for n in range(4)]
    more = pd.DataFrame(gold, columns=["participant", "item", "rating", "phase", "expected"])
    return pd.concat([main.assign(phase="main"), more], ignore_index=True)


def test_a_panel_without_the_flagged_may_be_empty():
    ratings = check(all_failed_gold())
    everyone = analyse(ratings)
    with pytest.raises(NobodyLeftError, match="Every participant is marked"):
        without_flagged(ratings, everyone)
    said = answer(everyone.questions[""], None)
    assert any("All 4 people are marked" in claim.text for claim in said.claims)


@pytest.mark.slow
def test_the_command_says_that_nobody_is_left(tmp_path):
    path = tmp_path / "ratings.csv"
    all_failed_gold().to_csv(path, index=False)
    outcome = analyse_file(path, tmp_path / "out", ReadOptions())
    assert any("all 4 participants are marked, so nobody is left" in note for note in outcome.notes.values())
    assert (
        "all 4 participants are marked, so nobody is left" in (tmp_path / "out" / "report.html").read_text()
    )
