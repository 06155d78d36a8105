"""Pseudo-isochromatic plates of our own: a digit in dots that differ from their ground in red-green hue alone.

Whoever confuses red with green sees dots only. Lightness varies at random from dot to dot, so that it cannot give the
digit away. A hint for the analysis, never a diagnosis: screens differ.
"""

from __future__ import annotations

import random
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from survey.study.trap import FONT

SIZE: Final = 360
DIGITS: Final = (2, 3, 5, 6, 8, 9)
#: CIELAB hue pairs along the red-green axis, at equal lightness and equal b*.
_FIGURE_A: Final = 38.0
_GROUND_A: Final = -38.0
_B: Final = 35.0
_LIGHTNESS: Final = (52.0, 76.0)
_DOTS: Final = 1500


def plate_digits(seed: int, count: int) -> list[int]:
    """Return the digits of one participant's plates, no two alike."""
    return random.Random(f"plates {seed}").sample(DIGITS, count)  # noqa: S311 - no secret


def draw_plate(digit: int, seed: int) -> Image.Image:
    """Return a plate as an RGB image of SIZE × SIZE px."""
    rng = random.Random(f"plate {digit} {seed}")  # noqa: S311 - no secret
    mask = _mask(digit)
    image = Image.new("RGB", (SIZE, SIZE), (128, 128, 128))
    draw = ImageDraw.Draw(image)
    for x, y, radius in _packed_dots(rng):
        inside = mask.getpixel((round(x), round(y)))
        colour = _rgb(rng.uniform(*_LIGHTNESS), _FIGURE_A if inside else _GROUND_A, _B)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return image


def _mask(digit: int) -> Image.Image:
    mask = Image.new("1", (SIZE, SIZE))
    font = ImageFont.truetype(FONT.with_name("DejaVuSans-Bold.ttf"), SIZE * 0.72)
    ImageDraw.Draw(mask).text((SIZE / 2, SIZE / 2), str(digit), 1, font, anchor="mm")
    return mask


def _packed_dots(rng: random.Random) -> list[tuple[float, float, float]]:
    """Return dots (x, y, radius) that do not overlap, within a disc, large ones first."""
    dots: list[tuple[float, float, float]] = []
    centre, reach = SIZE / 2, SIZE / 2 - 2
    for attempt in range(_DOTS * 4):
        radius = max(2.5, 8.5 * (1 - attempt / (_DOTS * 2)))
        x, y = rng.uniform(radius, SIZE - radius), rng.uniform(radius, SIZE - radius)
        if (x - centre) ** 2 + (y - centre) ** 2 > (reach - radius) ** 2:
            continue
        if all((x - u) ** 2 + (y - v) ** 2 > (radius + r + 0.8) ** 2 for u, v, r in dots):
            dots.append((x, y, radius))
    return dots


def _rgb(lightness: float, a: float, b: float) -> tuple[int, int, int]:
    """Return sRGB 0..255 of a CIELAB colour (D65, 2°), clipped into gamut."""
    fy = (lightness + 16) / 116
    xyz = [
        white * _inverse(f)
        for white, f in zip((0.9505, 1.0, 1.089), (fy + a / 500, fy, fy - b / 200), strict=True)
    ]
    x, y, z = xyz
    linear = (
        3.2406 * x - 1.5372 * y - 0.4986 * z,
        -0.9689 * x + 1.8758 * y + 0.0415 * z,
        0.0557 * x - 0.2040 * y + 1.0570 * z,
    )
    red, green, blue = (round(255 * _gamma(min(1.0, max(0.0, value)))) for value in linear)
    return red, green, blue


def _inverse(f: float) -> float:
    return f**3 if f > 6 / 29 else 3 * (6 / 29) ** 2 * (f - 4 / 29)


def _gamma(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
