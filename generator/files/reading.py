"""Reading of picture files as upright sRGB, by their own description. Other files are refused with the reason."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from generator.files import bmp, colour, kinds, png, tiff
from generator.files.samples import Samples

log = logging.getLogger(__name__)
Warn = Callable[[str], object]

# The list is short on purpose: each decoder is one more risk from hostile files.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF")
# By these endings pictures are chosen from a folder. A file that is named alone is told by its content.
SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".avif", ".heic", ".heif", ".tif", ".tiff", ".bmp", ".gif")
)
# What a browser's file dialogue offers.
MEDIA_TYPES = (
    *("image/jpeg", "image/png", "image/webp", "image/avif", "image/heic", "image/heif"),
    *("image/tiff", "image/bmp", "image/gif"),
)
FORMATS_IN_WORDS = "JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF"
MAX_PIXELS = 100_000_000  # 300 MB once decoded
MAX_SIDE = 4096  # longest side kept; no recipe that fits on a GPU uses more
# A picture whose brightest value is below this was likely scaled wrongly.
_DARK = 32
_ORIENTATION = ExifTags.Base.Orientation
_SRGB = ImageCms.createProfile("sRGB")


class ImageError(Exception):
    """An image that cannot be used; the one-line message gives the file and the fix."""


class SeveralFramesError(ImageError):
    """A file of several frames or pages."""


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
    elif (brightest := int(np.asarray(picture).max())) < _DARK:
        warn(
            f"{name}: is nearly black, its brightest value is {brightest} of 255; "
            f"if a camera gave fewer bits than the file has, scale its values up"
        )
    return picture


def has_picture_name(path: Path) -> bool:
    """Return whether a file in a folder is a picture by its name. Hidden files are none: macOS puts some beside others."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def size_of(file: Path, name: str) -> tuple[int, int]:
    """Return width and height by the header alone, before the picture is turned upright.

    Raises:
        ImageError: As in `read`.
    """
    with opened(file, name) as source:
        return source.size


@dataclass
class Source:
    """A picture file, opened but not decoded. image: None if only `tiff` or `bmp` can read the file."""

    kind: str
    stream: IO[bytes]
    image: Image.Image | None
    png: png.Png | None = None
    tiff: tiff.Tiff | None = None
    bmp: bmp.Bmp | None = None

    @property
    def size(self) -> tuple[int, int]:
        described = self.image or self.tiff or self.bmp
        assert described is not None  # noqa: S101
        return described.size


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
    except bmp.BmpError as error:
        raise ImageError(f"{name}: {error}") from None
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
    found_png = found_tiff = found_bmp = None
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
    elif head.startswith(bmp.MAGIC) and (found_bmp := bmp.parse(stream)) is not None:
        _check_size(found_bmp.size, name)
        if found_bmp.masks:
            return Source("BMP", stream, None, bmp=found_bmp)
        stream.seek(0)
    elif kinds.is_heif(head):
        import pi_heif

        pi_heif.register_heif_opener()
        formats = ("HEIF",)
    try:
        image = stack.enter_context(Image.open(plain, formats=formats))
    except UnidentifiedImageError:
        what = kinds.in_words(head)
        if kinds.is_picture(head) and not what:
            raise ImageError(
                f"{name}: broken or cut short (no header that fits); fetch or save it again"
            ) from None
        raise ImageError(
            f"{name}: not a picture that can be read{what and f' ({what})'}; save it as {FORMATS_IN_WORDS}"
        ) from None
    _check_size(image.size, name)
    if found_tiff is not None:
        image.seek(found_tiff.number)
    else:
        _check_frames(image, name)
    return Source(str(image.format), stream, image, found_png, found_tiff, found_bmp)


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
        raise SeveralFramesError(f"{name}: has {frames} frames or pages; save the one that you need as a PNG")


def _upright_srgb(source: Source, name: str, warn: Warn) -> Image.Image:
    """Decode, turn upright, convert to RGB in sRGB, lay transparency on white."""
    if source.png and source.png.damaged:
        warn(f"{name}: is damaged (its {', '.join(source.png.damaged)}); read as far as possible")
    if source.image is None:
        return _of_samples(_own_samples(source), source, name, warn)
    image = source.image
    if image.mode == "CMYK" and source.kind in ("JPEG", "MPO") and "adobe" not in image.info:
        warn(
            f"{name}: is CMYK without Adobe's mark; read as inverted, as browsers do; if it looks wrong, save it as RGB"
        )
    # JPEG decodes quickly at a half, a quarter or an eighth; other formats ignore this.
    image.draft(None, (MAX_SIDE, MAX_SIDE))
    frame = _gif_frame(image) if source.kind == "GIF" else None
    try:
        image.load()
    except OSError:
        if source.kind != "JPEG" or (whole := _without_end(source.stream)) is None:
            raise
        warn(f"{name}: lacks its end mark; its picture is whole")
        image = source.image = whole
    encoding = _encoding(source)
    if source.png and source.png.bits == 16 and _needs_depth(source.png):
        deep = replace(source.png.deep(), orientation=image.getexif().get(_ORIENTATION, 1))
        return _of_samples(deep, source, name, warn)
    if source.kind == "AVIF" and (part := kinds.clean_aperture(source.stream, image.size)):
        image = image.crop(part)
    image = ImageOps.exif_transpose(image)
    if source.png and (clear := source.png.clear_grey) is not None:
        image.info["transparency"] = clear  # Pillow leaves it in the file's bits
    image, alpha = _without_alpha(_eight_bits(image, name))
    if alpha is not None and alpha.getextrema() == (0, 0) and _pads(source):
        alpha = None
    profile = _profile(source, image)
    picture = _in_srgb(image, profile, name, warn)
    if not profile and not encoding.is_srgb:
        picture = Image.fromarray(colour.to_srgb(np.asarray(picture), encoding))
    picture = _on_white(picture, alpha)
    return _on_canvas(picture, frame) if frame else picture


def _without_end(stream: IO[bytes]) -> Image.Image | None:
    """Return a JPEG that lacks only its last marker, None if a part of its picture is missing.

    Pixels that are missing change with what follows the data; those of a whole picture do not.
    """
    stream.seek(0)
    data = stream.read()
    found = []
    for filler in (b"", b"\x55\xaa\x33\x99" * 40):
        image = Image.open(io.BytesIO(data + filler + b"\xff\xd9"), formats=("JPEG",))
        image.draft(None, (MAX_SIDE, MAX_SIDE))
        image.load()
        found.append(image)
    return found[0] if found[0].tobytes() == found[1].tobytes() else None


def _own_samples(source: Source) -> Samples:
    if source.tiff is not None:
        return source.tiff.decode()
    assert source.bmp is not None  # noqa: S101  (one of the two is not None)
    return source.bmp.decode(source.stream)


def _of_samples(samples: Samples, source: Source, name: str, warn: Warn) -> Image.Image:
    """Return decoded samples as an upright picture in sRGB on white."""
    mask = samples.mask()
    if mask is not None and mask.getextrema() == (0, 0) and _pads(source):
        mask = None
    try:
        picture = samples.by_profile() if samples.profile else samples.by_encoding()
    except colour.ProfileError as error:
        warn(_unfit(name, error))
        picture = samples.by_encoding()
    return _on_white(_turned(picture, samples.orientation), mask and _turned(mask, samples.orientation))


def _needs_depth(found: png.Png) -> bool:
    """Return whether 16 bits must be converted before they are rounded to 8."""
    return b"tRNS" in found.chunks or bool(found.profile) or not found.encoding.is_srgb


def _profile(source: Source, image: Image.Image) -> bytes | None:
    if source.png:
        return source.png.profile
    if source.bmp:
        return source.bmp.profile
    found = image.info.get("icc_profile")
    return bytes(found) if found else None


def _gif_frame(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Return the only frame's place on the canvas of a GIF, None if it covers all."""
    box = tuple(image.tile[0][1]) if image.tile else ()  # type: ignore[attr-defined]
    return box if len(box) == 4 and box != (0, 0, *image.size) else None


def _on_canvas(picture: Image.Image, frame: tuple[int, int, int, int]) -> Image.Image:
    """Return a picture with white around a frame. Browsers leave that part transparent."""
    canvas = Image.new("RGB", picture.size, "white")
    canvas.paste(picture.crop(frame), frame[:2])
    return canvas


def _pads(source: Source) -> bool:
    """Return whether an alpha of 0 everywhere is padding, as some programs write it in these formats."""
    return source.kind == "BMP" or (source.tiff is not None and source.tiff.is_opaque)


def _encoding(source: Source) -> colour.Encoding:
    """Return the meaning of the numbers, by the file's description other than its profile."""
    assert source.image is not None  # noqa: S101
    described = source.png or source.bmp or source.tiff
    if described is not None and not described.encoding.is_srgb:
        return described.encoding
    if source.kind in ("AVIF", "HEIF") and (points := kinds.code_points(source.stream, source.image)):
        return colour.of_code_points(*points)
    if source.kind in ("JPEG", "MPO", "TIFF"):
        # DCF 2.0: cameras state Adobe RGB in this way if they write no profile.
        interoperability = source.image.getexif().get_ifd(ExifTags.IFD.Interop).get(1)
        if interoperability == "R03":
            return colour.Encoding(colour.ADOBE_RGB, colour.ADOBE_GAMMA)
    return colour.Encoding()


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
        is_grey = image.mode in ("L", "LA", "1")
        image = image.convert("LA" if image.mode == "LA" else "RGBA")
        return image.convert("L" if is_grey else "RGB"), image.getchannel("A")
    if image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return image, None


def _in_srgb(image: Image.Image, profile: bytes | None, name: str, warn: Warn) -> Image.Image:
    """Convert L, RGB or CMYK to RGB by a profile, or by the mode."""
    if not profile:
        return image.convert("RGB")
    try:
        if image.mode == "L":
            levels = np.arange(256, dtype=np.uint8)[None, :, None]
            return Image.fromarray(colour.by_profile(levels, profile)[0][np.asarray(image)])
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        colour.check_profile(profile)
        converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
        assert converted is not None  # noqa: S101  (None only with inPlace=True)
        return converted
    except (ImageCms.PyCMSError, colour.ProfileError, OSError) as error:
        warn(_unfit(name, error))
        return image.convert("RGB")


def _unfit(name: str, error: Exception) -> str:
    return f"{name}: its colour profile does not fit the picture ({error}); read as sRGB"


def _on_white(picture: Image.Image, alpha: Image.Image | None) -> Image.Image:
    if alpha is None:
        return picture
    return Image.composite(picture, Image.new("RGB", picture.size, "white"), alpha)
