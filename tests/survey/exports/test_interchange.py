"""Other programs read the exports and find the same numbers."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from sureal.dataset_reader import RawDatasetReader
from sureal.subjective_model import (
    MaximumLikelihoodEstimationModelContentObliviousAlternativeProjection2 as P910,
)
from sureal.subjective_model import MosModel
from sureal.tools.misc import import_json_file

from survey.exports.interchange import p910_parts, sujson_dataset, sureal_dataset
from survey.exports.tables import json_bytes

# The exports are made in the database, once for all tests.
pytestmark = pytest.mark.django_db


def sureal_qualities(path, model):
    """Let SUREAL read a dataset file and run one of its models."""
    return model(RawDatasetReader(import_json_file(str(path)))).run_modeling()["quality_scores"]


def test_sureal_reads_it_and_finds_the_same_scores(tmp_path, export):
    path = tmp_path / "study.json"
    dataset = sureal_dataset(export, "overall")
    path.write_text(json.dumps(dataset))
    items = [video["path"] for video in dataset["dis_videos"]]
    mos = export.analysis.mos.set_index("item")["mos"].loc[items]
    quality = export.analysis.recovered.set_index("item")["quality"].loc[items]
    assert len(items) == 7
    np.testing.assert_allclose(sureal_qualities(path, MosModel), mos, atol=1e-12)
    np.testing.assert_allclose(sureal_qualities(path, P910), quality, atol=1e-6)


def test_the_p910_matrix_is_items_by_participants(export):
    matrix = pd.read_csv(
        io.BytesIO(b"".join(p910_parts(export, "overall"))), header=None, na_values="nan"
    ).to_numpy()
    assert matrix.shape == (7, 6)
    np.testing.assert_allclose(matrix.mean(axis=1), export.analysis.mos["mos"])
    np.testing.assert_allclose(matrix.mean(axis=0), export.analysis.observers["mean"])


def test_sujson_ids_all_refer_to_something(export_of_two):
    data = json.loads(json_bytes(sujson_dataset(export_of_two)))
    ids = {
        name: {row["id"] for row in data[name]}
        for name in ("src", "hrc", "pvs", "subjects", "questions", "scores")
    }
    assert len(data["trials"]) == 36
    assert len(data["scores"]) == 72
    for trial in data["trials"]:
        assert trial["subject_id"] in ids["subjects"]
        assert trial["pvs_id"] in ids["pvs"]
        assert len(trial["score_id"]) == 2
        assert set(trial["score_id"]) <= ids["scores"]
    for score in data["scores"]:
        assert score["question_id"] in ids["questions"]
    for pvs in data["pvs"]:
        assert pvs["src_id"] in ids["src"]
        assert pvs["hrc_id"] in ids["hrc"]
    assert data["scales"][0]["labels"]["Excellent"] == 5


def test_sujson_gives_the_same_mos(export):
    data = json.loads(json_bytes(sujson_dataset(export)))
    names = {row["id"]: row["path"] for row in data["pvs"]}
    scores = pd.DataFrame(data["scores"])
    mos = scores.groupby(scores["pvs_id"].map(names))["score"].mean()
    np.testing.assert_allclose(mos.loc[export.analysis.mos["item"]], export.analysis.mos["mos"])


def test_a_repeated_rating_is_a_list_in_sureal_and_a_mean_in_the_matrix(export):
    from dataclasses import replace

    again = export.ratings.iloc[[0]].assign(rating=1)
    ratings = pd.concat([export.ratings, again], ignore_index=True)
    repeated = replace(export, ratings=ratings)
    first = export.ratings.iloc[0]
    video = next(v for v in sureal_dataset(repeated, "overall")["dis_videos"] if v["path"] == first["item"])
    assert video["os"][first["participant"]] == [first["rating"], 1]
    assert b"." in b"".join(p910_parts(repeated, "overall")) or first["rating"] == 1


@pytest.mark.parametrize("key", ["quality", "liking"])
def test_each_question_is_a_sureal_dataset_of_its_own(export_of_two, key):
    dataset = sureal_dataset(export_of_two, key)
    assert dataset["dataset_name"] == f"two_{key}"
    assert all(len(video["os"]) == 6 for video in dataset["dis_videos"])
