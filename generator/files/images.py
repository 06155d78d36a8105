"""Image files: photographs are read as upright sRGB; images are written as PNG with provenance.

Nothing here uses the database. A bad file raises an `ImageError` whose one-line message names the file.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from generator.files.reading import (
    FORMATS_IN_WORDS,
    MAX_PIXELS,
    MAX_SIDE,
    MEDIA_TYPES,
    SUFFIXES,
    ImageError,
    SeveralFramesError,
    Warn,
    has_picture_name,
    opened,
    read,
    size_of,
)

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "FORMATS_IN_WORDS",
    "MAX_PIXELS",
    "MAX_SIDE",
    "MEDIA_TYPES",
    "PROVENANCE_KEY",
    "SUFFIXES",
    "ImageError",
    "SeveralFramesError",
    "Warn",
    "encode_png",
    "fit",
    "fitted_size",
    "has_picture_name",
    "pixel_hash",
    "provenance_in",
    "read",
    "read_provenance",
    "size_of",
    "strip",
    "to_image",
    "to_tensor",
]

PROVENANCE_KEY = "nstsite"
# Letters. One with many styles has 60,000.
_MAX_PROVENANCE = 1_000_000
# Tables and lists within one another: it has 4.
_MAX_DEPTH = 20


def pixel_hash(image: Image.Image) -> str:
    """Return the SHA-256 (hex) of an RGB image's size and pixels, whatever file it came from."""
    return hashlib.sha256(b"%dx%d RGB\n" % image.size + image.tobytes()).hexdigest()


def fitted_size(size: tuple[int, int], longest: int, square: bool = False) -> tuple[int, int]:
    """Return (width, height) with the longest side `longest` px and the aspect kept, or a squashed square."""
    if square:
        return longest, longest
    width, height = size
    scale = longest / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def fit(image: Image.Image, longest: int, square: bool = False) -> Image.Image:
    """Scale by Lanczos to `fitted_size`."""
    return image.resize(fitted_size(image.size, longest, square), Image.Resampling.LANCZOS)


def to_tensor(image: Image.Image) -> Tensor:
    """Return an RGB image as a float32 tensor 3×H×W in 0..1."""
    # Here: a process that decodes an uploaded picture needs neither, and would start in twice the time.
    import numpy as np
    import torch

    return torch.from_numpy(np.array(image, dtype=np.float32) / 255).permute(2, 0, 1).contiguous()


def to_image(tensor: Tensor) -> Image.Image:
    """Return a tensor 3×H×W in 0..1 as an RGB image, rounded (not cut) to 8 bits."""
    pixels = tensor.detach().float().clamp(0, 1).mul(255).round().byte().permute(1, 2, 0)
    return Image.fromarray(pixels.cpu().numpy())


def encode_png(image: Image.Image, provenance: dict[str, Any] | None = None) -> bytes:
    """Return an RGB image as PNG bytes marked sRGB, with `provenance` as JSON in an iTXt chunk if given."""
    chunks = PngInfo()
    chunks.add(b"sRGB", b"\x00")
    if provenance is not None:
        chunks.add_itxt(PROVENANCE_KEY, json.dumps(provenance, ensure_ascii=False, sort_keys=True))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=chunks)
    return buffer.getvalue()


def read_provenance(path: Path) -> dict[str, Any]:
    """Return the provenance that `encode_png` wrote into a file.

    Raises:
        ImageError: If the file has none.
    """
    text = _provenance_text(path, str(path))
    if text is None:
        raise ImageError(
            f"{path}: has no provenance; give a PNG that `generate` made, not a copy for participants"
        )
    found = _table(text)
    if found is None:
        raise ImageError(f"{path}: its provenance cannot be read; make the image again with `generate`")
    return found


def provenance_in(file: Path | IO[bytes], name: str) -> dict[str, Any] | None:
    """Return the same; None for a file that has none, {} for one that cannot be read. `name` stands in messages.

    Raises:
        ImageError: If the file is no picture.
    """
    text = _provenance_text(file, name)
    return None if text is None else _table(text) or {}


def _provenance_text(file: Path | IO[bytes], name: str) -> str | None:
    with opened(file, name, also=(b"iTXt" + PROVENANCE_KEY.encode() + b"\0",)) as source:
        text: str | None = getattr(source.image, "text", {}).get(PROVENANCE_KEY)
    return text


def _table(text: str) -> dict[str, Any] | None:
    """Return JSON text as a table; None for other text, and for what no database stores: anybody can edit a picture."""
    try:
        found = json.loads(text, parse_constant=_refuse) if len(text) <= _MAX_PROVENANCE else None
        if not isinstance(found, dict) or _is_deep(found):
            return None
        # Half of a surrogate pair cannot be encoded.
        written = json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return None if rb"\u0000" in written else found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _is_deep(value: Any, left: int = _MAX_DEPTH) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left == 0 or any(_is_deep(one, left - 1) for one in inside)


def strip(file: Path | IO[bytes]) -> bytes:
    """Return the picture as PNG bytes for participants: without text chunks, EXIF or profile."""
    return encode_png(read(file))
