"""The log of administrative acts: of one study for its owner, of everything for admins; as a page and as CSV."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from survey.access import audit
from survey.access.studies import own_study
from survey.desk.pages.entry import signed_in_user
from survey.exports.tables import csv_bytes
from survey.models import AuditEntry, Study

ON_A_PAGE = 100


@require_safe
def log(request: HttpRequest, slug: str) -> HttpResponse:
    """List one study's acts, newest first."""
    study = own_study(request.user, slug)
    return _page(request, study.audit.all(), study)


@require_safe
def log_file(request: HttpRequest, slug: str) -> HttpResponse:
    """Return one study's acts as CSV."""
    return _file(own_study(request.user, slug).audit.all(), f"{slug}_log.csv")


@require_safe
def whole_log(request: HttpRequest) -> HttpResponse:
    """List every act, those of deleted studies too."""
    return _page(request, _everything(request), None)


@require_safe
def whole_log_file(request: HttpRequest) -> HttpResponse:
    """Return every act as CSV."""
    return _file(_everything(request), "log.csv")


def _everything(request: HttpRequest) -> QuerySet[AuditEntry]:
    if not signed_in_user(request).is_superuser:
        raise Http404("for admins")
    return AuditEntry.objects.all()


def _page(request: HttpRequest, entries: QuerySet[AuditEntry], study: Study | None) -> HttpResponse:
    page = Paginator(entries, ON_A_PAGE).get_page(request.GET.get("page"))
    rows = [(entry, audit.in_words(entry), sorted(entry.detail.items())) for entry in page]
    return render(request, "survey/researcher/log.html", {"study": study, "page": page, "rows": rows})


def _file(entries: QuerySet[AuditEntry], name: str) -> HttpResponse:
    data = csv_bytes(audit.table(entries.order_by("pk").iterator()))
    response = HttpResponse(data, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
