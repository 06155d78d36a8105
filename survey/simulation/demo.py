"""The demonstration, from photographs to a table of Mean Opinion Scores. It skips finished steps."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from django.conf import settings
from django.contrib.auth.models import User

from generator.demo.pictures import gather
from generator.making.render import Listener, render
from generator.models import ImageSet
from generator.plans.plan import load_plan
from generator.sets.create import image_set_from_plan
from survey.access.roles import Role, give_role
from survey.analysis import analyse
from survey.models import Study
from survey.results.tidy_table import tidy_table
from survey.simulation.people import simulate
from survey.study.definition import Definition
from survey.study.publish import publish_image_set

PLAN = Path(settings.BASE_DIR) / "generator" / "demo" / "demo.toml"
OPEN = "demo"
SIMULATED = "demo-simulated"
PARTICIPANTS = 45
SEED = 2019
RESEARCHER = "researcher"


class DemoError(Exception):
    """The demonstration cannot be finished; the message gives the cause and the fix."""


@dataclass(frozen=True)
class Demonstration:
    """The results of the demonstration. `mos` is the simulated study's table, `password` the researcher's."""

    images: ImageSet
    mos: pd.DataFrame
    password: str


def demonstrate(plan: Path | None = None, *, progress: Listener | None = None) -> Demonstration:
    """Make the plan's images, publish them twice, and let simulated participants rate the second study.

    Args:
        plan: A plan file; None for the shipped plan.
        progress: As in `render.render`.

    Raises:
        DemoError: If an image could not be made.
        Exception: As in `load_plan` and `gather`.
    """
    plan = plan or PLAN
    folder = Path(settings.DATA_DIR) / "demo"
    gather(folder)
    local_plan = Path(shutil.copy(plan, folder / plan.name))
    owner, password = _researcher()
    image_set = image_set_from_plan(load_plan(local_plan))
    # A set that a command makes belongs to nobody, and only administrators would see it.
    ImageSet.objects.filter(pk=image_set.pk, owner=None).update(owner=owner)
    summary = render(image_set, progress=progress)
    if summary.failed:
        raise DemoError(
            f"{summary.failed} images failed: python manage.py generate {local_plan} --retry-failed"
        )
    _published(image_set, OPEN, owner, is_simulated=False)
    simulated = _published(image_set, SIMULATED, owner, is_simulated=True)
    if (missing := PARTICIPANTS - simulated.participants.count()) > 0:
        simulate(simulated, participants=missing, seed=SEED)
    return Demonstration(image_set, analyse(tidy_table(simulated)).mos, password)


def _published(image_set: ImageSet, slug: str, owner: User, *, is_simulated: bool) -> Study:
    if found := Study.objects.filter(slug=slug).first():
        return found
    definition = Definition(title=f"{image_set.title} (simulated)" if is_simulated else image_set.title)
    return publish_image_set(image_set, slug, definition=definition, owner=owner, is_simulated=is_simulated)


def _researcher() -> tuple[User, str]:
    """Return the demonstration's researcher and password. The password is stored, so that a second run can print it."""
    path = Path(settings.DATA_DIR) / "demo" / "password"
    user = User.objects.filter(username=RESEARCHER).first()
    if user and path.exists():
        return user, path.read_text()
    password = secrets.token_urlsafe(9)
    path.touch(mode=0o600)
    path.write_text(password)
    is_new = user is None
    user = user or User(username=RESEARCHER)
    user.set_password(password)
    user.save()
    if is_new:
        give_role(user, Role.RESEARCHER)
    return user, password
