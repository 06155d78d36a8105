"""Links from the desk to the documentation. Built in: a template needs no `{% load %}` for them."""

from __future__ import annotations

from typing import Any, Final

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from survey.desk import documents

register = template.Library()

DESK: Final = "reference/desk"
#: The page and the section that explain each page of the desk, by the name of its address.
PLACES: Final[dict[str, tuple[str, str]]] = {
    "studies": (DESK, "studies"),
    "new_study": (DESK, "make-a-study"),
    "study_from_set": (DESK, "make-a-study"),
    "setup": (DESK, "set-up"),
    "setup_texts": (DESK, "texts-and-languages"),
    "setup_languages": (DESK, "texts-and-languages"),
    "setup_questions": (DESK, "question-and-scale"),
    "setup_own_questions": (DESK, "questions-of-your-own"),
    "setup_images": (DESK, "images-and-roles"),
    "setup_assignment": (DESK, "how-much-each-person-rates"),
    "setup_groups": (DESK, "groups"),
    "setup_recruitment": (DESK, "recruitment"),
    **dict.fromkeys(
        ("prolific", "prolific_draft", "prolific_step", "prolific_places", "prolific_submissions"),
        (DESK, "prolific"),
    ),
    "setup_privacy": (DESK, "privacy"),
    "setup_open": (DESK, "check-then-open"),
    "study_file": ("reference/study", ""),
    "copy": (DESK, "set-up"),
    "preregistration": (DESK, "pre-registration"),
    "invitations": (DESK, "personal-links"),
    "live": (DESK, "live"),
    **{
        f"{kind}results{view}": (DESK, anchor)
        for kind in ("", "shared_", "file_")
        for view, anchor in (
            ("", "results"),
            ("_conditions", "conditions"),
            ("_covariates", "covariates"),
            ("_groups", "groups-of-participants"),
            ("_reliability", "reliability"),
            ("_downloads", "downloads-and-method"),
        )
    },
    "common_scale": (DESK, "one-scale-with-ratings"),
    "participants": (DESK, "participants"),
    "leave_out": (DESK, "participants"),
    "sharing": (DESK, "sharing"),
    "end": (DESK, "archive-or-delete"),
    "log": (DESK, "history"),
    "whole_log": (DESK, "history"),
    "analyse_file": ("reference/ratings-files", ""),
    "ratings_file": ("reference/ratings-files", "columns"),
    "published": (DESK, "check-published-means"),
    "planning": (DESK, "how-many-people-do-i-need"),
    "account": ("reference/api", "tokens"),
    "password_change": (DESK, "accounts"),
    "second_factor": (DESK, "second-factor"),
    "accounts": (DESK, "accounts"),
    "join": (DESK, "accounts"),
    "new_password": (DESK, "accounts"),
    "sign_in_code": (DESK, "second-factor"),
    "account_of": (DESK, "accounts"),
    "pictures": (DESK, "pictures"),
    "upload": (DESK, "pictures"),
    "image_sets": (DESK, "image-sets"),
    "image_set": (DESK, "image-sets"),
    "rename_set": (DESK, "image-sets"),
    "delete_set": (DESK, "image-sets"),
    "new_plan": (DESK, "image-sets"),
    "plan": (DESK, "image-sets"),
    "set_plan": ("reference/plans", ""),
    "cell": ("reference/plans", "what-is-written-into-each-image"),
}


@register.simple_tag
def help_url(page: str, anchor: str = "") -> str:
    """Return the address of a page of the documentation, or of one of its sections."""
    return reverse("help_page", args=[page]) + (f"#{anchor}" if anchor else "")


@register.simple_tag(name="help")
def help_link(page: str, anchor: str = "") -> SafeString:
    """Return a "?" that leads to a section of the documentation.

    Args:
        page: Name of the page, such as "reference/desk".
        anchor: The section's own; empty for the whole page.
    """
    try:
        sections = documents.document(page).sections
        title = next((section.title for section in sections if section.anchor == anchor), sections[0].title)
    except documents.NoSuchPage:
        # A copy of the packages without docs/: the page itself must open all the same.
        title = page
    return format_html(
        '<a class="help-link" href="{}"><span aria-hidden="true">?</span><span class="hidden">Help: {}</span></a>',
        help_url(page, anchor),
        title,
    )


@register.simple_tag(takes_context=True)
def page_help(context: dict[str, Any]) -> SafeString:
    """Return the "?" of the page that is shown."""
    match = getattr(context.get("request"), "resolver_match", None)
    name = match.url_name if match else ""
    return help_link(*PLACES.get(name or "", (DESK, "")))
