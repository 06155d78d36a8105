"""The page about a person's screen: a card that is matched, and how far away they sit."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from survey.analysis.viewing import ARM_CM
from survey.study.tables import Viewing

#: No screen has fewer or more CSS pixels in a millimetre: from a large television to a phone that is zoomed out.
PIXELS: Final = (1.0, 20.0)
#: Nobody sits nearer or farther, in cm.
DISTANCES: Final = (10, 500)
DISTANCE: Final = (
    ("said", _("About so many centimetres:")),
    ("arm", _("About an arm’s length: I can just touch the screen")),
    ("unknown", _("I cannot say")),
)


class ViewingForm(forms.Form):
    """What a study asks about the screen. Each part may be left open by saying so."""

    pixels_per_mm = forms.FloatField(required=False, min_value=PIXELS[0], max_value=PIXELS[1])
    dpr = forms.FloatField(required=False, min_value=0.1, max_value=20)
    no_card = forms.BooleanField(required=False)
    distance = forms.ChoiceField(
        choices=DISTANCE, required=False, error_messages={"invalid_choice": _("Please choose one answer.")}
    )
    distance_cm = forms.FloatField(
        required=False, min_value=DISTANCES[0], max_value=DISTANCES[1], localize=True
    )

    def __init__(self, *args: Any, asked: Viewing, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked

    def clean(self) -> dict[str, Any]:
        """Refuse what was neither answered nor left open."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if self.asked.card and not said.get("no_card") and said.get("pixels_per_mm") is None:
            self.errors.pop("pixels_per_mm", None)
            self.add_error("no_card", _("Match the card, or say that you have none."))
        if self.asked.distance and not said.get("distance") and "distance" not in self.errors:
            self.add_error("distance", _("Please choose one answer."))
        if said.get("distance") == "said" and said.get("distance_cm") is None:
            self.errors.pop("distance_cm", None)
            self.add_error("distance_cm", _("Give the distance in centimetres, from 10 to 500."))
        elif "distance_cm" in self.errors and said.get("distance") != "said":
            del self.errors["distance_cm"]
        return said

    def answers(self) -> dict[str, Any]:
        """Return what is kept of a valid form: only what the study asks for, no finer than it is known."""
        said, kept = self.cleaned_data, dict[str, Any]()
        if self.asked.card:
            matched = None if said["no_card"] else said["pixels_per_mm"]
            kept["pixels_per_mm"] = None if matched is None else round(matched, 3)
            kept["dpr"] = None if matched is None or said.get("dpr") is None else round(said["dpr"], 3)
        if self.asked.distance:
            by = said["distance"]
            kept["distance_by"] = by
            kept["distance_cm"] = {"said": said.get("distance_cm"), "arm": ARM_CM}.get(by)
        return kept
