"""The planning page: how many participants a design needs, by assumption or by an earlier study's noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from survey.access.studies import may_create_studies, own_studies, readable_studies
from survey.analysis.items.comparisons import fewest_people
from survey.analysis.items.sos import DEFAULT_A
from survey.analysis.planning.planning import (
    Design,
    assumed_residual,
    assumed_sd,
    detectable_difference,
    plan_table,
    sample_size,
)
from survey.analysis.scale import Scale
from survey.desk.forms.planning_form import DEFAULTS, PlanningForm
from survey.exports import background
from survey.models import Study
from survey.results.collect import NoRatings, collect
from survey.study.definition import definition_of
from survey.study.readiness import load_of
from survey.study.stored import is_large


@dataclass(frozen=True)
class Noise:
    """How people differ: SOS parameter, residual variance in rating points squared, and where both are from."""

    a: float
    residual: float
    source: str


@require_safe
def planning(request: HttpRequest) -> HttpResponse:
    """Show what each precision costs in participants."""
    if not may_create_studies(request.user):
        raise Http404("may not create studies")
    studies = readable_studies(request.user).exclude(method=Study.Method.PAIR).order_by("title", "slug")
    about = studies.filter(slug=request.GET.get("noise", "")).first()
    start = DEFAULTS | (_start(about) if about else {})
    asked = {name: request.GET.get(name, value) for name, value in start.items()}
    form = PlanningForm(asked, studies=studies)
    owns = about is not None and own_studies(request.user).filter(pk=about.pk).exists()
    context: dict[str, Any] = {"form": form, "about": about, "owns": owns}
    if form.is_valid():
        scale, half_width = form.cleaned_data["scale"], form.cleaned_data["half_width"]
        noise = _noise(about, form.cleaned_data["a"], scale)
        design = form.design()
        context |= {
            "noise": noise,
            "design": design,
            "half_width": half_width,
            "scale": scale.describe(),
            "sd": assumed_sd(noise.a, scale),
            "sd_share": 100 * assumed_sd(noise.a, scale) / scale.range,
            "answer": _answer(design, noise, half_width, scale),
            "minutes": form.minutes_each(),
            "is_paid": bool(form.cleaned_data["pay"]),
            "rows": plan_table(design, a=noise.a, residual_variance=noise.residual, scale=scale).to_dict(
                "records"
            ),
        }
        for row in (context["answer"], *context["rows"]):
            row["cost"] = form.cost(row["participants"])
    return render(request, "survey/researcher/planning.html", context, status=200 if form.is_valid() else 422)


def _start(study: Study) -> dict[str, Any]:
    """Return what the form says at first for a study: its images, images for each person, first scale, goal on it, minutes."""
    definition = definition_of(study.version)
    load = load_of(study, definition)
    each = load.each if load.each < load.rated else ""
    scale = definition.questions[0].asked_on
    half_width = round(definition.goal.half_width_on(scale), 6)
    return {
        "images": load.rated,
        "each": each,
        "scale": str(scale),
        "half_width": half_width,
        "minutes": load.minutes,
    }


def _noise(study: Study | None, a: float, scale: Scale) -> Noise:
    """Return a study's noise, of its noisiest question, or what `a` implies where it has too few ratings to tell."""
    if study is None:
        typical = " (typical of generated images)" if a == DEFAULT_A else ""
        return Noise(a, assumed_residual(a, scale), f"assumed: a = {a:g}{typical}")
    if is_large(study):
        return _noise_of_large(study, a, scale)
    try:
        questions = collect(study).analysis.questions
    except NoRatings:
        source = f"assumed: a = {a:g}, as nobody has rated “{study.title}” yet"
        return Noise(a, assumed_residual(a, scale), source)
    noisiest = max(questions.values(), key=lambda part: part.summary["sos_a_used"])
    a, residual = noisiest.summary["sos_a_used"], noisiest.summary["reml_residual"]
    if residual:
        residual *= (scale.range / noisiest.scale.range) ** 2
    return Noise(a, residual or assumed_residual(a, scale), f"as in “{study.title}”: a = {a:.3f}")


def _noise_of_large(study: Study, a: float, scale: Scale) -> Noise:
    """Return the noise of a large study by its figures: how people differ is computed in its exports alone."""
    figures, _ = background.figures(study)
    if figures is None:
        source = f"assumed: a = {a:g}, as the numbers of “{study.title}” are being made"
        return Noise(a, assumed_residual(a, scale), source)
    a = max((part.a for part in figures.watch.scores.values()), default=a)
    return Noise(a, assumed_residual(a, scale), f"as in “{study.title}”: a = {a:.3f}")


def _answer(design: Design, noise: Noise, half_width: float, scale: Scale) -> dict[str, Any]:
    ratings = sample_size(half_width, a=noise.a, scale=scale)
    both = design.in_common(ratings)
    pairs = design.images * (design.images - 1) // 2
    fewest = fewest_people(pairs) if pairs else 0
    return {
        "pairs": pairs,
        "fewest": fewest if both < fewest else 0,
        "ratings": ratings,
        "participants": design.participants(ratings),
        "both": both,
        "difference": detectable_difference(noise.residual, both) if both >= 1 else None,
        "trials": design.each,
    }
