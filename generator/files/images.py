"""Image files in and out: any photograph in as upright sRGB, a PNG with its provenance out.

Nothing here knows the database. Whatever is wrong with a file ends as an `ImageError` of one line that names it.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

# A short list on purpose: each further decoder is one more way in for a hostile file.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF")
FORMATS_IN_WORDS = "JPEG, PNG, WebP, AVIF, TIFF, BMP or GIF"
MAX_PIXELS = 100_000_000  # 300 MB once decoded
MAX_SIDE = 4096  # longest side kept; no recipe that fits on a GPU looks at more
PROVENANCE_KEY = "nstsite"
_SRGB = ImageCms.createProfile("sRGB")


class ImageError(Exception):
    """An image that cannot be used; the message is one line that names the file and the mend."""


def read(file: Path | IO[bytes], name: str = "") -> Image.Image:
    """Read one picture as mode RGB: upright by EXIF, converted to sRGB by its ICC profile, alpha laid on white.

    16-bit pictures are rounded to 8 bits; a picture whose longest side exceeds `MAX_SIDE` is scaled down to it.
    Raises ImageError when the file is missing, broken, animated, too large, or holds 32-bit pixels.
    """
    name = name or _name_of(file)
    with _opened(file, name) as image:
        _check_header(image, name)
        # JPEG decodes at a half, a quarter or an eighth for free; other formats ignore this.
        image.draft(None, (MAX_SIDE, MAX_SIDE))
        image.load()
        picture = _srgb(ImageOps.exif_transpose(image), name)
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    picture.info.clear()
    return picture


def sniff(file: IO[bytes], name: str) -> str:
    """Return the format ("PNG", "JPEG", ...) after a look at the header only; raises ImageError as `read` does."""
    with _opened(file, name) as image:
        _check_header(image, name)
        return str(image.format)


def _name_of(file: Path | IO[bytes]) -> str:
    return str(file) if isinstance(file, Path) else str(getattr(file, "name", "image"))


@contextmanager
def _opened(file: Path | IO[bytes], name: str) -> Iterator[Image.Image]:
    """Open with Pillow; turn whatever goes wrong, here or in the body, into an ImageError."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures and odd metadata; `_check_header` refuses by our own limits.
            warnings.simplefilter("ignore")
            with Image.open(file, formats=FORMATS) as image:
                yield image
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise ImageError(f"{name}: is a folder, not an image") from None
    except PermissionError:
        raise ImageError(f"{name}: may not be read; give this user leave to read it") from None
    except UnidentifiedImageError:
        raise ImageError(f"{name}: not a picture that can be read; save it as {FORMATS_IN_WORDS}") from None
    except Image.DecompressionBombError:
        raise ImageError(_too_large(name)) from None
    except Exception as error:
        # Decoders of broken files raise nearly anything: OSError, SyntaxError, struct.error, IndexError ...
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ImageError(f"{name}: broken or cut short ({detail}); fetch or save it again") from error


def _too_large(name: str, size: tuple[int, int] | None = None) -> str:
    pixels = f"{size[0]} × {size[1]} pixels are" if size else "its pixels are"
    return (
        f"{name}: {pixels} more than the {MAX_PIXELS // 1_000_000} million that are read; scale it down first"
    )


def _check_header(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(_too_large(name, image.size))
    frames = getattr(image, "n_frames", 1)
    # Phones write MPO (Pillow opens it as a JPEG): the photograph first, then a depth map or preview.
    if frames > 1 and image.format != "MPO":
        raise ImageError(f"{name}: has {frames} frames or pages; save the one that is meant as a PNG")


def _srgb(image: Image.Image, name: str) -> Image.Image:
    """Convert any mode to RGB in sRGB, transparency on white."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16"):
        # Pillow's own conversion clips at 255 instead of scaling.
        image = Image.fromarray(np.round(np.asarray(image, dtype=np.float64) / 257).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ImageError(f"{name}: has 32-bit pixels; save it with 8 or 16 bits")
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    elif image.mode not in ("L", "RGB", "CMYK", "LAB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    image = _by_profile(image, profile, name) if profile else image.convert("RGB")
    if alpha is not None:
        image = Image.composite(image, Image.new("RGB", image.size, "white"), alpha)
    return image


def _by_profile(image: Image.Image, profile: bytes, name: str) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
        assert converted is not None  # noqa: S101  (None only with inPlace=True)
        return converted
    except (ImageCms.PyCMSError, OSError) as error:
        log.warning("%s: its colour profile does not fit the picture (%s); read as sRGB", name, error)
        return image.convert("RGB")


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
    """Return what `encode_png` wrote into a file; raises ImageError when there is nothing of the kind."""
    with _opened(path, str(path)) as image:
        text = getattr(image, "text", {}).get(PROVENANCE_KEY)
    if text is None:
        raise ImageError(
            f"{path}: holds no provenance; give a PNG that `generate` made, not a copy for participants"
        )
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ImageError(f"{path}: its provenance is not readable")
    return found


def strip(file: Path | IO[bytes]) -> bytes:
    """Return the picture as PNG bytes without text chunks, EXIF or profile: what participants may see."""
    return encode_png(read(file))
