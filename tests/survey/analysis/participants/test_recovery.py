from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from sureal.dataset_reader import RawDatasetReader
from sureal.subjective_model import SubjectiveModel

from survey.analysis.participants.recovery import components, recover
from survey.analysis.planning.simulation import Population, simulate
from tests.survey.analysis.tables import coded, few, rows, sparse_study, study, tables


def sureal(table: pd.DataFrame) -> Any:
    """What Netflix's program makes of the same table (the model and interval of the P.910 demonstration)."""

    class Dataset:
        dataset_name, yuv_fmt, width, height, quality_width, quality_height = "study", "notyuv", 1, 1, 1, 1
        ref_videos = [{"content_id": 0, "path": ""}]
        dis_videos = [
            {
                "content_id": 0,
                "asset_id": i,
                "path": "",
                "os": {name: list(part["rating"]) for name, part in group.groupby("participant")},
            }
            for i, (_, group) in enumerate(table.groupby("item"))
        ]

    model = SubjectiveModel.find_subclass("Subject_MLE_Projection2")
    with contextlib.redirect_stdout(io.StringIO()):
        return model(RawDatasetReader(Dataset)).run_modeling()


def repeated() -> pd.DataFrame:
    table = study(items=12, participants=9)
    return pd.concat([table, table.assign(rating=np.clip(table["rating"] + table["position"] % 2, 1, 5))])


@pytest.mark.parametrize(
    "table", [study(), sparse_study(), repeated()], ids=["complete", "sparse", "repeated"]
)
def test_the_strict_model_is_surreals(table):
    ours, theirs = recover(coded(table)), sureal(table)
    assert ours.converged
    assert ours.rounds == theirs["num_iter"]
    np.testing.assert_allclose(ours.items["quality"], theirs["quality_scores"], atol=1e-9)
    np.testing.assert_allclose(
        ours.items["ci_high"] - ours.items["quality"], theirs["quality_scores_ci95"][1], atol=1e-6
    )
    # Both sort participants by name.
    np.testing.assert_allclose(ours.observers["bias"], theirs["observer_bias"], atol=1e-9)
    np.testing.assert_allclose(ours.observers["inconsistency"], theirs["observer_inconsistency"], atol=1e-6)


def test_it_finds_who_is_careless_and_who_is_biased():
    simulated = simulate(np.linspace(1.5, 4.5, 60), 20, Population(random_share=0.15), seed=4)
    observers = recover(coded(simulated.table), "shrunken").observers.set_index("participant")
    truth = simulated.participants.set_index("participant")
    careless = truth.index[truth["kind"] == "random"]
    assert set(observers["inconsistency"].nlargest(3).index) == set(careless)
    honest = truth.index[truth["kind"] == "honest"]
    assert np.corrcoef(observers.loc[honest, "bias"], truth.loc[honest, "bias"])[0, 1] > 0.9


def test_one_drop_out_with_a_single_rating_moves_every_strict_score_but_hardly_a_shrunken_one():
    table = study(items=30, participants=18)
    with_drop_out = pd.concat([table, rows("zz item3 5")], ignore_index=True)
    moved = {
        variant: pd.Series.abs(
            recover(coded(with_drop_out), variant).items["quality"]
            - recover(coded(table), variant).items["quality"]
        )
        for variant in ("strict", "shrunken")
    }
    assert moved["strict"].min() > 0.05
    assert moved["shrunken"].median() < 0.005


@given(tables())
@few
def test_the_shrunken_model_keeps_the_grand_mean_and_settles(table):
    ratings = coded(table)
    model = recover(ratings, "shrunken")
    assert model.converged
    fitted = (
        model.items["quality"].to_numpy()[ratings.item]
        + model.observers["bias"].to_numpy()[ratings.participant]
    )
    assert abs(float(np.dot(model.observers["n"], model.observers["bias"]))) < 1e-6
    assert fitted.shape == ratings.rating.shape
    assert np.isfinite(model.items.drop(columns="item").to_numpy(float)).all()


@given(tables())
@few
def test_turning_the_scale_round_turns_quality_and_bias_round(table):
    model = recover(coded(table), "shrunken")
    turned = recover(coded(table.assign(rating=6 - table["rating"])), "shrunken")
    np.testing.assert_allclose(turned.items["quality"], 6 - model.items["quality"], atol=1e-6)
    np.testing.assert_allclose(turned.observers["bias"], -model.observers["bias"], atol=1e-6)
    np.testing.assert_allclose(turned.observers["inconsistency"], model.observers["inconsistency"], atol=1e-6)


def test_parts_that_nobody_connects_are_counted():
    assert components(coded(rows("a x 1\na y 2\nb z 3"))) == 2
    assert components(coded(rows("a x 1\na y 2\nb z 3\nb y 3"))) == 1


def test_with_few_ratings_each_the_shrunken_model_is_nearer_the_truth_than_strict_and_mean():
    errors = {"strict": 0.0, "shrunken": 0.0, "mean": 0.0}
    for seed in range(4):
        simulated = simulate(
            np.linspace(1.5, 4.5, 60), 240, Population(random_share=0.1), per_participant=5, seed=seed
        )
        truth = simulated.items.sort_values("item")["quality"].to_numpy()
        ratings = coded(simulated.table)
        scores = {v: recover(ratings, v).items["quality"].to_numpy() for v in ("strict", "shrunken")}
        scores["mean"] = simulated.table.groupby("item")["rating"].mean().to_numpy()
        for name, score in scores.items():
            errors[name] += float(((score - truth) ** 2).mean())
    assert errors["shrunken"] < errors["mean"] < errors["strict"]
