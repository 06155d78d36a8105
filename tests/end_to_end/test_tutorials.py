"""The lessons on studies and ratings work word for word. Drawn pictures stand in for the reader's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.conf import settings
from PIL import Image

from survey.models import Study
from tests.end_to_end.printed import blocks, demo_account, run

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.one_database]

TUTORIALS = Path(__file__).parents[2] / "docs/tutorials"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path / "media")


def test_the_lesson_on_a_study_ends_with_its_results():
    Path("my-images").mkdir()
    for seed, name in enumerate(("practice", "noise", "harbour", "meadow", "street")):
        pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((96, 72), Image.Resampling.BICUBIC).save(f"my-images/{name}.png")
    text = (TUTORIALS / "run-a-study.md").read_text()
    demo_account()
    (study_file,) = blocks(text, "toml")
    Path("study.toml").write_text(study_file)
    for block in blocks(text, "sh"):
        run(block)
    assert Study.objects.get(slug="photographs").state == "open"
    assert len(pd.read_csv("results/mos.csv")) == 3
    assert Path("results/README.txt").is_file()


def test_the_lesson_on_ratings_prints_scores_pairs_and_people(capsys):
    text = (TUTORIALS / "analyse-ratings.md").read_text()
    names: dict[str, Any] = {}
    for language, block in re.findall(r"^```(sh|python)\n(.*?)^```", text, re.S | re.M):
        if language == "sh":
            run(block)
        else:
            exec(block, names)  # noqa: S102 - the lesson itself
    printed = capsys.readouterr().out
    assert "p_holm" in printed
    assert "correlation" in printed
    found = names["mos"].set_index("item")["mos"]
    assert found.idxmax() == "D"
    assert found.idxmin() == "A"


def test_the_example_of_the_analysis_as_a_library_prints_scores(capsys):
    Path("ratings.csv").write_text("participant,item,rating\np,a,5\np,b,3\nq,a,4\nq,b,3\n")
    (block,) = blocks((TUTORIALS.parent / "reference/analysis.md").read_text(), "python")
    exec(block, {})  # noqa: S102 - the example itself
    assert "mos" in capsys.readouterr().out
