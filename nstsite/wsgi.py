"""The WSGI application for the production server."""

from __future__ import annotations

import gc
import importlib
import os
from pathlib import Path

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nstsite.settings")


def load() -> None:
    """Load what the first request would wait for: the views with their libraries, and the participants' templates."""
    from django.conf import settings
    from django.template.loader import get_template
    from django.urls import get_resolver

    _ = get_resolver().url_patterns
    # Imported inside functions, so that a command that needs none of it does not wait.
    importlib.import_module("scipy.stats")
    templates = Path(settings.BASE_DIR) / "survey" / "templates"
    for path in sorted((templates / "survey").glob("*.html")):
        get_template(str(path.relative_to(templates)))
    # All this stays: a collection that looked through it would hold up every request for a tenth of a second.
    gc.collect()
    gc.freeze()


def start_clock() -> None:
    """Let each web process look from time to time for what is to be deleted."""
    from survey import housekeeping

    housekeeping.start_clock()


application = get_wsgi_application()
load()
start_clock()
