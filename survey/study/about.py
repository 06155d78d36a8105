"""The questions about the person that ship with the site (`about` of a study file): optional, and after the images."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from django.utils.translation import gettext_lazy as _

AboutQuestion = Literal["age", "gender", "eyesight", "screen", "experience"]
YES_NO: Final = [("yes", _("Yes")), ("no", _("No"))]
#: The band of those who may take part where the study is not for adults only.
UNDER_AGE: Final = ("under-18", _("Under 18"))
#: What stands before a question's key in the tables' columns; a study's own questions about the person have it, too.
ABOUT_PREFIX: Final = "about_"


class AboutText(NamedTuple):
    """One question.

    Attributes:
        topic: What it is about, for researchers.
        text: What people are asked.
        choices: (word for the data, label for people).
    """

    topic: str
    text: Any
    choices: list[tuple[str, Any]]


#: Coarse bands only: no answer narrows a person down.
ABOUT_TEXTS: Final[dict[AboutQuestion, AboutText]] = {
    "age": AboutText(
        "age",
        _("How old are you?"),
        [("18-29", _("18–29")), ("30-44", _("30–44")), ("45-59", _("45–59")), ("60+", _("60 or older"))],
    ),
    "gender": AboutText(
        "gender",
        _("What is your gender?"),
        [("woman", _("Woman")), ("man", _("Man")), ("other", _("Another"))],
    ),
    "eyesight": AboutText(
        "eyesight",
        _("How did you see the images?"),
        [
            ("unaided", _("Without glasses or lenses; I need none")),
            ("corrected", _("With my glasses or lenses")),
            ("uncorrected", _("Without the glasses or lenses that I need")),
        ],
    ),
    "screen": AboutText(
        "the screen they used",
        _("On what did you see the images?"),
        [("phone", _("Phone")), ("tablet", _("Tablet")), ("laptop", _("Laptop")), ("monitor", _("Monitor"))],
    ),
    "experience": AboutText(
        "experience with images",
        _("Do you work with image quality, or did you rate images in the last six months?"),
        YES_NO,
    ),
}
