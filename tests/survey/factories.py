"""Studies and people for tests: plain functions that say what they make."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from django.test import Client
from PIL import Image

from survey.models import Participant, Study, Trial
from survey.session.answering import rate
from survey.session.progress import next_trial
from survey.study.definition import Definition
from survey.study.pictures import Picture
from survey.study.publish import publish
from survey.study.study_file import parse

CONTENTS = ("cat", "dog", "owl")
CONDITIONS = ("weak", "strong")


def picture(colour: int = 0, size: tuple[int, int] = (48, 32)) -> Image.Image:
    """Return a small image; other colours are other images."""
    return Image.new("RGB", size, ((colour * 37) % 256, (colour * 101) % 256, (colour * 53) % 256))


def png(colour: int = 0) -> bytes:
    """Return a small image's bytes."""
    buffer = io.BytesIO()
    picture(colour).save(buffer, "PNG")
    return buffer.getvalue()


def pictures(contents: Sequence[str] = CONTENTS, conditions: Sequence[str] = CONDITIONS) -> list[Picture]:
    """Return one picture for each content and condition, named `content-condition`."""
    grid = [(content, condition) for content in contents for condition in conditions]
    return [
        Picture(f"{a}-{b}", partial(picture, i), content=a, condition=b, factors={"strength": b, "level": i})
        for i, (a, b) in enumerate(grid)
    ]


def make_study(
    toml: str = "", slug: str = "study", extra: Sequence[Picture] = (), **grid: Sequence[str]
) -> Study:
    """Publish a study of six pictures (or another grid) with the definition that `toml` adds to a title."""
    title = "" if "title" in toml else 'title = "A study"\n'
    return publish(slug, parse(title + toml, "study.toml"), [*pictures(**grid), *extra])


def definition(toml: str = "") -> Definition:
    """Return a definition with a title and what `toml` adds."""
    return parse('title = "A study"\n' + toml, "study.toml")


def answers_of(study: Study, value: int = 4) -> dict[str, int | str]:
    """Return one valid answer to each question of a study."""
    return {q.key: "tie" if study.method == "pair" else value for q in study.questions.all()}


def current(participant: Participant) -> Trial:
    """Return the trial whose turn it is, which there must be."""
    trial = next_trial(participant)
    assert trial is not None
    return trial


def rate_all(participant: Participant, value: int = 4, limit: int = 1000) -> int:
    """Answer a participant's trials with one value; return how many."""
    count = 0
    while count < limit and (trial := next_trial(participant)):
        rate(trial.token, answers_of(participant.study, value), revision=trial.revision)
        count += 1
    return count


def join(client: Client, study: Study, **fields: str) -> Participant:
    """Consent in a browser's stead; return the participant that it made."""
    client.post(f"/s/{study.slug}/", {"consent": "on", **fields})
    token = client.cookies["participant"].value
    return Participant.objects.get(token=token)


def answer(client: Client, trial: Trial, value: str | int = 4, **fields: str) -> Any:
    """Send one trial's form with one value for all questions."""
    study = trial.participant.study
    data = {f"q-{question.key}": value for question in study.questions.all()}
    data |= {"trial": trial.token, "revision": trial.revision, **fields}
    return client.post(f"/s/{study.slug}/rate/", data)


def folder_of_pictures(folder: Path, names: Sequence[str]) -> Path:
    """Write small PNG files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(names):
        (folder / name).write_bytes(png(i))
    return folder
