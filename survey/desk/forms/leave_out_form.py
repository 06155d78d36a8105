"""Which participants are left out together, and why."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms

from survey.study.bulk import CAME, Choice

_TIME = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]


class LeaveOutForm(forms.Form):
    """A choice of participants with a reason."""

    since = forms.DateTimeField(
        label="Started from (UTC)", required=False, widget=_TIME, input_formats=_FORMATS
    )
    until = forms.DateTimeField(
        label="Started to (UTC)", required=False, widget=_TIME, input_formats=_FORMATS
    )
    came = forms.ChoiceField(label="Came", required=False, choices=list(CAME.items()))
    invitation = forms.CharField(label="By this personal link (empty: any)", required=False, max_length=500)
    flagged = forms.BooleanField(label="Only those whom a screening rule marks", required=False)
    reason = forms.CharField(label="Reason, printed with the results", max_length=200)

    def choice(self, flagged: Collection[str]) -> Choice:
        """Return what a valid form chooses; `flagged` are the codes of those whom a rule flags."""
        cleaned: dict[str, Any] = self.cleaned_data
        return Choice(
            since=cleaned["since"],
            until=cleaned["until"],
            came=cleaned["came"],
            # The whole link, as it was sent, or its token alone.
            invitation=cleaned["invitation"].strip().rpartition("invitation=")[2],
            codes=flagged if cleaned["flagged"] else None,
        )
