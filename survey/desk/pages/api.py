"""The JSON API: reads what its token's account may read, changes nothing. docs/reference/api.md describes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe

from survey.access import tokens
from survey.access.studies import readable_studies, readable_study
from survey.exports import background
from survey.exports.api_documents import DOCUMENTS
from survey.exports.tables import json_bytes
from survey.models import ApiToken, Study
from survey.results.collect import NoRatings, fingerprint
from survey.results.counts import counted
from survey.study import stored

_JSON = "application/json"
_WHOLE = "results.json"
_ONLY = "results_only.json"


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
    return _of_data(request, _one(token, slug), _WHOLE if token.scope == ApiToken.Scope.ALL else _ONLY)


@api
def ratings(request: HttpRequest, token: ApiToken, slug: str, file_format: str) -> HttpResponseBase:
    """Return the tidy table of ratings (of choices in a pair study), as CSV or JSON."""
    if file_format not in ("csv", "json"):
        raise Http404(f"no format {file_format!r}: csv or json")
    found = _one(token, slug)
    if token.scope != ApiToken.Scope.ALL:
        return _fault("this token reads results only: make one that reads every rating", 403)
    return _of_data(request, found, f"ratings.{file_format}")


def _readable(token: ApiToken) -> QuerySet[Any]:
    return tokens.within(token, counted(readable_studies(token.user)))


def _one(token: ApiToken, slug: str) -> Study:
    found = readable_study(token.user, slug)
    if token.study_id not in (None, found.pk):
        raise Http404(f"no study {slug!r}")
    return found


def _of_data(request: HttpRequest, study: Study, name: str) -> HttpResponseBase:
    """Return what is made of a study's answers; 304 where they are as when the program last asked."""
    try:
        if stored.has_large_files(study) or (name.startswith("results") and background.is_slow(study)):
            return _of_large(request, study, name)
    except NoRatings as error:
        raise Http404(str(error)) from error
    etag = f'"{fingerprint(study)[:32]}{"-r" if name == _ONLY else ""}"'
    if unchanged := get_conditional_response(request, etag=etag):
        return unchanged
    try:
        data = b"".join(DOCUMENTS[name](study))
    except NoRatings as error:
        raise Http404(str(error)) from error
    return HttpResponse(data, headers={"ETag": etag, "Content-Type": _type(name)})


def _of_large(request: HttpRequest, study: Study, name: str) -> HttpResponseBase:
    """Return what was made last in the background; 503 where nothing is yet."""
    wanted = background.wanted(study, name)
    made, making = wanted.made, wanted.making
    if made is None:
        state = making.problem or making.get_state_display().lower() if making else ""
        response = _fault(f"made in the background, as it takes long ({state}): ask again in a minute", 503)
        response["Retry-After"] = "60"
        return response
    etag = f'"made-{made.pk}"'
    if unchanged := get_conditional_response(request, etag=etag):
        return unchanged
    headers = {"ETag": etag, "Content-Type": _type(name), "Content-Length": str(made.size)}
    return StreamingHttpResponse(stored.read(made), headers=headers)


def _type(name: str) -> str:
    return _JSON if name.endswith(".json") else "text/csv; charset=utf-8"


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
