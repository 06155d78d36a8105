"""How pictures of pages are taken and kept, for eyes: `docs/screenshots`."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Page

from generator.demo.pictures import PHOTOGRAPHS

FOLDER: Final = Path(os.environ.get("SCREENSHOTS", Path(__file__).parents[2] / "docs" / "screenshots"))
SIZES: Final[dict[str, dict[str, Any]]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
#: A page longer than so many screens is cut below.
_SCREENS: Final = 1.5
#: Width of the pictures that are kept: letters stay readable, and the repository small.
_WIDTH: Final = {"desktop": 720, "phone": 270}
_QUALITY: Final = 40
#: A pixel differs clearly by so many of 255 grey values, and a picture by this share of such pixels: by a word, but not by a minute
#: more or less.
_CLEARLY: Final = 48
_FEW: Final = 0.0002


def keep(page: Page, name: str, device: str, *, whole: bool = True) -> None:
    """Keep what is on the screen, or the whole page, as a small file."""
    taken = page.screenshot(full_page=whole, animations="disabled")
    with Image.open(io.BytesIO(taken)) as picture:
        most = round(_SCREENS * SIZES[device]["viewport"]["height"])
        shown = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, most)))
    width = _WIDTH[device]
    shown = shown.resize((width, round(shown.height * width / shown.width)), Image.Resampling.LANCZOS)
    FOLDER.mkdir(exist_ok=True)
    put(shown, FOLDER / f"{name}-{device}.webp")


def put(shown: Image.Image, path: Path) -> bool:
    """Write a picture, unless the file shows the same but for a digit or two; return whether it was written."""
    data = io.BytesIO()
    shown.save(data, "webp", quality=_QUALITY, method=6)
    if path.exists() and _alike(Image.open(data), Image.open(path)):
        return False
    path.write_bytes(data.getvalue())
    return True


def _alike(one: Image.Image, other: Image.Image) -> bool:
    if one.size != other.size:
        return False
    difference = ImageChops.difference(one.convert("L"), other.convert("L"))
    changed = sum(difference.histogram()[_CLEARLY:])
    return changed < _FEW * one.width * one.height


def read(folder: Path, name: str, radius: int, width: int) -> Image.Image:
    """Return one of the demonstration's photographs, smaller and blurred."""
    file = next(photograph.name for photograph in PHOTOGRAPHS if photograph.name.startswith(name))
    with Image.open(folder / file) as image:
        small = image.convert("RGB").resize(
            (width, round(width * image.height / image.width)), Image.Resampling.LANCZOS
        )
    return small.filter(ImageFilter.GaussianBlur(radius))
