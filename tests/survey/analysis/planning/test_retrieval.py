from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from survey.analysis.planning.retrieval import retrieval, retrieval_html, retrieval_text
from survey.analysis.planning.simulation import Population, simulate


def report(**population: float):
    simulated = simulate(np.linspace(1.5, 4.5, 40), 30, Population(**population), seed=3)
    people = simulated.participants
    kinds = dict(zip(people["participant"], people["kind"], strict=True))
    return retrieval(simulated.table, {"": simulated.items[["item", "mos"]]}, kinds), simulated


def test_errors_and_coverage_are_those_of_the_means_and_their_intervals():
    found, simulated = report()
    ratings = simulated.table.groupby("item")["rating"]
    error = ratings.mean() - simulated.items.set_index("item")["mos"]
    everyone = found["scores"][0]
    assert everyone["rmse"] == pytest.approx(np.sqrt((error**2).mean()))
    assert everyone["mean_error"] == pytest.approx(error.mean())
    assert everyone["ci_coverage"] > 0.8
    assert everyone["pearson"] > 0.95


def test_the_careless_are_caught_and_cost_accuracy_until_left_out():
    found, _ = report(random_share=0.2, constant_share=0.1)
    people = {row["kind"]: row for row in found["people"]}
    assert people["random"]["people"] == 6
    assert people["random"]["flagged"] >= 4
    assert people["constant"]["flagged"] == 3
    # BT.1788 flags about a sixth of any panel in which r is below 0.7: everyone under mean less SD.
    assert people["honest"]["flagged"] <= 21 / 4
    everyone, left_out, _ = found["scores"]
    assert left_out["rmse"] < everyone["rmse"]


def test_it_is_told_in_words_and_on_a_page():
    found, _ = report(constant_share=0.1)
    text, page = retrieval_text(found), retrieval_html(found, "A <study>")
    honest = found["people"][0]
    assert f"27 honest: {honest['flagged']} false alarms" in text
    assert "3 constant: 3 caught (straight_lining 3" in text
    assert f"RMSE {found['scores'][0]['rmse']:.3f}" in text
    assert f"{found['scores'][0]['rmse']:.3f}" in page
    assert "A &lt;study&gt;" in page


def test_the_answer_comes_before_the_numbers():
    found, _ = report(random_share=0.2, constant_share=0.1)
    first, *others = retrieval_text(found).splitlines()
    order = found["scores"][0]["spearman"]
    assert first.startswith("With 30 such people, this study finds the true order of the images")
    assert f"{order:.2f}, where 1 is perfect" in first
    words, numbers = "\n".join(others).split("In numbers:")
    caught = sum(row["flagged"] for row in found["people"] if row["kind"] != "honest")
    assert f"Screening marked {caught} of 9 careless people" in words
    assert "RMSE" not in words
    assert "RMSE" in numbers


def test_a_panel_that_finds_nothing_is_told_so():
    found, _ = report()
    found["scores"][0] |= {"spearman": 0.2}
    assert "badly; ask more people" in retrieval_text(found)
    found["scores"][0] |= {"spearman": None}
    assert "cannot be told" in retrieval_text(found)


def test_truth_that_nobody_rated_is_left_aside():
    found, simulated = report()
    truth = pd.concat([simulated.items[["item", "mos"]], pd.DataFrame({"item": ["practice"], "mos": [3.0]})])
    again = retrieval(simulated.table, {"": truth}, {})
    assert again["scores"] == found["scores"]
