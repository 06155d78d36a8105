"""The motivating trap: a picture that thanks the reader and asks for one answer.

Of several trap designs, this one brought ratings from a crowd nearest to those of a laboratory: B. Naderi et al.,
"Effect of Trapping Questions on the Reliability of Speech Quality Judgments in a Crowdsourcing Paradigm",
Interspeech 2015.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import matplotlib
from PIL import Image, ImageDraw, ImageFont

WORDS: Final = {
    "en": ("Your careful look matters to this research.\nThank you!", "For this picture, please choose:"),
    "fr": ("Votre attention compte pour cette recherche.\nMerci !", "Pour cette image, veuillez choisir :"),
    "de": ("Ihr genauer Blick hilft dieser Forschung.\nVielen Dank!", "Bitte wählen Sie für dieses Bild:"),
    "es": ("Su atención es importante para este estudio.\n¡Gracias!", "Para esta imagen, elija por favor:"),
}
SIZE: Final = (640, 480)
# Pillow's own font has no accents.
FONT: Final = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"


def trap_picture(label: str, words: tuple[str, str]) -> Image.Image:
    """Return an RGB image of SIZE that thanks and asks, in these words, for the answer with this label."""
    thanks, request = words
    image = Image.new("RGB", SIZE, (236, 233, 226))
    draw = ImageDraw.Draw(image)
    middle = SIZE[0] / 2
    for y, text, size in ((120, thanks, 25), (260, request, 25), (350, label, 44)):
        font = ImageFont.truetype(FONT, size)
        draw.multiline_text((middle, y), text, (38, 38, 38), font, anchor="mm", align="center", spacing=12)
    return image
