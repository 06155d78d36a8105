"""The documentation in the product: /help/, open to everybody, so that people with a share link can read it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from survey.desk import documents


@login_not_required
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Show the first page, or with `?q=` what a search found."""
    query = request.GET.get("q", "").strip()[:200]
    if not query:
        return page(request, "index")
    hits = documents.search(query, reverse("help"))
    return render(
        request,
        "survey/researcher/help.html",
        {"query": query, "hits": hits, "contents": documents.contents(), "title": f"Search: {query}"},
    )


@login_not_required
@require_safe
def page(request: HttpRequest, name: str) -> HttpResponse:
    """Show one page; an old name leads to the page that took its place."""
    try:
        now = documents.name_of(documents.file_of(name))
        if now != name:
            return redirect("help_page", now)
        shown = documents.document(name, reverse("help"))
    except documents.NoSuchPage as error:
        raise Http404 from error
    return render(
        request,
        "survey/researcher/help.html",
        {"document": shown, "contents": documents.contents(), "title": shown.title},
    )


@login_not_required
@require_safe
def picture(request: HttpRequest, name: str) -> FileResponse:
    """Send a picture of the documentation."""
    try:
        path = documents.picture_file(name)
    except documents.NoSuchPage as error:
        raise Http404 from error
    response = FileResponse(path.open("rb"))
    response["Cache-Control"] = "public, max-age=3600"
    return response
