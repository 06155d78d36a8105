"""Rated studies for tests of what is made of ratings."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from survey.models import Study
from survey.session.answering import rate
from survey.session.finishing import finish
from survey.session.progress import next_trial
from survey.session.starting import start
from survey.study.publish import Picture
from tests.survey.factories import make_study, picture

TWO_QUESTIONS = """
[[questions]]
key = "quality"
text = "How good is it?"
[[questions]]
key = "liking"
text = "How much do you like it?"
"""
NASTY = '=HYPERLINK("x"); $5 & 100 % <b>_é'


def rated_study(
    toml: str = "", *, slug: str = "study", people: int = 6, seed: int = 0, **options: object
) -> Study:
    """Publish six images and let `people` rate them all, each by their own taste, through the real services."""
    study = make_study(toml, slug=slug, **options)  # type: ignore[arg-type]
    give_ratings(study, people, seed)
    return study


def give_ratings(study: Study, people: int, seed: int = 0) -> None:
    """Let more people rate all images of `study`."""
    rng = np.random.default_rng(seed)
    items = {item: rng.uniform(1.5, 4.5) for item in study.stimuli.values_list("item", flat=True)}
    questions = [question.key for question in study.questions.all()]
    for _ in range(people):
        person, bias = start(study), rng.normal(0, 0.4)
        while trial := next_trial(person):
            base = items[trial.stimulus.item] + bias
            values = {key: int(np.clip(round(base + rng.normal(0, 0.8)), 1, 5)) for key in questions}
            rate(trial.token, values, revision=trial.revision)
        finish(person)


def nasty_picture() -> Picture:
    """One more image, with a name that spreadsheets, LaTeX, HTML and matplotlib would each misread."""
    return Picture(
        NASTY, partial(picture, 99), content="cat", condition="weak", factors={"strength": "weak", "level": 9}
    )


def ratings_frame(items: int = 6, people: int = 8, seed: int = 0) -> pd.DataFrame:
    """Return a tidy table of complete ratings, without any database."""
    rng = np.random.default_rng(seed)
    quality, bias = rng.uniform(1.5, 4.5, items), rng.normal(0, 0.4, people)
    rows = [
        (f"p{i}", f"item{j:03d}", int(np.clip(round(quality[j] + bias[i] + rng.normal(0, 0.8)), 1, 5)))
        for i in range(people)
        for j in range(items)
    ]
    return pd.DataFrame(rows, columns=["participant", "item", "rating"])
