"""Covariates have readable labels on pages, and keep their names in files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from generator.making.covariates import measure
from survey.analysis import analyse
from survey.analysis.covariates.labels import LABELS, label, with_labels
from survey.analysis.report.report import draw, report_html
from tests.survey.analysis.covariates.measured import measured


def test_every_measure_of_the_generator_has_a_label():
    picture = Image.fromarray(np.zeros((32, 32, 3), np.uint8))
    names = {*measure(picture, picture, picture), "content_loss", "style_loss", "near_duplicate_of"}
    assert names == set(LABELS)


def test_labels_have_no_underscore_and_are_told_apart():
    assert not any("_" in words for words in LABELS.values())
    assert len(set(LABELS.values())) == len(LABELS)


def test_a_name_of_a_researchers_own_stays_and_a_prefix_for_a_clash_goes():
    assert label("mean_luma") == "mean_luma"
    assert label("covariate_ssim") == LABELS["ssim"]


def test_only_the_column_of_covariates_is_put_in_words():
    table = pd.DataFrame({"covariate": ["ssim", "mine"], "note": ["ssim", ""]})
    assert with_labels(table)["covariate"].tolist() == [LABELS["ssim"], "mine"]
    assert with_labels(table)["note"].tolist() == ["ssim", ""]
    assert table["covariate"].tolist() == ["ssim", "mine"]


@pytest.mark.slow
def test_a_report_shows_labels_and_the_table_keeps_names():
    found = analyse(measured().rename(columns={"noise": "colour_from_style"}))
    assert found.covariates is not None
    assert found.covariates["covariate"].tolist() == ["ssim", "colour_from_style"]
    text = report_html(found, draw(found, measured()), "Wines")
    assert LABELS["colour_from_style"] in text
    assert "colour_from_style" not in text
