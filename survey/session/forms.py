"""The participant's forms besides the rating itself. Answers are words for the data; labels are for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from survey.session.plates import DIGITS, plate_digits
from survey.study.about import ABOUT_TEXTS, UNDER_AGE, YES_NO, AboutQuestion
from survey.study.tables import Screening


class ConsentForm(forms.Form):
    """The agreement, not ticked beforehand."""

    consent = forms.BooleanField()

    def __init__(self, *args: Any, adults_only: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agree = _("I have read this, I am 18 or older, and I agree to take part.")
        self.fields["consent"].label = (
            agree if adults_only else _("I have read this and I agree to take part.")
        )


class AboutForm(forms.Form):
    """Optional questions about the person; whatever is left out stays unknown."""

    def __init__(self, *args: Any, asked: Sequence[AboutQuestion], adults_only: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in asked:
            _topic, text, choices = ABOUT_TEXTS[name]
            younger = [] if adults_only or name != "age" else [UNDER_AGE]
            with_none = [*younger, *choices, ("", _("I prefer not to say"))]
            self.fields[name] = forms.ChoiceField(
                label=text, choices=with_none, required=False, widget=forms.RadioSelect, initial=""
            )

    def answers(self) -> dict[str, str]:
        """Return the answers given."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class ScreeningForm(forms.Form):
    """Questions about the display and eyesight, and plates with a hidden digit. Not a diagnosis."""

    def __init__(self, *args: Any, asked: Screening, seed: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.digits = plate_digits(seed, asked.plates)
        if asked.display:
            self._ask(
                "display", _("Is the screen bright enough, and free of glare, to see fine detail?"), YES_NO
            )
        if asked.vision:
            text = _("Do you see well at this distance, with glasses or lenses if you need them?")
            self._ask("vision", text, YES_NO)
        seen = [(str(digit), str(digit)) for digit in DIGITS] + [("none", _("I see none"))]
        for number in range(1, asked.plates + 1):
            self._ask(f"plate_{number}", _("Which digit do you see in this picture?"), seen)

    def _ask(self, name: str, label: Any, choices: list[tuple[str, Any]]) -> None:
        self.fields[name] = forms.ChoiceField(label=label, choices=choices, widget=forms.RadioSelect)

    def answers(self) -> dict[str, str]:
        """Return the answers; a plate's as "right" or "wrong"."""
        answers = dict(self.cleaned_data)
        for number, digit in enumerate(self.digits, start=1):
            answers[f"plate_{number}"] = "right" if answers[f"plate_{number}"] == str(digit) else "wrong"
        return answers
