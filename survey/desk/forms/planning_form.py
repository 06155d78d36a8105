"""The planning page's form: a design, and how much people are taken to differ."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django import forms

from survey.analysis.items.sos import DEFAULT_A
from survey.analysis.planning.planning import Cost, Design, cost_of
from survey.analysis.scale import ACR, Scale, parse_scale
from survey.desk.study_cards import names
from survey.models import Study
from survey.study.readiness import IMAGE_SECONDS

DEFAULTS: Final = {
    "images": 30,
    "each": "",
    "scale": str(ACR),
    "half_width": 0.25,
    "drop_out": 10,
    "noise": "",
    "a": DEFAULT_A,
    "minutes": "",
    "pay": "",
    "fee": "",
}
#: Half widths that can be asked for, as shares of the scale's range.
MIN_SHARE, MAX_SHARE = 1 / 80, 1 / 2


class PlanningForm(forms.Form):
    """What is asked on the planning page; sent by GET, so that a plan can be kept as an address."""

    images = forms.IntegerField(label="Images", min_value=1, max_value=10_000)
    each = forms.IntegerField(
        label="Images each participant rates (empty: all)", min_value=1, max_value=10_000, required=False
    )
    scale = forms.CharField(label="Scale, such as 1:5, 0:10 or 0:100", max_length=40)
    half_width = forms.FloatField(label="Wanted precision, ± points")
    drop_out = forms.FloatField(label="People lost or left out, %", min_value=0, max_value=90)
    noise = forms.ChoiceField(label="Spread of opinions taken from", required=False)
    a = forms.FloatField(label="Assumed SOS a", min_value=0.01, max_value=1)
    minutes = forms.FloatField(
        label="Minutes of a session (empty: estimated)", min_value=0.5, max_value=600, required=False
    )
    pay = forms.FloatField(
        label="Pay for an hour (empty: unpaid)", min_value=0, max_value=1e6, required=False
    )
    fee = forms.FloatField(
        label="The platform’s fee, % of the pay", min_value=0, max_value=500, required=False
    )

    def __init__(self, *args: Any, studies: Iterable[Study], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["noise"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", "assumed (SOS a)"), *names(studies)]
        for name in ("half_width", "drop_out", "a", "minutes", "pay", "fee"):
            self.fields[name].widget.attrs["step"] = "any"

    def clean_scale(self) -> Scale:
        """Read LOW:HIGH or LOW:HIGH:STEP."""
        try:
            return parse_scale(self.cleaned_data["scale"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        """Nobody rates more images than there are, and a precision fits its scale."""
        data = super().clean() or {}
        if "half_width" in data and "scale" in data:
            least, most = (share * data["scale"].range for share in (MIN_SHARE, MAX_SHARE))
            if not least <= data["half_width"] <= most:
                scale = data["scale"].describe()
                self.add_error("half_width", f"On a scale of {scale} this is {least:g} to {most:g}.")
        if data.get("images") and (data.get("each") or 0) > data["images"]:
            self.add_error("each", f"There are only {data['images']} images.")
        return data

    def minutes_each(self) -> float:
        """Return the minutes of a session of a valid form: as it says, or by the images of a session."""
        data = self.cleaned_data
        return data["minutes"] or max(1, round(self.design().each * IMAGE_SECONDS / 60))

    def cost(self, participants: int) -> Cost:
        """Return what the sessions of so many people take, by a valid form."""
        data = self.cleaned_data
        return cost_of(participants, self.minutes_each(), data["pay"] or 0, (data["fee"] or 0) / 100)

    def design(self) -> Design:
        """Return the design of a valid form."""
        data = self.cleaned_data
        return Design(data["images"], data["each"] or data["images"], data["drop_out"] / 100)
