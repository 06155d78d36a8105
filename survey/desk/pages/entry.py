"""Decorators that let a reader into a study's pages: signed in, or by a share link."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from survey.access.errors import DeskError
from survey.access.studies import readable_study, shared_study
from survey.models import Study

Page = Callable[Concatenate[HttpRequest, Study, ...], HttpResponseBase]


def signed_in(page: Page) -> Callable[..., HttpResponseBase]:
    """Return `page` as a view that takes a study's slug and answers 404 to those who may not read it."""

    @require_safe
    @wraps(page)
    def view(request: HttpRequest, slug: str, **rest: Any) -> HttpResponseBase:
        return page(request, readable_study(request.user, slug), **rest)

    return view


def by_link(page: Page) -> Callable[..., HttpResponseBase]:
    """Return `page` as a view that takes a share link's token and asks for no account."""

    @login_not_required
    @require_safe
    @wraps(page)
    def view(request: HttpRequest, token: str, **rest: Any) -> HttpResponseBase:
        response = page(request, shared_study(token), **rest)
        # The address is the secret: no cache between may keep the page, no search engine list it.
        response["X-Robots-Tag"] = "noindex"
        return response

    return view


def signed_in_user(request: HttpRequest) -> User:
    """Return who is signed in, where the middleware lets nobody else in."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def tell(request: HttpRequest, act: Callable[[], Any]) -> bool:
    """Do what was asked for; where it cannot be done, leave the reason for the next page and return False."""
    try:
        act()
    except DeskError as error:
        messages.error(request, str(error))
        return False
    return True
