"""Metrics for Prometheus: counts from the database, the same on every host, and this host's response times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Count, Model, QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from generator.models import Cell
from nstsite import latency
from survey.models import Participant, Preference, Rating, Study
from survey.study.erasure import overdue


@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in Prometheus's text format 0.0.4; 404 without a METRICS_KEY, 403 for a wrong one."""
    if not settings.METRICS_KEY:
        raise Http404("no METRICS_KEY is set")
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_KEY}"):
        return HttpResponse("wrong or missing bearer token\n", status=403, content_type="text/plain")
    return HttpResponse(
        "".join(_lines()) + latency.text(), content_type="text/plain; version=0.0.4; charset=utf-8"
    )


def _lines() -> Iterator[str]:
    answers = Rating.objects.count() + Preference.objects.count()
    yield from _metric("answers_total", "counter", "Answers kept (ratings and preferences)", {"": answers})
    yield from _by("studies", "Studies by state", Study.objects.all(), "state")
    late = overdue().count()
    yield from _metric(
        "studies_past_purge", "gauge", "Studies with data past yesterday's purge date", {"": late}
    )
    yield from _by("participants", "Participants by state", Participant.objects.all(), "state")
    yield from _by("cells", "Images to make, by status", Cell.objects.all(), "status")
    made = Cell.objects.filter(made_at__gte=Now() - timedelta(hours=1)).count()
    yield from _metric("cells_made_last_hour", "gauge", "Images made in the last hour", {"": made})
    if apps.is_installed("procrastinate.contrib.django"):
        from procrastinate.contrib.django.models import ProcrastinateJob

        yield from _by("jobs", "Jobs of the task queue by status", ProcrastinateJob.objects.all(), "status")


def _by(name: str, text: str, rows: QuerySet[Model], column: str) -> Iterator[str]:
    counts = dict(rows.order_by().values_list(column).annotate(Count("pk")))
    values = {f'{{{column}="{value}"}}': count for value, count in sorted(counts.items())}
    yield from _metric(name, "gauge", text, values)


def _metric(name: str, kind: str, text: str, values: Mapping[str, int]) -> Iterator[str]:
    yield f"# HELP nstsite_{name} {text}.\n# TYPE nstsite_{name} {kind}\n"
    for labels, value in values.items():
        yield f"nstsite_{name}{labels} {value}\n"
