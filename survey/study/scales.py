"""The questions that are asked where a study file asks none, and the labels of each method.

Labels are not equally spaced, nor spaced alike across languages: the language of each participant is kept with the
ratings.
"""

from __future__ import annotations

from typing import Final

from survey.analysis.labels import ACR, DCR, Labels

__all__ = ["ACR", "DCR", "LANGUAGES", "QUESTIONS", "Labels", "default_labels"]

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
