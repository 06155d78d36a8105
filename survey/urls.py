"""The survey's addresses: participants under /s/<slug>/, and the researchers' pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from survey.session.pages import participant, trials
from survey.simulation.example import open_example

participant_pages = [
    path("", participant.welcome, name="participant"),
    path("screening/", participant.screening, name="screening"),
    path("plate/<int:number>", participant.plate, name="plate"),
    path("viewing/", participant.viewing, name="viewing"),
    path("before/", participant.before, name="before"),
    path("rate/", trials.rate, name="rate"),
    path("skip/", trials.skip, name="skip"),
    path("undo/", trials.undo, name="undo"),
    path("image/<str:name>", trials.image, name="image"),
    path("about/", participant.about, name="about"),
    path("done/", participant.done, name="done"),
    path("again/", participant.again, name="again"),
    path("return/<str:token>", participant.come_back, name="come_back"),
    path("leave/", participant.leave, name="leave"),
    path("delete/", participant.delete, name="delete"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", participant.home, name="home"),
    path("s/<slug:slug>/", include(participant_pages)),
    path("example/", open_example, name="open_example"),
    # First: `studies/new/` is no study.
    path("", include("survey.desk.image_set_urls")),
    path("", include("survey.desk.account_urls")),
    path("", include("survey.desk.urls")),
]
