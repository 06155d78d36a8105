"""The README's tour works word for word. Only its plan is made smaller, and drawn pictures stand in for `make demo`'s."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.conf import settings
from django.urls import reverse
from PIL import Image

from tests.end_to_end.printed import blocks, demo_account, run

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.one_database]

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
TOUR = README[README.index("## A tour of ten minutes") : README.index("## Who it is for")]
(PLAN,) = blocks(TOUR, "toml")
PICTURES = re.findall(r'"\.\./(var/demo/[^"]+)"', PLAN)
#: What the test changes in the plan, so that its images take a second.
SMALLER = {
    "size = 192": "size = 48",
    "evaluations = 20": "evaluations = 2",
    "first_evaluations = 40": "first_evaluations = 2",
}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder like a clone in which `make demo` has run and the plan is saved."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path / "media")
    Path("var/demo").mkdir(parents=True)
    for seed, name in enumerate(PICTURES):
        pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((96, 72), Image.Resampling.BICUBIC).save(name)
    plan = PLAN
    for line, smaller in SMALLER.items():
        plan, times = re.subn(rf"^{line}\b", smaller, plan, flags=re.M)
        assert times == 1, line
    Path("tour").mkdir()
    Path("tour/plan.toml").write_text(plan)
    return tmp_path


def test_the_tour_goes_from_pictures_to_a_table_of_scores(checkout, client):
    researcher = demo_account()
    for block in blocks(TOUR, "sh"):
        run(block)
    scores = pd.read_csv("tour/analysis/mos.csv")
    assert scores["n"].tolist() == [30] * 6
    assert Path("tour/analysis/report.html").is_file()
    assert Path("tour/sheet.png").is_file()
    client.force_login(researcher)
    assert "on the study's results page" in TOUR
    assert "*Results* of “Strength of style (simulated)”" in TOUR
    cards = " ".join(client.get(reverse("studies")).content.decode().split())
    assert (
        f'href="{reverse("results", args=["my-trial"])}">Results<span class="hidden">: Strength of style (sim'
        in cards
    )
    page = client.get(reverse("results", args=["my-trial"]))
    assert all(f"{mos:.2f}" in page.content.decode() for mos in scores["mos"])


def test_the_readme_names_its_pictures_and_stays_short():
    assert len(README.splitlines()) <= 120
    assert len(PICTURES) == 3
