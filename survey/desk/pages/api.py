"""The JSON API: reads what its token's account may read, changes nothing. docs/reference/api.md describes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe

from survey.access import tokens
from survey.access.studies import counted_studies, readable_study
from survey.exports.files import study_files
from survey.exports.pairs import collect_pairs
from survey.exports.tables import csv_bytes, json_bytes
from survey.models import ApiToken, Study
from survey.results.collect import NoRatings, collect, fingerprint

_JSON = "application/json"


def api(page: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Return `page(request, token, ...)` as a view for programs: a token instead of a cookie, faults as JSON."""

    @login_not_required
    @require_safe
    @wraps(page)
    def view(request: HttpRequest, **rest: Any) -> HttpResponseBase:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        token = tokens.token_of(secret.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            response: HttpResponseBase = _fault("send a token: Authorization: Bearer nstsite_...", 401)
            response["WWW-Authenticate"] = "Bearer"
            return response
        try:
            response = page(request, token, **rest)
        except Http404 as error:
            response = _fault(str(error), 404)
        patch_cache_control(response, private=True, no_cache=True)
        return response

    return view


def _fault(error: str, status: int) -> JsonResponse:
    return JsonResponse({"error": error}, status=status)


@api
def studies(request: HttpRequest, token: ApiToken) -> HttpResponseBase:
    """List the studies that the token reads."""
    rows = _readable(token).order_by("slug")
    return _json({"studies": [_study(request, study) for study in rows]})


@api
def study(request: HttpRequest, token: ApiToken, slug: str) -> HttpResponseBase:
    """Tell of one study, with its definition."""
    found = _readable(token).filter(slug=slug).first()
    if found is None:
        raise Http404(f"no study {slug!r}")
    version = found.version
    definition = {"version": version.number, "sha256": version.sha256, "definition": version.definition}
    return _json(_study(request, found) | definition)


@api
def results(request: HttpRequest, token: ApiToken, slug: str) -> HttpResponseBase:
    """Return every table and the summary, as the export `json`; what tells of single people by a token for all alone."""
    make = _results if token.scope == ApiToken.Scope.ALL else _results_without_people
    return _of_data(request, _one(token, slug), make, _JSON)


@api
def ratings(request: HttpRequest, token: ApiToken, slug: str, file_format: str) -> HttpResponseBase:
    """Return the tidy table of ratings (of choices in a pair study), as CSV or JSON."""
    writers = {"csv": (csv_bytes, "text/csv; charset=utf-8"), "json": (json_bytes, _JSON)}
    if file_format not in writers:
        raise Http404(f"no format {file_format!r}: csv or json")
    write, content_type = writers[file_format]
    found = _one(token, slug)
    if token.scope != ApiToken.Scope.ALL:
        return _fault("this token reads results only: make one that reads every rating", 403)
    return _of_data(request, found, lambda study: write(_answers(study)), content_type)


def _readable(token: ApiToken) -> QuerySet[Any]:
    return tokens.within(token, counted_studies(token.user))


def _one(token: ApiToken, slug: str) -> Study:
    found = readable_study(token.user, slug)
    if token.study_id not in (None, found.pk):
        raise Http404(f"no study {slug!r}")
    return found


def _results_without_people(study: Study) -> bytes:
    codes = frozenset(study.participants.values_list("code", flat=True))
    return json_bytes(_without_people(json.loads(_results(study)), codes))


def _without_people(value: Any, codes: frozenset[str]) -> Any:
    """Return a document without the tables of participants and without lists of their codes, at any depth."""
    if not isinstance(value, dict):
        return value
    return {
        key: _without_people(inner, codes)
        for key, inner in value.items()
        if not _tells_of_people(inner, codes)
    }


def _tells_of_people(value: Any, codes: frozenset[str]) -> bool:
    return isinstance(value, list) and any(
        "participant" in row if isinstance(row, dict) else row in codes
        for row in value
        if not isinstance(row, list)
    )


def _results(study: Study) -> bytes:
    (data,) = study_files(study, "json").values()
    return data


def _answers(study: Study) -> Any:
    return collect_pairs(study).choices if study.method == Study.Method.PAIR else collect(study).ratings


def _of_data(
    request: HttpRequest, study: Study, make: Callable[[Study], bytes], content_type: str
) -> HttpResponseBase:
    """Return what is made of a study's answers; 304 where they are as when the program last asked."""
    etag = f'"{fingerprint(study)[:32]}{"" if make is not _results_without_people else "-r"}"'
    if unchanged := get_conditional_response(request, etag=etag):
        return unchanged
    try:
        data = make(study)
    except NoRatings as error:
        raise Http404(str(error)) from error
    return HttpResponse(data, content_type=content_type, headers={"ETag": etag})


def _study(request: HttpRequest, study: Any) -> dict[str, Any]:
    def link(name: str, **keys: str) -> str:
        return request.build_absolute_uri(reverse(name, kwargs={"slug": study.slug, **keys}))

    return {
        "slug": study.slug,
        "title": study.title,
        "state": study.state,
        "method": study.method,
        "simulated": study.is_simulated,
        "created_at": study.created_at.isoformat(),
        "archived_at": study.archived_at.isoformat() if study.archived_at else None,
        "images": study.images,
        "participants": study.people,
        "finished": study.finished,
        "url": link("api_study"),
        "results": link("api_results"),
        "ratings": link("api_ratings", file_format="csv"),
    }


def _json(value: Any) -> HttpResponse:
    return HttpResponse(json_bytes(value), content_type=_JSON)
