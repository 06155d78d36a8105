"""Downloads and images."""

from __future__ import annotations

import tempfile
from typing import Final, NamedTuple

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, render
from django.utils.cache import add_never_cache_headers

from survey.desk.pages.image_sets.pictures import small, whole
from survey.desk.pages.results.pieces import page_context
from survey.exports import background
from survey.exports.files import NoSuchExport, formats_of, packed
from survey.exports.images import IN_MEMORY, write_images
from survey.models import Study
from survey.results.collect import NoRatings
from survey.study import stored
from survey.study.media import in_the_store


class Download(NamedTuple):
    """A download on a page: what its link says, and what is in it."""

    label: str
    holds: str


DOWNLOADS: Final = {
    "all": Download(
        "Everything, as a ZIP", "tables, plots, report, scripts, how each image was made; no image itself"
    ),
    "images": Download(
        "Images, as a ZIP", "as they were made, with their settings inside, and a table of them"
    ),
    "csv": Download("All tables, CSV", "one file a table, and a codebook of the columns"),
    "xlsx": Download("All tables, Excel", "one workbook, one sheet a table"),
    "tex": Download("Tables of scores and effects, LaTeX", "for a paper"),
    "json": Download("All tables, JSON", "one file, with the summary and the study's definition"),
    "parquet": Download("Ratings, Parquet", "one row a rating, for pandas or R"),
    "sureal": Download("SUREAL", "the ratings for Netflix's program that models subjects"),
    "sujson": Download("suJSON", "the ratings in a format to exchange subjective tests"),
    "psych-ds": Download("Psych-DS", "ratings, images and people as a dataset for psychology"),
}

THUMBNAIL: Final = 160
"""Longest side in pixels: twice what the page shows, for screens of two device pixels to one."""

_TYPES: Final = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".tex": "application/x-tex",
    ".zip": "application/zip",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def download(request: HttpRequest, study: Study, file_format: str) -> HttpResponseBase:
    """Return an export as `export_study` writes it: its one file, or all of its files in a ZIP.

    Of many ratings or large models it was made in the background, or is being made: then the page says how far it is.
    """
    try:
        if file_format in formats_of(study) and (stored.has_large_files(study) or background.is_slow(study)):
            return _from_background(request, study, file_format)
        name, data = packed(study, file_format)
    except (NoRatings, NoSuchExport) as error:
        raise Http404(str(error)) from error
    return HttpResponse(data, headers=_headers(name))


def _from_background(request: HttpRequest, study: Study, file_format: str) -> HttpResponseBase:
    if "made" in request.GET:
        made = stored.latest(study, file_format)
        if made is None:
            raise Http404(f"{file_format} of {study.slug} is no longer kept")
        headers = _headers(made.name) | {"Content-Length": str(made.size)}
        return StreamingHttpResponse(stored.read(made), headers=headers)
    context = page_context(request, study) | {
        "wanted": background.wanted(study, file_format),
        "label": DOWNLOADS[file_format].label,
    }
    response = render(request, "survey/researcher/being_made.html", context)
    add_never_cache_headers(response)
    return response


def _headers(name: str) -> dict[str, str]:
    content_type = _TYPES.get(name[name.rindex(".") :], "application/octet-stream")
    return {"Content-Type": content_type, "Content-Disposition": f'attachment; filename="{name}"'}


def image(request: HttpRequest, study: Study, name: str) -> HttpResponseBase:
    """Return an image of the study as participants see it."""
    return whole(get_object_or_404(study.stimuli, name=name).image)


def thumbnail(request: HttpRequest, study: Study, name: str) -> HttpResponse:
    """Return an image of the study small enough to stand beside its score."""
    return small(get_object_or_404(study.stimuli, name=name).image, THUMBNAIL)


@in_the_store()
def images_zip(request: HttpRequest, study: Study) -> FileResponse:
    """Return the study's images under readable names, with their provenance and a table of them."""
    # The response closes it.
    archive = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
    write_images(study, archive)
    archive.seek(0)
    return FileResponse(archive, as_attachment=True, filename=f"{study.slug}_images.zip")
