"""Rated studies for tests of what is made of ratings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO
from unittest import mock

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from survey.analysis.plots import style
from survey.models import Study
from survey.session.answering import rate
from survey.session.finishing import finish
from survey.session.progress import next_trial
from survey.session.starting import start
from survey.simulation.people import simulate
from survey.study.pictures import Picture
from tests.survey.factories import make_study, picture
from tests.survey.kept import kept

TWO_QUESTIONS = """
[[questions]]
key = "quality"
text = "How good is it?"
[[questions]]
key = "liking"
text = "How much do you like it?"
"""
BLANK = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>'
NASTY = '=HYPERLINK("x"); $5 & 100 % <b>_é'


def rated_study(
    toml: str = "", *, slug: str = "study", people: int = 6, seed: int = 0, **options: object
) -> Study:
    """Publish six images and let `people` rate them all, each by their own taste, through the real services.

    Only the first study of a kind is made so in a process (`kept`).
    """

    def make() -> Study:
        study = make_study(toml, slug=slug, **options)  # type: ignore[arg-type]
        give_ratings(study, people, seed)
        return study

    return kept((toml, slug, people, seed, repr(options)), make)


def simulated_study(
    toml: str = "", *, slug: str = "study", people: int, seed: int, careless: float = 0.0, **options: object
) -> Study:
    """Publish six images and let simulated people rate them all; only the first time through the real services."""

    def make() -> Study:
        study = make_study(toml, slug=slug, **options)  # type: ignore[arg-type]
        simulate(study, participants=people, seed=seed, careless=careless)
        study.refresh_from_db()
        return study

    return kept(("simulated", toml, slug, people, seed, careless, repr(options)), make)


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


@contextlib.contextmanager
def without_rendering() -> Iterator[None]:
    """Compose plots and write empty pictures for them: rendering takes most of an export's time."""

    with mock.patch.dict(style._PRINTERS, dict.fromkeys(style._PRINTERS, _Blank)):
        yield


class _Blank:
    """Prints an empty picture of any format, whatever the figure."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure

    def print_svg(self, file: BinaryIO, **options: object) -> None:
        file.write(BLANK)

    print_png = print_pdf = print_svg


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
