"""Codes that stand for a missing rating without being asked."""

from __future__ import annotations

from typing import Final

MISSING: Final = frozenset(
    code.strip()
    for code in """
    na | n/a | n.a. | n.a | n. a. | n / a | nan | nil | null | none | missing | <na> | #n/a | #null! | #nv | nv | nat
    (null) | (none) | [null] | \\n | nd | n.d. | n. d. | nr | n.r. | dk | w.n. | s/d | s.o. | s. o. | s.r. | s. r.
    - | -- | --- | . | .. | ... | ? | _ | / | -/-
    skipped | skip | unrated | not rated | unanswered | not answered | no answer | no rating | no response | no data
    don't know | dont know | prefer not to say | not applicable | blank | empty
    k.a. | k. a. | keine angabe | keine antwort | weiß nicht | weiss nicht | keine daten | entfällt
    sans réponse | pas de réponse | ne sait pas | sans objet | nsp
    sin respuesta | sin datos | no sabe | no contesta | no aplica | ns/nc
    """.replace("\n", "|").split("|")
)
"""Texts that stand for a missing number, in small letters; "" is one of them."""
