"""The methods of a study, by ITU-T P.910, and what each is called."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Method = Literal["acr", "acr-hr", "dcr", "pair"]
#: Those that need reference images.
WITH_REFERENCES: Final = ("acr-hr", "dcr")


class MethodWords(NamedTuple):
    """What a method is called.

    Attributes:
        choice: On the desk, where it is chosen.
        name: In the methods paragraph.
        description: In the pre-registration, with what is shown.
    """

    choice: str
    name: str
    description: str


METHOD_WORDS: Final[dict[str, MethodWords]] = {
    "acr": MethodWords(
        "Rating, one image at a time (ACR)",
        "Absolute Category Rating (ACR)",
        "Absolute Category Rating (ACR): each image alone, on five categories",
    ),
    "acr-hr": MethodWords(
        "Rating with hidden references (ACR-HR)",
        "Absolute Category Rating with Hidden Reference (ACR-HR)",
        "Absolute Category Rating with Hidden Reference (ACR-HR): the references are among the images, unmarked",
    ),
    "dcr": MethodWords(
        "Degradation against the reference (DCR)",
        "Degradation Category Rating (DCR)",
        "Degradation Category Rating (DCR): each image beside its reference, on the impairment scale",
    ),
    "pair": MethodWords(
        "Pair comparison",
        "pair comparison",
        "pair comparison: two images of one content, which is better, or no difference",
    ),
}
#: (value, label) for the fields of forms.
METHOD_CHOICES: Final = [(name, words.choice) for name, words in METHOD_WORDS.items()]
