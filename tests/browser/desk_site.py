"""What the pictures of the desk show: the demonstration, and a study in each state, on an installation of their own."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from unittest.mock import patch

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django_otp.plugins.otp_totp.models import TOTPDevice

from generator.models import ImageSet
from survey.access.roles import Role, give_role, make_groups
from survey.models import Participant, Study
from survey.simulation.demo import RESEARCHER, demonstrate
from survey.simulation.people import simulate
from survey.study.pictures import Picture
from survey.study.publish import publish, publish_image_set
from survey.study.study_file import parse
from tests.browser.pictures import read

PASSWORD = "seven calm otters"
RUNNING = """
title = "Which style suits which photograph?"
languages = ["en", "fr"]
[consent]
organiser = {en = "Vision group, Example University", fr = "Groupe vision, université d’exemple"}
contact = "jane@example.org"
adults_only = true
[goal]
votes = 35
"""
PAIRS = """
title = "The better of two"
method = "pair"
[consent]
organiser = "Vision group, Example University"
contact = "jane@example.org"
"""
GROUPS = """
title = "Do people rate differently when they know how an image was made?"
[consent]
organiser = "Vision group, Example University"
contact = "jane@example.org"
[[groups]]
key = "plain"
[[groups]]
key = "told"
instructions = "A neural network made these images from photographs. Say how good each one looks to you."
"""


def furnish() -> None:
    """Make everything that is not there yet: slow the first time, since seven images are made.

    Codes are drawn alike each time, so that pictures of another installation show the same.
    """
    drawn = random.Random(7)
    with (
        patch("survey.models.keys.secrets.choice", drawn.choice),
        patch("survey.models.keys.secrets.randbelow", drawn.randrange),
    ):
        _furnish()


def _furnish() -> None:
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    make_groups()
    images = demonstrate().images
    researcher = User.objects.get(username=RESEARCHER)
    for name in (RESEARCHER, "ada", "mara"):
        user, _ = User.objects.get_or_create(username=name)
        user.set_password(PASSWORD)
        user.is_superuser = user.is_staff = name == "ada"
        user.save()
    give_role(User.objects.get(username="mara"), Role.RESEARCHER)
    # A second run begins the second factor anew.
    TOTPDevice.objects.all().delete()
    if not Study.objects.filter(slug="suits").exists():
        _running(images, researcher)
        _pairs(researcher)
        _groups(images, researcher)


def _running(images: ImageSet, owner: User) -> None:
    """Publish a study in which 23 people have taken part; as far as the site knows, they are real."""
    study = publish_image_set(images, "suits", definition=parse(RUNNING, "suits.toml"), owner=owner)
    simulate(study, participants=23, seed=7, careless=0.1)
    Participant.objects.filter(study=study).update(is_simulated=False)
    Study.objects.filter(pk=study.pk).update(is_simulated=False, state=Study.State.OPEN)


def _pairs(owner: User) -> None:
    folder = Path(settings.DATA_DIR) / "demo"
    pictures = [
        Picture(
            f"{name}, blur {radius}",
            partial(read, folder, name, radius, 320),
            content=name,
            condition=f"blur {radius}",
        )
        for name in ("cat", "coffee", "palace")
        for radius in (0, 2, 4)
    ]
    study = publish("pairs", parse(PAIRS, "pairs.toml"), pictures, owner=owner, is_simulated=True)
    simulate(study, participants=20, seed=3)


def _groups(images: ImageSet, owner: User) -> None:
    definition = parse(GROUPS, "groups.toml")
    study = publish_image_set(images, "groups", definition=definition, owner=owner, is_simulated=True)
    simulate(study, participants=40, seed=5)
