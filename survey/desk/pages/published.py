"""Whether a published mean and SD can come from whole ratings (GRIM and GRIMMER)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from survey.analysis.grimmer import HOW, sentence
from survey.desk.forms.published_form import DEFAULTS, PublishedForm


@require_safe
def published(request: HttpRequest) -> HttpResponse:
    """Judge the mean, SD, number of ratings and scale of the address; the address can be shared."""
    asked = {name: request.GET.get(name, value) for name, value in DEFAULTS.items()}
    if not request.GET:
        return render(request, "survey/researcher/published.html", {"form": PublishedForm(initial=asked)})
    form = PublishedForm(asked)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        data, found = form.cleaned_data, form.found
        sd = data["sd"].strip() or None
        context |= {
            "finding": sentence(data["mean"].strip(), sd, data["n"], form.of_scale, found),
            "with_sd": found.sd is not None,
            "rows": [(words, found.mean[how], (found.sd or {}).get(how, ())) for how, words in HOW.items()],
        }
    return render(
        request, "survey/researcher/published.html", context, status=200 if form.is_valid() else 422
    )
