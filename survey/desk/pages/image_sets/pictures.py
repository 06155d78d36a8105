"""Images as answers: whole, and small enough to stand in a grid."""

from __future__ import annotations

import io

from django.db.models.fields.files import FieldFile
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.utils.cache import patch_cache_control
from PIL import Image

from survey.study.media import in_the_store


@in_the_store()
def whole(file: FieldFile) -> HttpResponseBase:
    """Return a stored PNG. Its address always shows the same pixels, so the browser may keep it for a day."""
    response = FileResponse(file.open(), content_type="image/png")
    patch_cache_control(response, private=True, max_age=86400, immutable=True)
    return response


@in_the_store()
def small(file: FieldFile, longest: int) -> HttpResponse:
    """Return a stored image as WebP of at most `longest` px on its longest side, kept likewise."""
    buffer = io.BytesIO()
    with file.open() as opened, Image.open(opened) as picture:
        picture.thumbnail((longest, longest))
        picture.save(buffer, "WEBP", quality=80)
    response = HttpResponse(buffer.getvalue(), content_type="image/webp")
    patch_cache_control(response, private=True, max_age=86400, immutable=True)
    return response
