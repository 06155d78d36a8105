"""Choices of a pair study and ratings of another study of the same images on one scale."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from survey.access.studies import readable_studies, readable_study
from survey.analysis.pairs.common_scale import MEANING, CommonScale
from survey.desk.pages.results.pieces import interval, score
from survey.exports.common_scale import NotCommon, collect_common, common_files, partners
from survey.exports.folder import zipped
from survey.models import Study
from survey.study.stored import is_large


@require_safe
def common_scale(request: HttpRequest, slug: str) -> HttpResponse:
    """Offer the studies that share a study's images, and show the scale with the one of `?with=`.

    With `&form=zip` its files are returned instead.
    """
    study = readable_study(request.user, slug)
    others = partners(study, readable_studies(request.user).exclude(pk=study.pk))
    context: dict[str, Any] = {
        "study": study,
        "others": others,
        "is_pair": study.method == Study.Method.PAIR,
        "meaning": MEANING,
    }
    if wanted := request.GET.get("with"):
        other = readable_study(request.user, wanted)
        context["other"] = other
        try:
            if is_large(study) or is_large(other):
                raise NotCommon("There are too many ratings for a page. `manage.py common_scale` takes them.")
            export = collect_common(*((study, other) if context["is_pair"] else (other, study)))
        except NotCommon as error:
            context["complaint"] = str(error)
            return render(request, "survey/researcher/common_scale.html", context, status=422)
        if request.GET.get("form") == "zip":
            name = f'attachment; filename="{slug}-{wanted}.zip"'
            headers = {"Content-Type": "application/zip", "Content-Disposition": name}
            return HttpResponse(zipped(common_files(export)), headers=headers)
        context["simulated"] = export.simulated
        context["parts"] = [(name, scale.summary, _rows(scale)) for name, scale in export.scales.items()]
    return render(request, "survey/researcher/common_scale.html", context)


def _rows(scale: CommonScale) -> list[dict[str, Any]]:
    """Return the table's rows as text, the best first."""
    rows = scale.items.sort_values(["quality", "item"], ascending=[False, True]).to_dict("records")
    return [
        {str(name): value for name, value in row.items()}
        | {name: score(row[name]) for name in ("quality", "by_pairs", "by_ratings")}
        | {"ci": interval(row["ci_low"], row["ci_high"])}
        for row in rows
    ]
