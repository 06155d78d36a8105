"""Reading of picture files as upright sRGB, by their own description. Other files are refused with the reason."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from generator.files import colour, kinds, png, tiff

log = logging.getLogger(__name__)
Warn = Callable[[str], object]

# The list is short on purpose: each decoder is one more risk from hostile files.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF")
FORMATS_IN_WORDS = "JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF"
MAX_PIXELS = 100_000_000  # 300 MB once decoded
MAX_SIDE = 4096  # longest side kept; no recipe that fits on a GPU uses more
_ORIENTATION = ExifTags.Base.Orientation
_SRGB = ImageCms.createProfile("sRGB")
_LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


class ImageError(Exception):
    """An image that cannot be used; the one-line message gives the file and the fix."""


def read(file: Path | IO[bytes], name: str = "", warn: Warn | None = None) -> Image.Image:
    """Read one picture as mode RGB: upright, in sRGB, with transparency on white.

    Deeper pictures are rounded to 8 bits. A picture whose longest side exceeds `MAX_SIDE` is scaled down to it.

    Args:
        file: The picture.
        name: Its name in messages; "" for the name of the file.
        warn: Receives one line for each doubt about the picture. Without it the lines are logged.

    Raises:
        ImageError: If the file is missing, broken, animated or too large, or cannot be converted to sRGB
            in one right way.
    """
    name = name or _name_of(file)
    warn = warn or log.warning
    with opened(file, name) as source:
        picture = _upright_srgb(source, name, warn)
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    picture.info.clear()
    if (colours := picture.getcolors(1)) is not None:
        warn(f"{name}: every pixel has the same colour, RGB {colours[0][1]}")
    return picture


def sniff(file: IO[bytes], name: str) -> str:
    """Return the format ("PNG", "JPEG", ...) by the header alone.

    Raises:
        ImageError: As in `read`.
    """
    with opened(file, name) as source:
        return source.kind


@dataclass
class Source:
    """A picture file, opened but not decoded. image: None if only `tiff` can read the file."""

    kind: str
    stream: IO[bytes]
    image: Image.Image | None
    png: png.Png | None = None
    tiff: tiff.Tiff | None = None


def _name_of(file: Path | IO[bytes]) -> str:
    return str(file) if isinstance(file, Path) else str(getattr(file, "name", "image"))


@contextmanager
def opened(file: Path | IO[bytes], name: str, also: tuple[bytes, ...] = ()) -> Iterator[Source]:
    """Open a picture and check its header. Any error, here or in the `with` block, becomes an ImageError."""
    try:
        with ExitStack() as stack:
            # Pillow warns of large pictures and odd metadata; `_check_size` applies our own limits.
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            stream = stack.enter_context(file.open("rb")) if isinstance(file, Path) else file
            yield _source(stream, name, stack, also)
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise ImageError(f"{name}: is a folder, not an image") from None
    except PermissionError:
        raise ImageError(f"{name}: permission denied; give this user the right to read it") from None
    except Image.DecompressionBombError:
        raise ImageError(_too_large(name)) from None
    except tiff.TiffError as error:
        advice = "" if ";" in str(error) else "; save it with 8 or 16 bits as RGB or grey"
        raise ImageError(f"{name}: {error}{advice}") from None
    except colour.ColourError as error:
        raise ImageError(f"{name}: is {error}; save it in standard range (SDR) as sRGB") from None
    except Exception as error:
        # Decoders raise many kinds of errors for broken files: OSError, SyntaxError, struct.error, IndexError ...
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ImageError(f"{name}: broken or cut short ({detail}); fetch or save it again") from error


def _source(stream: IO[bytes], name: str, stack: ExitStack, also: tuple[bytes, ...]) -> Source:
    stream.seek(0)
    head = stream.read(kinds.LOOK)
    stream.seek(0)
    found_png = found_tiff = None
    formats: tuple[str, ...] = FORMATS
    plain: IO[bytes] = stream
    if head.startswith(png.SIGNATURE):
        found_png = png.parse(stream, also)
        plain = found_png.data
    elif head.startswith(tiff.MAGIC):
        found_tiff = tiff.open_tiff(stream)
        _check_size(found_tiff.size, name)
        if not found_tiff.suits_pillow:
            return Source("TIFF", stream, None, tiff=found_tiff)
        stream.seek(0)
    elif kinds.is_heif(head):
        import pi_heif

        pi_heif.register_heif_opener()
        formats = ("HEIF",)
    try:
        image = stack.enter_context(Image.open(plain, formats=formats))
    except UnidentifiedImageError:
        what = kinds.in_words(head)
        raise ImageError(
            f"{name}: not a picture that can be read{what and f' ({what})'}; save it as {FORMATS_IN_WORDS}"
        ) from None
    _check_size(image.size, name)
    if found_tiff is not None:
        image.seek(found_tiff.number)
    else:
        _check_frames(image, name)
    return Source(str(image.format), stream, image, found_png, found_tiff)


def _too_large(name: str, size: tuple[int, int] | None = None) -> str:
    pixels = f"{size[0]} × {size[1]} pixels are" if size else "its pixels are"
    return f"{name}: {pixels} more than the limit of {MAX_PIXELS // 1_000_000} million; scale it down first"


def _check_size(size: tuple[int, int], name: str) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise ImageError(_too_large(name, size))


def _check_frames(image: Image.Image, name: str) -> None:
    frames = getattr(image, "n_frames", 1)
    # Phones write MPO (Pillow opens it as a JPEG): the photograph first, then a depth map or preview.
    if frames > 1 and image.format != "MPO":
        raise ImageError(f"{name}: has {frames} frames or pages; save the one that you need as a PNG")


def _upright_srgb(source: Source, name: str, warn: Warn) -> Image.Image:
    """Decode, turn upright, convert to RGB in sRGB, lay transparency on white."""
    if source.png and source.png.damaged:
        warn(f"{name}: is damaged (its {', '.join(source.png.damaged)}); read as far as possible")
    if source.image is None:
        assert source.tiff is not None  # noqa: S101  (one of the two is not None)
        image, alpha = source.tiff.decode()
        profile, orientation = source.tiff.profile, source.tiff.orientation
        return _on_white(
            _turned(_in_srgb(image, profile, name, warn), orientation), alpha and _turned(alpha, orientation)
        )
    image = source.image
    # JPEG decodes quickly at a half, a quarter or an eighth; other formats ignore this.
    image.draft(None, (MAX_SIDE, MAX_SIDE))
    image.load()
    encoding = _encoding(source)
    if source.png and source.png.bits == 16 and (b"tRNS" in source.png.chunks or not encoding.is_srgb):
        picture, alpha = _deep(source.png, encoding, name, warn)
        orientation = image.getexif().get(_ORIENTATION, 1)
        return _on_white(_turned(picture, orientation), alpha and _turned(alpha, orientation))
    image = ImageOps.exif_transpose(image)
    profile = source.png.profile if source.png else image.info.get("icc_profile")
    image, alpha = _without_alpha(_eight_bits(image, name))
    if alpha is not None and alpha.getextrema() == (0, 0) and _pads(source):
        alpha = None
    picture = _in_srgb(image, profile, name, warn)
    if not profile and not encoding.is_srgb:
        picture = Image.fromarray(colour.to_srgb(np.asarray(picture), encoding))
    return _on_white(picture, alpha)


def _pads(source: Source) -> bool:
    """Return whether an alpha of 0 everywhere is padding, as some programs write it in these formats."""
    return source.kind == "BMP" or (source.tiff is not None and source.tiff.is_opaque)


def _encoding(source: Source) -> colour.Encoding:
    """Return the meaning of the numbers, by the file's description other than its profile."""
    assert source.image is not None  # noqa: S101
    if source.png is not None:
        return source.png.encoding
    if source.kind in ("AVIF", "HEIF") and (points := kinds.code_points(source.stream, source.image)):
        return colour.of_code_points(*points)
    if source.kind in ("JPEG", "MPO", "TIFF"):
        # DCF 2.0: cameras state Adobe RGB in this way if they write no profile.
        interoperability = source.image.getexif().get_ifd(ExifTags.IFD.Interop).get(1)
        if interoperability == "R03":
            return colour.Encoding(colour.ADOBE_RGB, colour.ADOBE_GAMMA)
    return colour.Encoding()


def _deep(
    found: png.Png, encoding: colour.Encoding, name: str, warn: Warn
) -> tuple[Image.Image, Image.Image | None]:
    """Return a 16-bit PNG, converted to sRGB before it is rounded to 8 bits."""
    colours, clear = found.deep()
    alpha = None if clear is None else Image.fromarray(np.round(clear / 257).astype(np.uint8))
    if profile := found.profile:
        eight = Image.fromarray(np.round(colours / 257).astype(np.uint8))
        is_grey = found.chunks[b"IHDR"][9] in (0, 4)
        return _in_srgb(eight.convert("L") if is_grey else eight, profile, name, warn), alpha
    if encoding.is_srgb:
        return Image.fromarray(np.round(colours / 257).astype(np.uint8)), alpha
    return Image.fromarray(colour.to_srgb(colours, encoding)), alpha


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    """Turn a picture upright by its EXIF orientation."""
    image.getexif()[_ORIENTATION] = orientation
    return ImageOps.exif_transpose(image)


def _eight_bits(image: Image.Image, name: str) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow's own conversion clips at 255 instead of scaling.
        return Image.fromarray(np.round(np.asarray(image, dtype=np.float64) / 257).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ImageError(f"{name}: has 32-bit pixels; save it with 8 or 16 bits")
    return image


def _without_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return a picture in a mode that a profile can describe, and its transparency."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return image.convert("RGB"), image.getchannel("A")
    if image.mode not in ("L", "RGB", "CMYK", "LAB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return image, None


def _in_srgb(image: Image.Image, profile: bytes | None, name: str, warn: Warn) -> Image.Image:
    """Convert L, RGB, CMYK or LAB to RGB by a profile, or by the mode."""
    if image.mode == "LAB":
        # Lab needs no profile. The file's profile often belongs to the RGB that it was made from.
        profile = _LAB
    if not profile:
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        colour.check_profile(profile)
        converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
        assert converted is not None  # noqa: S101  (None only with inPlace=True)
        return converted
    except (ImageCms.PyCMSError, OSError) as error:
        warn(f"{name}: its colour profile does not fit the picture ({error}); read as sRGB")
        return image.convert("RGB")


def _on_white(picture: Image.Image, alpha: Image.Image | None) -> Image.Image:
    if alpha is None:
        return picture
    return Image.composite(picture, Image.new("RGB", picture.size, "white"), alpha)
