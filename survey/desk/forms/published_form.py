"""The form of a published mean: its digits count, so mean and SD are text."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from survey.analysis.grimmer import MAX_RATINGS, Verdicts, verdicts
from survey.analysis.scale import Scale, parse_scale

DEFAULTS: Final = {"mean": "", "sd": "", "n": "", "scale": "1:5"}


class PublishedForm(forms.Form):
    """Mean, SD, number of ratings and scale; ``found`` has the verdicts of a valid form."""

    mean = forms.CharField(
        label="Mean, with all printed digits",
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 8}),
        error_messages={"required": "Enter the mean as it is printed, such as 3.66."},
    )
    sd = forms.CharField(
        label="SD, if given",
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 8}),
    )
    n = forms.IntegerField(
        label="Number of ratings",
        min_value=1,
        max_value=MAX_RATINGS,
        error_messages={"required": "Enter how many ratings the mean is of."},
    )
    scale = forms.CharField(
        label="Scale, LOW:HIGH or LOW:HIGH:STEP",
        max_length=40,
        widget=forms.TextInput(attrs={"size": 8}),
    )

    found: Verdicts
    of_scale: Scale

    def clean(self) -> dict[str, Any]:
        """Judge the numbers; a number that cannot be judged is a mistake in its field."""
        data = super().clean() or {}
        if self.errors:
            return data
        try:
            self.of_scale = parse_scale(data["scale"])
        except ValueError as error:
            self.add_error("scale", str(error))
            return data
        try:
            verdicts(data["mean"], None, data["n"], self.of_scale)
        except ValueError as error:
            self.add_error("mean" if self.of_scale.step is not None else "scale", str(error))
            return data
        try:
            self.found = verdicts(data["mean"], data["sd"].strip() or None, data["n"], self.of_scale)
        except ValueError as error:
            self.add_error("sd", str(error))
        return data
