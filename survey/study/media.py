"""Files of images in the media store, which may be gone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.http import Http404


@contextlib.contextmanager
def in_the_store() -> Iterator[None]:
    """Answer 404 where an image's file is missing: somebody deleted it meanwhile, or the media store lost it."""
    try:
        yield
    except FileNotFoundError as error:
        raise Http404("an image is not in the media store") from error
