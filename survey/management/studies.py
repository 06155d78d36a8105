"""Looking a study up for a command."""

from __future__ import annotations

import difflib

from django.core.management.base import CommandError

from survey.models import Study


def study_named(slug: str) -> Study:
    """Return a study; exit 2 with the nearest name when there is none."""
    try:
        return Study.objects.get(slug=slug)
    except Study.DoesNotExist:
        slugs = list(Study.objects.values_list("slug", flat=True))
        close = difflib.get_close_matches(slug, slugs, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(slugs) or 'none'}"
        raise CommandError(f"no study {slug!r}; {hint}", returncode=2) from None
