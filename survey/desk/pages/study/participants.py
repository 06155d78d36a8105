"""A study's participants: whom its owner leaves out, each act a POST that is kept with who and when."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from survey.access.studies import own_study
from survey.desk.forms.leave_out_form import LeaveOutForm
from survey.desk.pages.entry import signed_in_user, tell
from survey.exports import background
from survey.models import Exclusion, Participant, Rating, Study
from survey.results.collect import NoRatings, collect
from survey.results.figures import marks_of
from survey.study import bulk, decisions
from survey.study.stored import is_large

ON_A_PAGE: Final = 200


@require_safe
def participants(request: HttpRequest, slug: str) -> HttpResponse:
    """List participants with what the screening says of each, to leave out or count again."""
    study = own_study(request.user, slug)
    people = study.participants.filter(is_preview=False).order_by("pk")
    flags = _flags(study)
    if flagged_only := "flagged" in request.GET:
        people = people.filter(code__in=flags)
    page = Paginator(people, ON_A_PAGE).get_page(request.GET.get("page"))
    decided = Exclusion.objects.filter(participant__study=study)
    context = {
        "study": study,
        "page": page,
        "flagged_only": flagged_only,
        "flagged": len(flags),
        "wanted": background.figures(study)[1] if is_large(study) else None,
        "people": _on_page(list(page), flags),
        "decided": decided.count(),
        "history": decided.order_by("-pk").select_related("participant", "by", "lifted_by")[:ON_A_PAGE],
    }
    return render(request, "survey/researcher/participants.html", context)


def _on_page(people: list[Participant], flags: dict[str, list[str]]) -> list[tuple[Participant, Any]]:
    """Return the people of one page with what flags them. Only their answers are counted, not those of the study."""
    prefetch_related_objects(
        people,
        Prefetch(
            "exclusions",
            Exclusion.objects.filter(lifted_at__isnull=True).select_related("by"),
            to_attr="in_force",
        ),
    )
    of_these = Rating.objects.filter(trial__participant__in=[person.pk for person in people]).order_by()
    answers = dict(of_these.values_list("trial__participant").annotate(n=Count("pk")))
    for person in people:
        person.answers = answers.get(person.pk, 0)  # type: ignore[attr-defined]
    return [(person, flags.get(person.code, [])) for person in people]


@require_POST
def exclude(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Leave one participant out of the results."""
    study = own_study(request.user, slug)
    person = get_object_or_404(study.participants, pk=pk)
    tell(request, lambda: decisions.exclude(person, request.POST.get("reason", ""), signed_in_user(request)))
    return redirect("participants", slug=slug)


@require_POST
def withdraw(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Delete one participant's answers, for who asks for it without the withdrawal code."""
    study = own_study(request.user, slug)
    person = get_object_or_404(study.participants, pk=pk)
    if tell(
        request, lambda: decisions.withdraw(person, request.POST.get("typed", ""), signed_in_user(request))
    ):
        messages.success(request, f"{person.code} was deleted, with every answer.")
    return redirect("participants", slug=slug)


@require_POST
def lift(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Count one participant again."""
    study = own_study(request.user, slug)
    decisions.lift(get_object_or_404(Exclusion, participant__study=study, pk=pk), signed_in_user(request))
    return redirect("participants", slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
def leave_out(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose many participants; POST: say how many they are, and once that is confirmed leave them out."""
    study = own_study(request.user, slug)
    form = LeaveOutForm(request.POST or None)
    count = None
    if request.method == "POST" and form.is_valid():
        choice = form.choice(list(_flags(study)) if form.cleaned_data["flagged"] else [])
        expected = request.POST.get("expected", "")
        if expected.isdecimal() and len(expected) < 10:
            reason, by = form.cleaned_data["reason"], signed_in_user(request)
            if tell(request, lambda: bulk.exclude_many(study, choice, reason, by, expected=int(expected))):
                messages.success(request, f"{expected} participants are left out.")
            return redirect("leave_out", slug=slug)
        count = bulk.chosen(study, choice).count()
    context = {"study": study, "form": form, "count": count, "batches": bulk.batches(study)}
    return render(request, "survey/researcher/leave_out.html", context, status=422 if form.errors else 200)


@require_POST
def lift_many(request: HttpRequest, slug: str) -> HttpResponse:
    """Count all again who were left out together."""
    study = own_study(request.user, slug)
    count = bulk.lift_many(study, request.POST.get("batch", ""), signed_in_user(request))
    messages.success(request, f"{count} participant{'' if count == 1 else 's'} included again.")
    return redirect("leave_out", slug=slug)


def _flags(study: Study) -> dict[str, list[str]]:
    """Return {participant: what flagged them, in words}; of a large study as they were last computed."""
    if is_large(study):
        figures, _ = background.figures(study)
        return {} if figures is None else figures.marks
    try:
        return marks_of(collect(study).analysis.screening)
    except NoRatings:
        return {}
