"""Looking a study up for a command."""

from __future__ import annotations

import difflib
import itertools
import os

from django.conf import settings
from django.core.management.base import CommandError
from django.urls import reverse

from generator.management.names import count, listed
from survey.models import Study

# With room for a number: a study's name may have 50 characters.
_LONGEST = 45


def study_named(slug: str) -> Study:
    """Return a study; CommandError (exit 2) with the names of the studies that exist."""
    found = Study.objects.filter(slug=slug).first()
    if found is None:
        slugs = list(Study.objects.values_list("slug", flat=True))
        near = difflib.get_close_matches(slug, slugs, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        there = f"there are: {listed(slugs)}" if slugs else "there is none yet: `create_study` makes one"
        raise CommandError(f"no study {slug!r}; {hint}{there}", returncode=2)
    return found


def site_address() -> str:
    """Return where people find the site: behind a proxy as its browsers call it, else on this computer."""
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        if "*" not in origin:
            return str(origin).rstrip("/")
    return f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"


def where(study: Study, *, is_new: bool) -> str:
    """Return a line that says which state a study is in, and its address."""
    images = count(study.stimuli.count(), "image")
    address = site_address() + reverse("participant", args=[study.slug])
    if is_new:
        return f"study {study.slug!r} is open with {images} at {address}"
    state = "a draft" if study.state == Study.State.DRAFT else study.state
    return f"study {study.slug!r} exists already with the same {images}; nothing was changed. It is {state}, at {address}"


def free_name(wanted: str) -> str:
    """Return `wanted` as a study's name, shortened and numbered where studies have it already."""
    base = wanted if len(wanted) <= _LONGEST else wanted[:_LONGEST].rpartition("-")[0] or wanted[:_LONGEST]
    taken = set(Study.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    numbered = (f"{base}-{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([base], numbered) if name not in taken)
