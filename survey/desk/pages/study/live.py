"""One page to watch a study live, and the address from which it keeps itself up to date."""

from __future__ import annotations

import hashlib
from math import log
from typing import Any, Final

import pandas as pd
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe

from survey.access.studies import own_study
from survey.analysis.planning.monitoring import LiveScores
from survey.analysis.scale import number_text
from survey.desk.pages.study.setup import participants_address
from survey.exports import background
from survey.models import Question, Study
from survey.results.monitor import QUIET, Watch, people_now, watch
from survey.session.groups import filling
from survey.study.definition import Definition, definition_of
from survey.study.prolific.link import link_of
from survey.study.stopping import standing
from survey.study.stored import is_large
from survey.study.tables import Goal

#: The images with the fewest votes that the page lists.
MAX_IMAGES: Final = 40


@require_safe
def live(request: HttpRequest, slug: str) -> HttpResponse:
    """Show how a study stands; without script a reload brings it up to date."""
    study = own_study(request.user, slug)
    address = participants_address(request, study)
    context = _context(study) | {"address": address, "prolific": link_of(study)}
    return render(request, "survey/researcher/live.html", context)


@require_safe
def now(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Return the part of the page that changes, as `{"html": ...}`; 304 where it has not (If-None-Match)."""
    html = render_to_string("survey/researcher/_live.html", _context(own_study(request.user, slug)))
    etag = f'"{hashlib.sha256(html.encode()).hexdigest()[:32]}"'
    response = JsonResponse({"html": html}, headers={"ETag": etag})
    patch_cache_control(response, private=True, no_cache=True)
    return get_conditional_response(request, etag=etag, response=response) or response


def _context(study: Study) -> dict[str, Any]:
    definition, wanted = definition_of(study.version), None
    if is_large(study):
        figures, wanted = background.figures(study)
        seen = people_now(study, None if figures is None else figures.watch)
    else:
        seen = watch(study)
    return {
        "study": study,
        "wanted": wanted,
        "watch": seen,
        "under_way": seen.began - sum(seen.people.get(kind, 0) for kind in _ENDED),
        "goal": definition.goal,
        "stopping": standing(study, definition),
        "rule_so_far": _so_far(definition, seen),
        "groups": filling(study, definition),
        "bars": _bars(seen.reached),
        "failed": sum(seen.failures.values()),
        "questions": [
            _question(question, seen, definition.goal)
            for question in study.questions.all()
            if question.key in seen.scores
        ],
        "comparisons": list(seen.comparisons.items())[:MAX_IMAGES],
        **_next_pairs(seen),
        "most": MAX_IMAGES,
    }


def _next_pairs(seen: Watch) -> dict[str, Any]:
    pairs = seen.next_pairs.pairs if seen.next_pairs else []
    return {
        "next_pairs": pairs[:MAX_IMAGES],
        "next_pairs_more": max(len(pairs) - MAX_IMAGES, 0),
        "ln2": f"{log(2):.2f}",
    }


def _so_far(definition: Definition, seen: Watch) -> str:
    """Return how far the study is from its rule; "" without one."""
    rule = definition.stop_rule
    if rule is None:
        return ""
    if rule.kind == "sessions":
        return f"{seen.sessions} of {number_text(rule.number)} sessions"
    now = "not known yet" if seen.widest is None else f"± {seen.widest:.2f} now"
    return f"± {number_text(rule.number)}, {now}"


_ENDED: Final = ("finished", "stopped", "screened-out", QUIET)


def _bars(reached: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Return (x, height, width) of the drop-off's bars in per cent of the drawing."""
    if reached.empty:
        return []
    width, top = 100 / len(reached), reached["reached"].max()
    return [
        (f"{i * width:.3f}", f"{100 * count / top:.2f}", f"{width * 0.85:.3f}")
        for i, count in enumerate(reached["reached"])
    ]


def _question(question: Question, seen: Watch, goal: Goal) -> dict[str, Any]:
    scores: LiveScores = seen.scores[question.key]
    images = scores.images
    return {
        "key": question.key,
        "text": question.text,
        "images": _rows(images.head(MAX_IMAGES)),
        "more": max(len(images) - MAX_IMAGES, 0),
        "votes_missing": int(images["votes_missing"].sum()),
        "ratings_needed": int(images["ratings_needed"].sum()),
        "fewest": int(images["votes"].min()) if len(images) else 0,
        "most": int(images["votes"].max()) if len(images) else 0,
        "conditions": None if scores.conditions is None else _rows(scores.conditions),
        "half_width": number_text(round(goal.half_width_on(question.scale), 4)),
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows with scores as text, a dash for what is not known."""
    rows = [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
    for row in rows:
        for name in ("mos", "half_width"):
            row[name] = "–" if pd.isna(row[name]) else f"{row[name]:.2f}"
        if not pd.isna(row.get("any_low")):
            row["any_look"] = f"{row['any_low']:.2f} to {row['any_high']:.2f}"
    return rows
