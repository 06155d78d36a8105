"""The rating scales, with the wording that people see, by language.

Categories are listed from 1 to 5. English: ITU-T P.910 (10/2023) clauses 8.1 (ACR) and 8.2 (DCR). French and
Spanish: the same scales in the French and Spanish editions of ITU-R BT.500. German: the translation in use since
ITU-T P.800 listening tests. Labels are not equally spaced, nor spaced alike across languages: the language of each
participant is kept with the ratings.
"""

from __future__ import annotations

from typing import Final

Labels = tuple[str, str, str, str, str]

ACR: Final[dict[str, Labels]] = {
    "en": ("Bad", "Poor", "Fair", "Good", "Excellent"),
    "fr": ("Mauvais", "Médiocre", "Assez bon", "Bon", "Excellent"),
    "de": ("Schlecht", "Dürftig", "Ordentlich", "Gut", "Ausgezeichnet"),
    "es": ("Mala", "Mediocre", "Aceptable", "Buena", "Excelente"),
}
DCR: Final[dict[str, Labels]] = {
    "en": (
        "Very annoying",
        "Annoying",
        "Slightly annoying",
        "Perceptible but not annoying",
        "Imperceptible",
    ),
    "fr": (
        "Très gênant",
        "Gênant",
        "Légèrement gênant",
        "Perceptible mais non gênant",
        "Imperceptible",
    ),
    "de": (
        "Sehr störend",
        "Störend",
        "Leicht störend",
        "Wahrnehmbar, aber nicht störend",
        "Nicht wahrnehmbar",
    ),
    "es": (
        "Muy molesta",
        "Molesta",
        "Ligeramente molesta",
        "Perceptible, pero no molesta",
        "Imperceptible",
    ),
}
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
