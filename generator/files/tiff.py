"""TIFF files by their tags: which page is the picture, and samples that Pillow would misread.

Source: Adobe, TIFF Revision 6.0 (1992), and its technical notes for Photoshop.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from tifffile import TiffPage

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Its warnings of odd tags would add to our one line.
logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR, _CIELAB, _ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
_KNOWN = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _CIELAB: 3, _ICCLAB: 3}
_RAW_PHOTOGRAPH = (32803, 34892)
_UNREAD = {4: "a mask", 10: "ITU-T Lab colours", 32844: "LogL light", 32845: "LogLuv light"}
_SIGNED, _FLOAT, _COMPLEX = (2,), (3,), (5, 6)
# None, LZW, Deflate (both numbers), PackBits, JPEG, LZMA, Zstandard. The list is short on purpose.
_COMPRESSIONS = (1, 5, 7, 8, 32946, 32773, 34925, 50000)
_ASSOCIATED, _UNASSOCIATED = 1, 2
_DNG_VERSION = 50706
# A copy is at least this many times smaller. It differs on average by at most this share of the range, by filtering.
_MIN_REDUCTION, _SAME = 1.5, 0.04
_REDUCED_OR_MASK = 1 | 4  # bits of NewSubfileType
_OLD_REDUCED = 2


class TiffError(ValueError):
    """A TIFF that cannot be shown as one picture; the message says why."""


def open_tiff(file: IO[bytes]) -> Tiff:
    """Return the page that is the picture.

    Raises:
        TiffError: If there are several, or if it cannot be shown in one right way.
    """
    from tifffile import TiffFile, TiffPage

    file.seek(0)
    pages = [page for page in TiffFile(file).pages if isinstance(page, TiffPage)]
    if any(page.photometric in _RAW_PHOTOGRAPH or _DNG_VERSION in page.tags for page in pages):
        raise TiffError("a raw photograph (DNG); develop it first")
    pictures = [number for number, page in enumerate(pages) if not _is_called_copy(page)] or [0]
    largest = max(pictures, key=lambda number: pages[number].imagewidth * pages[number].imagelength)
    others = [number for number in pictures if number != largest]
    if not all(_is_copy(pages[number], pages[largest]) for number in others):
        raise TiffError(f"has {len(pictures)} frames or pages; save the one that you need as a PNG")
    return Tiff(pages[largest], largest)


class Tiff:
    """One page of a TIFF file. number: of the page, from 0."""

    def __init__(self, page: TiffPage, number: int) -> None:
        self.page, self.number = page, number
        self._check()

    @property
    def size(self) -> tuple[int, int]:
        return int(self.page.imagewidth), int(self.page.imagelength)

    @property
    def orientation(self) -> int:
        """The EXIF orientation."""
        return int(self._tag(274, 1))

    @property
    def profile(self) -> bytes | None:
        found = self._tag(34675, None)
        return bytes(found) if found else None

    @property
    def is_opaque(self) -> bool:
        """Return whether a fourth sample without a tag may be padding."""
        return not self._extra

    @property
    def suits_pillow(self) -> bool:
        """Return whether Pillow reads these samples correctly."""
        samples, bits, photometric = self.page.samplesperpixel, self._bits, self.page.photometric
        if len(set(bits)) > 1 or _format(self.page) not in (1, 4):
            return False
        if self.page.parent.is_bigtiff and self.page.parent.byteorder == ">":
            return False
        if photometric == _PALETTE:
            return samples == 1 and int(np.max(self._tag(320, (0,)))) > 255
        if bits[0] == 16:
            return (photometric, samples) == (_BLACK_IS_ZERO, 1) or self._is_plain_deep_rgb
        if bits[0] == 8:
            # Pillow reads the signed a and b of CIELab as unsigned.
            return (
                photometric not in (_CIELAB, _ICCLAB)
                and len(self._extra) <= 1
                and not self._is_grey_with_alpha
            )
        return samples == 1 and bits[0] in (1, 2, 4)

    @property
    def _is_plain_deep_rgb(self) -> bool:
        return (self.page.photometric, self.page.samplesperpixel, self.page.planarconfig) == (_RGB, 3, 1)

    @property
    def _is_grey_with_alpha(self) -> bool:
        return self.page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO) and self.page.samplesperpixel > 1

    @property
    def _bits(self) -> Sequence[int]:
        return tuple(np.atleast_1d(self._tag(258, 1)).tolist())

    @property
    def _extra(self) -> tuple[int, ...]:
        return tuple(int(sample) for sample in self.page.extrasamples)

    def _tag(self, number: int, default: Any) -> Any:
        tag = self.page.tags.get(number)
        return default if tag is None else tag.value

    def _check(self) -> None:
        """Refuse samples that cannot be shown in one right way."""
        page, photometric = self.page, int(self.page.photometric)
        if _format(page) in _SIGNED:
            raise TiffError("has signed samples, but does not say which values are black and white")
        if _format(page) in _FLOAT:
            raise TiffError("has floating-point samples, but states neither the value of white nor the curve")
        if _format(page) in _COMPLEX:
            raise TiffError("has complex numbers as samples: measurements, not a picture")
        if photometric in _UNREAD:
            raise TiffError(f"has {_UNREAD[photometric]}, which cannot be read")
        if photometric == _CMYK and self._tag(332, 1) != 1:  # InkSet
            raise TiffError("has inks other than cyan, magenta, yellow and black")
        if photometric == _YCBCR and page.compression == 1 and self._tag(530, (2, 2)) != (1, 1):
            raise TiffError("has uncompressed YCbCr samples at halved resolution, which cannot be read")
        if self.suits_pillow:
            return
        if photometric not in _KNOWN:
            raise TiffError(f"has samples of an unsupported kind (PhotometricInterpretation {photometric})")
        if len(set(self._bits)) > 1:
            raise TiffError(f"has samples of different sizes ({', '.join(map(str, self._bits))} bits)")
        if page.compression not in _COMPRESSIONS:
            raise TiffError(f"is compressed by an unsupported method ({page.compression!r})")

    def decode(self) -> tuple[Image.Image, Image.Image | None]:
        """Return the picture as L, RGB, CMYK or LAB, rounded to 8 bits, and its alpha."""
        samples = np.asarray(self.page.asarray())
        if samples.ndim == 3 and self.page.planarconfig == 2:
            samples = np.moveaxis(samples, 0, -1)
        samples = samples.reshape(*samples.shape[:2], -1)
        photometric = int(self.page.photometric)
        if photometric == _PALETTE:
            return self._by_palette(samples[..., 0]), None
        colours = _KNOWN[photometric]
        alpha = self._alpha(samples, colours)
        if photometric in (_CIELAB, _ICCLAB):
            return _lab(samples[..., :3], self._bits[0], signed=photometric == _CIELAB), _image(
                alpha, self._top
            )
        image = samples[..., :colours]
        if photometric == _WHITE_IS_ZERO:
            image = self._top - image
        if alpha is not None and _ASSOCIATED in self._extra:
            image = np.minimum(image / np.maximum(alpha, 1)[..., None] * self._top, self._top)
        return _image(image, self._top), _image(alpha, self._top)

    @property
    def _top(self) -> int:
        return int(2 ** self._bits[0] - 1)

    def _alpha(self, samples: NDArray[Any], colours: int) -> NDArray[Any] | None:
        for number, extra in enumerate(self._extra):
            if extra in (_ASSOCIATED, _UNASSOCIATED):
                return samples[..., colours + number]
        return None

    def _by_palette(self, indices: NDArray[Any]) -> Image.Image:
        """Return the colours of a palette. Some programs write them up to 255, although 65535 is white."""
        palette = np.asarray(self._tag(320, (0,))).reshape(3, -1)
        scale = 1 if palette.max() <= 255 else 257
        return Image.fromarray(np.round(palette.T / scale).astype(np.uint8)[indices])


def _is_called_copy(page: TiffPage) -> bool:
    """Return whether a page's tags call it a reduced copy or a mask of another page."""
    old = page.tags.get(255)
    return bool(int(page.subfiletype) & _REDUCED_OR_MASK) or (old is not None and old.value == _OLD_REDUCED)


def _is_copy(page: TiffPage, picture: TiffPage) -> bool:
    """Return whether a page is a smaller copy of the picture, which some programs add without a tag."""
    width, height = int(page.imagewidth), int(page.imagelength)
    scale = picture.imagewidth / width
    if scale < _MIN_REDUCTION or abs(picture.imagelength / scale - height) > 1:
        return False
    if page.dtype != picture.dtype or page.samplesperpixel != picture.samplesperpixel:
        return False
    small, large = (_brightness(each) for each in (page, picture))
    scaled = np.asarray(Image.fromarray(large).resize((width, height), Image.Resampling.BOX))
    return float(np.abs(scaled - small).mean()) <= _SAME * max(1.0, float(np.ptp(large)))


def _brightness(page: TiffPage) -> NDArray[np.float32]:
    samples = np.asarray(page.asarray(), dtype=np.float32)
    return samples if samples.ndim == 2 else samples.mean(0 if page.planarconfig == 2 else -1)


def _format(page: TiffPage) -> int:
    """SampleFormat: 1 unsigned, 2 signed, 3 floating-point, 4 unknown, 5 and 6 complex."""
    tag = page.tags.get(339)
    return int(np.max(tag.value)) if tag is not None else 1


def _image(samples: NDArray[Any] | None, top: int) -> Any:
    """Return samples from 0 to `top` as an image of 8 bits a channel, None for None."""
    if samples is None:
        return None
    eight = np.round(samples * (255.0 / top)).astype(np.uint8)
    eight = eight[..., 0] if eight.ndim == 3 and eight.shape[2] == 1 else eight
    return Image.fromarray(eight, "CMYK") if eight.shape[2:] == (4,) else Image.fromarray(eight)


def _lab(samples: NDArray[Any], bits: int, *, signed: bool) -> Image.Image:
    """Return Lab samples as Pillow stores them: L from 0 to 255, a and b around 128."""
    values = samples.astype(np.int64)
    if signed:
        values[..., 1:] += (values[..., 1:] < 2 ** (bits - 1)) * 2**bits - 2 ** (bits - 1)
    if bits == 16:
        white = 65535 if signed else 65280
        values[..., 0] = np.round(values[..., 0] * (255 / white))
        values[..., 1:] = np.round(values[..., 1:] / 256)
    return Image.frombytes("LAB", values.shape[1::-1], values.clip(0, 255).astype(np.uint8).tobytes())
