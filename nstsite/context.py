"""Context processors: values for every template."""

from __future__ import annotations

from django.http import HttpRequest

from nstsite import __version__


def version(request: HttpRequest) -> dict[str, str]:
    """Return the program's version, for the footer."""
    return {"program_version": __version__}
