"""The baseline of the load benchmark: a Django view with one SELECT and one INSERT, and almost no middleware.

It is both a settings module and a URL configuration. It runs in the same server on the same database as the survey.
"""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.bare")

from django.http import HttpRequest, HttpResponse
from django.urls import path

from nstsite.settings import *  # noqa: F403

# Sets Content-Length, so that connections are kept alive as the survey's are.
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "benchmarks.bare"


def one_select_one_insert(request: HttpRequest) -> HttpResponse:
    """Look the form's participant up, and write one row for them."""
    from survey.models import Invitation, Participant

    participant = Participant.objects.get(token=request.POST["participant"])
    Invitation.objects.create(study_id=participant.study_id)
    return HttpResponse("kept")


urlpatterns = [path("", one_select_one_insert)]
