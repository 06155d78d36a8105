"""Downloads and images."""

from __future__ import annotations

import io
import tempfile
import zipfile
from typing import Final

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404

from survey.desk.pages.image_sets.pictures import small, whole
from survey.exports.files import NoSuchExport, study_files
from survey.exports.images import write_images
from survey.models import Study
from survey.results.collect import NoRatings

THUMBNAIL: Final = 160
"""Longest side in pixels: twice what the page shows, for screens of two device pixels to one."""

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_TYPES: Final = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".tex": "application/x-tex",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def download(request: HttpRequest, study: Study, file_format: str) -> HttpResponse:
    """Return an export as `export_study` writes it: its one file, or all of its files in a ZIP."""
    try:
        files = study_files(study, file_format)
    except (NoRatings, NoSuchExport) as error:
        raise Http404(str(error)) from error
    if len(files) == 1:
        name, data = next(iter(files.items()))
        content_type = _TYPES[name[name.rindex(".") :]]
    else:
        name, data, content_type = f"{file_format}.zip", zipped(files), "application/zip"
    response = HttpResponse(data, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{study.slug}_{name}"'
    return response


def zipped(files: dict[str, bytes]) -> bytes:
    """Return {name: bytes} as a ZIP, the same for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def image(request: HttpRequest, study: Study, name: str) -> HttpResponseBase:
    """Return an image of the study as participants see it."""
    return whole(get_object_or_404(study.stimuli, name=name).image)


def thumbnail(request: HttpRequest, study: Study, name: str) -> HttpResponse:
    """Return an image of the study small enough to stand beside its score."""
    return small(get_object_or_404(study.stimuli, name=name).image, THUMBNAIL)


def images_zip(request: HttpRequest, study: Study) -> FileResponse:
    """Return the study's images, named by content and style, with a table of them."""
    # On disk beyond 16 MB; the response closes it.
    archive = tempfile.SpooledTemporaryFile(max_size=16 * 2**20)  # noqa: SIM115
    write_images(study, archive)
    archive.seek(0)
    return FileResponse(archive, as_attachment=True, filename=f"{study.slug}_images.zip")
