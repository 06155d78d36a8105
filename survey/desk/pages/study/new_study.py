"""From images to a study: those of a set, or pictures that were uploaded."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from generator.files.images import ImageError
from generator.models import Cell, Upload
from survey.access.studies import may_create_studies
from survey.desk.forms.new_study_form import NewStudyForm
from survey.desk.image_set_access import may_make_sets, readable_set
from survey.desk.pages.entry import signed_in_user
from survey.desk.pages.image_sets.uploads import keep_files, limits
from survey.models import Study
from survey.study.pictures import PublishError, pictures_of_uploads
from survey.study.publish import publish, publish_image_set


@require_http_methods(["GET", "HEAD", "POST"])
def from_set(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for what a study of a set's images (all, or those that are ticked) needs; POST: make it."""
    found = readable_set(request.user, slug)
    owner = _maker(request)
    asked = request.POST if request.method == "POST" else request.GET
    ticked = {int(index) for index in asked.getlist("cell") if index.isdecimal() and len(index) < 10}
    cells = found.cells.filter(status=Cell.Status.DONE)
    chosen = cells.filter(index__in=ticked) if ticked else cells
    form = NewStudyForm(request.POST or None, initial={"title": found.title})
    if request.method == "POST" and form.is_valid():
        try:
            study = publish_image_set(
                found,
                form.cleaned_data["slug"],
                definition=form.definition,
                owner=owner,
                state=Study.State.DRAFT,
                only=ticked or None,
            )
        except (PublishError, ImageError) as error:
            form.add_error(None, str(error))
        else:
            return redirect("setup", slug=study.slug)
    context = {"form": form, "set": found, "cells": chosen.defer("provenance"), "ticked": sorted(ticked)}
    return render(request, "survey/researcher/new_study.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def from_pictures(request: HttpRequest) -> HttpResponse:
    """Ask for what a study of uploaded pictures needs; POST: keep files that come along, and make it."""
    owner = _maker(request)
    asked = request.POST if request.method == "POST" else request.GET
    ticked = set(asked.getlist("picture"))
    if request.FILES and may_make_sets(request.user):
        ticked |= {upload.name for upload in keep_files(request)}
    uploads = list(Upload.objects.filter(owner=owner).select_related("source"))
    chosen = [upload for upload in uploads if upload.name in ticked]
    # A press of "Upload" only brings pictures in.
    form = NewStudyForm(request.POST if "make" in request.POST else None, initial=_typed(request))
    if form.is_bound and not chosen:
        form.add_error(None, "Tick the images for the study.")
    elif form.is_bound and form.is_valid():
        try:
            definition = form.definition
            assert definition is not None  # noqa: S101 - a valid form has one
            study = publish(
                form.cleaned_data["slug"],
                definition,
                pictures_of_uploads(chosen),
                owner=owner,
                state=Study.State.DRAFT,
            )
        except (PublishError, ImageError) as error:
            form.add_error(None, str(error))
        else:
            return redirect("setup", slug=study.slug)
    context = {
        "form": form,
        "uploads": [(upload, upload.name in ticked) for upload in uploads],
        "may_upload": may_make_sets(request.user),
        **limits(),
    }
    return render(request, "survey/researcher/new_study.html", context, status=422 if form.errors else 200)


def _typed(request: HttpRequest) -> dict[str, str]:
    """Return what stood in the form when a picture was uploaded, so that nothing typed is lost."""
    return {name: request.POST[name] for name in NewStudyForm.base_fields if request.POST.get(name)}


def _maker(request: HttpRequest) -> User:
    if not may_create_studies(request.user):
        raise Http404("no studies of theirs")
    return signed_in_user(request)
