"""The example: a finished study of simulated people, made at once from pictures that ship with the program."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Final

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST
from PIL import Image

from survey.access.studies import may_create_studies
from survey.desk.pages.entry import signed_in_user
from survey.models import Study
from survey.simulation.people import simulate
from survey.study.definition import Definition
from survey.study.pictures import Picture
from survey.study.publish import publish

TITLE: Final = "Example: one photograph in many methods"
PARTICIPANTS: Final = 30
SEED: Final = 2019
_FOLDER: Final = Path(__file__).parents[1] / "static" / "survey" / "presets"


def example_of(owner: User) -> Study:
    """Return an account's example; make it, or what is missing of it, first."""
    study = Study.objects.filter(owner=owner, title=TITLE, is_simulated=True).first()
    if study is None:
        pictures = [
            Picture(path.stem, partial(_read, path), content="photograph", condition=path.stem)
            for path in sorted(_FOLDER.glob("*.webp"))
        ]
        study = publish(
            f"example-{token_hex(4)}", Definition(title=TITLE), pictures, owner=owner, is_simulated=True
        )
    if (missing := PARTICIPANTS - study.participants.count()) > 0:
        simulate(study, participants=missing, seed=SEED)
    return study


@require_POST
def open_example(request: HttpRequest) -> HttpResponse:
    """Lead to the results of one's example."""
    if not may_create_studies(request.user):
        raise Http404("may not create studies")
    return redirect("results", slug=example_of(signed_in_user(request)).slug)


def _read(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")
