"""The survey's addresses: participants under /s/<slug>/, and the researchers' pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
