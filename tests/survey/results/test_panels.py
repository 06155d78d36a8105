from __future__ import annotations

from survey.analysis import analyse, check
from survey.results.panels import weighted_by_model
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
