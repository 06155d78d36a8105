"""What a report of an error shows: never a secret, though DEBUG is on."""

from __future__ import annotations

from collections.abc import ItemsView
from types import FrameType
from typing import Any, Final

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

#: Libraries that send requests: what their functions are given holds tokens, whatever it is called.
_NOT_SHOWN: Final = ("requests", "urllib3", "http")


class Discreet(SafeExceptionReporterFilter):
    """Hide what is marked as sensitive with DEBUG too: Django's own filter hides it without DEBUG alone."""

    def is_active(self, request: HttpRequest | None) -> bool:
        """Hide, whatever DEBUG says."""
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        """Return a form's fields, without those whose names tell of a secret."""
        fields = super().get_post_parameters(request)
        return {name: self.cleanse_setting(name, value) for name, value in fields.items()}

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        """Return a function's variables, without those whose names tell of a secret."""
        if str(tb_frame.f_globals.get("__name__", "")).partition(".")[0] in _NOT_SHOWN:
            return dict.fromkeys(tb_frame.f_locals, self.cleansed_substitute).items()
        given = _secrets_of(self, request)
        shown = super().get_traceback_frame_variables(request, tb_frame)
        return {
            name: self.cleansed_substitute if _holds(value, given) else self.cleanse_setting(name, value)
            for name, value in shown
        }.items()


def _secrets_of(known: SafeExceptionReporterFilter, request: HttpRequest | None) -> list[str]:
    """Return what a request brought as secrets: fields whose names say so, and the token of a program."""
    if request is None:
        return []
    fields = [str(value) for name, value in request.POST.items() if known.hidden_settings.search(name)]
    token = request.headers.get("Authorization", "").rpartition(" ")[2]
    return [text for text in (*fields, token) if len(text) > 3]


def _holds(value: object, secrets: list[str]) -> bool:
    if not secrets:
        return False
    try:
        shown = repr(value)
    except Exception:
        return True
    return any(repr(secret)[1:-1] in shown for secret in secrets)
