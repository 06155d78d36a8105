"""A researcher's pictures: what plans and studies are made of."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from generator.files.images import FORMATS_IN_WORDS, MAX_PIXELS, MEDIA_TYPES
from generator.models import Upload
from generator.sets import uploads
from survey.desk.image_set_access import may_make_sets, own_upload
from survey.desk.pages.entry import signed_in_user
from survey.desk.pages.image_sets.pictures import small

THUMBNAIL: Final = 240
#: Django refuses a request with more files before a view sees it.
MAX_FILES: Final = 100


@require_safe
def pictures(request: HttpRequest) -> HttpResponse:
    """Show the signed-in person's pictures."""
    user = _maker(request)
    context = {"uploads": Upload.objects.filter(owner=user).select_related("source"), **limits()}
    return render(request, "survey/researcher/pictures.html", context)


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Keep the pictures among the files that were sent; say of each other one why not."""
    keep_files(request)
    return redirect("pictures")


@require_safe
def thumbnail(request: HttpRequest, pk: int) -> HttpResponse:
    """Return a picture small enough for the grid."""
    return small(own_upload(request.user, pk).source.file, THUMBNAIL)


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a picture; images that were made of it stay, and so do its pixels for them."""
    found = own_upload(request.user, pk)
    uploads.remove(found)
    messages.success(request, f"{found.name} was deleted.")
    return redirect("pictures")


def keep_files(request: HttpRequest) -> list[Upload]:
    """Keep the pictures of a form's field `files` and leave a message about what became of them."""
    received = uploads.receive(_maker(request), request.FILES.getlist("files"))
    for line in received.refused:
        messages.error(request, line)
    for line in received.doubtful:
        messages.warning(request, line)
    if kept := len(received.kept):
        messages.success(request, f"{kept} picture{'s' if kept > 1 else ''} uploaded.")
    elif not received.refused:
        messages.error(request, "Choose files to upload.")
    return received.kept


def limits() -> dict[str, object]:
    """Return what a page says beside a file field."""
    return {
        "formats": FORMATS_IN_WORDS,
        "media_types": ",".join(MEDIA_TYPES),
        "most_megabytes": uploads.MAX_PICTURE_BYTES // 1_000_000,
        "most_megapixels": MAX_PIXELS // 1_000_000,
        "most_files": MAX_FILES,
    }


def _maker(request: HttpRequest) -> User:
    if not may_make_sets(request.user):
        raise Http404("no pictures of theirs")
    return signed_in_user(request)
