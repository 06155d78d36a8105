"""The questions that are asked where a study file asks none, the labels of each method, and how a scale is shown.

Labels are not equally spaced, nor spaced alike across languages: the language of each participant is kept with the
ratings.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from survey.analysis.labels import ACR, DCR, Labels
from survey.analysis.scale import Scale, number_text

__all__ = [
    "ACR",
    "DCR",
    "LANGUAGES",
    "QUESTIONS",
    "Labels",
    "anchors",
    "default_labels",
    "rating_on",
]

_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?", re.ASCII)

LANGUAGES: Final = tuple(ACR)

#: The question asked where a study file asks none of its own, by method and language.
QUESTIONS: Final[dict[str, dict[str, str]]] = {
    "acr": {
        "en": "How do you rate the overall quality of this image?",
        "fr": "Comment évaluez-vous la qualité globale de cette image ?",
        "de": "Wie beurteilen Sie die Gesamtqualität dieses Bildes?",
        "es": "¿Cómo valora la calidad general de esta imagen?",
    },
    "dcr": {
        "en": "How do you rate the difference of the second image from the reference?",
        "fr": "Comment jugez-vous la différence de la seconde image par rapport à la référence ?",
        "de": "Wie beurteilen Sie den Unterschied des zweiten Bildes zur Referenz?",
        "es": "¿Cómo valora la diferencia de la segunda imagen respecto a la referencia?",
    },
    "pair": {
        "en": "Which of the two images looks better?",
        "fr": "Laquelle des deux images est la meilleure ?",
        "de": "Welches der beiden Bilder sieht besser aus?",
        "es": "¿Cuál de las dos imágenes se ve mejor?",
    },
}
QUESTIONS["acr-hr"] = QUESTIONS["acr"]


def default_labels(method: str) -> dict[str, Labels]:
    """Return the five labels of a method's scale (category 1 first) by language; ACR's for pairs, which show none."""
    return DCR if method == "dcr" else ACR


def rating_on(scale: Scale, answer: Any) -> float | None:
    """Return the rating that an answer, a number or a number as text, stands for; None where it is not on the scale."""
    text = answer if isinstance(answer, str) else number_text(answer) if _is_number(answer) else ""
    if scale.is_slider:
        if not _NUMBER.fullmatch(text):
            return None
        snapped = float(scale.snap(float(text)))
        # Minus nought is nought.
        return None if snapped != snapped else snapped + 0.0
    return _ratings_of(scale).get(text)


def _is_number(answer: Any) -> bool:
    return isinstance(answer, int | float) and not isinstance(answer, bool) and abs(answer) < 1e15


@lru_cache(maxsize=256)
def _ratings_of(scale: Scale) -> dict[str, float]:
    """Return {as it is written: rating} of a scale with buttons. Kept: each rating looks its answers up."""
    return {number_text(value): float(value) for value in scale.categories or ()}


def anchors(scale: Scale, labels: Sequence[str]) -> list[tuple[str, str]]:
    """Return (value, label) of each labelled place of a scale, low end first: every category, or the two ends."""
    values = scale.categories
    if values is None or len(labels) != len(values):
        values = (scale.low, scale.high)
    return [(number_text(value), label) for value, label in zip(values, labels, strict=True)]
