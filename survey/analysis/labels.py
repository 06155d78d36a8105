"""The wording of the accepted rating scales, by language.

Categories are listed from 1 to 5. English: ITU-T P.910 (10/2023) clauses 8.1 (ACR) and 8.2 (DCR). French and
Spanish: the same scales in the French and Spanish editions of ITU-R BT.500. German: the translation in use since
ITU-T P.800 listening tests.
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
