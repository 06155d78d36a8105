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

from generator.files.colour import BT709, D50, Encoding, lab_to_srgb
from generator.files.samples import Samples, full_range

if TYPE_CHECKING:
    from tifffile import TiffPage

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Its warnings of odd tags would add to our one line.
logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR, _CIELAB, _ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
# Samples that each needs. Three inks are cyan, magenta and yellow.
_NEEDED = {
    _WHITE_IS_ZERO: 1,
    _BLACK_IS_ZERO: 1,
    _RGB: 3,
    _PALETTE: 1,
    _CMYK: 3,
    _YCBCR: 3,
    _CIELAB: 3,
    _ICCLAB: 3,
}
_RAW_PHOTOGRAPH = (32803, 34892)
_UNREAD = {4: "a mask", 10: "ITU-T Lab colours", 32844: "LogL light", 32845: "LogLuv light"}
_UNSIGNED, _SIGNED, _FLOAT, _COMPLEX = (1, 4), (2,), (3,), (5, 6)
# None, CCITT, LZW, JPEG, Deflate (both numbers), PackBits, LZMA, Zstandard. The lists are short on purpose.
_BY_PILLOW = (1, 2, 3, 4, 5, 6, 7, 8, 32946, 32773, 34925, 50000)
_FAX, _JPEGS = (2, 3, 4), (6, 7)
# The same without CCITT and the old JPEG, with WebP.
_COMPRESSIONS = (1, 5, 7, 8, 32946, 32773, 34925, 50000, 50001)
_LAB_BITS = (8, 16)
# Floating-point samples above this are light or measurements, not the colours of a profile.
_MAX_FLOAT = 1.5
_ASSOCIATED, _UNASSOCIATED = 1, 2
_DNG_VERSION = 50706
_RAW = "is a raw photograph; develop it first"
# A copy is at least this many times smaller. It differs on average by at most this share of the range, by filtering.
_MIN_REDUCTION, _SAME = 1.5, 0.04
_JFIF_LUMA, _JFIF_RANGE = (0.299, 0.587, 0.114), (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)
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
    if file.read(10)[8:] == b"CR":
        raise TiffError(_RAW)
    file.seek(0)
    pages = [page for page in TiffFile(file).pages if isinstance(page, TiffPage) and page.imagewidth]
    if not pages:
        raise TiffError("is a TIFF without a picture")
    if any(_is_raw(page) for page in pages):
        raise TiffError(_RAW)
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
        self._photometric = self._stated_photometric()
        self._check()

    @property
    def size(self) -> tuple[int, int]:
        return int(self.page.imagewidth), int(self.page.imagelength)

    @property
    def is_opaque(self) -> bool:
        """Return whether a fourth sample without a tag may be padding."""
        return not self._extra

    @property
    def suits_pillow(self) -> bool:
        """Return whether Pillow reads these samples correctly."""
        samples, bits, photometric = self.page.samplesperpixel, self._bits, self._photometric
        if len(set(bits)) > 1 or _format(self.page) not in _UNSIGNED:
            return False
        if self.page.parent.is_bigtiff and self.page.parent.byteorder == ">":
            return False
        if 262 not in self.page.tags or photometric not in _NEEDED or self.page.compression not in _BY_PILLOW:
            return self.page.compression in _FAX
        if photometric == _PALETTE:
            return samples == 1 and bits[0] <= 8 and int(np.max(self._tag(320, (0,)))) > 255
        if photometric == _YCBCR and self.page.compression not in _JPEGS:
            return bits[0] == 8 and samples == 3 and self.page.planarconfig == 1 and self._is_plain_ycbcr
        if bits[0] == 16:
            # Pillow rounds to 8 bits before a profile or a curve is applied.
            is_plain = not self._icc and self.encoding.is_srgb
            return is_plain and ((photometric, samples) == (_BLACK_IS_ZERO, 1) or self._is_plain_deep_rgb)
        if bits[0] == 8:
            # Pillow reads the signed a and b of CIELab as unsigned.
            return (
                photometric not in (_CIELAB, _ICCLAB)
                and len(self._extra) <= 1
                and not self._is_grey_with_alpha
                and not (self._extra and self.page.planarconfig == 2)
                and (photometric != _CMYK or samples == 4)
            )
        return samples == 1 and bits[0] in (1, 2, 4)

    @property
    def encoding(self) -> Encoding:
        """The meaning of the numbers without a profile, by the tags for a screen's colours (TIFF 6.0, section 20)."""
        if self._photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB):
            return Encoding()
        primaries = (*_fractions(self._tag(319, ())), *_fractions(self._tag(318, ())))
        is_stated = len(primaries) == 8 and min(primaries[1::2]) > 0
        return Encoding(primaries if is_stated else BT709, self._gamma)  # type: ignore[arg-type]

    @property
    def _white(self) -> tuple[float, float]:
        """WhitePoint of Lab colours; D50 without the tag (Adobe's technical note for Photoshop)."""
        white = _fractions(self._tag(318, ()))
        return (white[0], white[1]) if len(white) == 2 and min(white) > 0 else D50

    @property
    def _gamma(self) -> float:
        """The exponent of TransferFunction, or 0 for sRGB's curve."""
        curve = np.asarray(self._tag(301, ()), float)
        count = 2 ** self._bits[0]
        if curve.size not in (count, 3 * count) or curve.max(initial=0) <= 0:
            return 0.0
        middle = curve[count // 2] / curve[count - 1]
        return float(np.log(middle) / np.log((count // 2) / (count - 1))) if 0 < middle < 1 else 0.0

    @property
    def _orientation(self) -> int:
        """The EXIF orientation."""
        return int(self._tag(274, 1))

    @property
    def _icc(self) -> bytes | None:
        found = self._tag(34675, None)
        # Lab needs no profile. The file's profile often belongs to the RGB that it was made from.
        return bytes(found) if found and self._photometric not in (_CIELAB, _ICCLAB) else None

    @property
    def _is_plain_deep_rgb(self) -> bool:
        return (self._photometric, self.page.samplesperpixel, self.page.planarconfig) == (_RGB, 3, 1)

    @property
    def _is_plain_ycbcr(self) -> bool:
        """Return whether uncompressed YCbCr samples are those of JPEG. Pillow minds other tags in compressed ones only."""
        return self.page.compression != 1 or self._ycbcr == (_JFIF_LUMA, _JFIF_RANGE)

    @property
    def _ycbcr(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """YCbCrCoefficients and ReferenceBlackWhite (TIFF 6.0, section 21)."""
        luma = tuple(round(value, 4) for value in _fractions(self._tag(529, ())))
        span = _fractions(self._tag(532, ()))
        return luma if len(luma) == 3 else _JFIF_LUMA, span if len(span) == 6 else _JFIF_RANGE

    @property
    def _is_grey_with_alpha(self) -> bool:
        return self._photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO) and self.page.samplesperpixel > 1

    @property
    def _bits(self) -> Sequence[int]:
        return tuple(np.atleast_1d(self._tag(258, 1)).tolist())

    @property
    def _extra(self) -> tuple[int, ...]:
        return tuple(int(sample) for sample in self.page.extrasamples)

    def _tag(self, number: int, default: Any) -> Any:
        tag = self.page.tags.get(number)
        return default if tag is None else tag.value

    def _stated_photometric(self) -> int:
        """Return the photometric interpretation; without its tag, as libtiff takes it."""
        if 262 in self.page.tags or self.page.compression in _FAX:
            return int(self.page.photometric)
        return _RGB if self.page.samplesperpixel - len(self._extra) >= 3 else _BLACK_IS_ZERO

    def _check(self) -> None:
        """Refuse samples that cannot be shown in one right way."""
        page, photometric = self.page, self._photometric
        self._check_format()
        if photometric in _UNREAD:
            raise TiffError(f"has {_UNREAD[photometric]}, which cannot be read")
        if photometric not in _NEEDED:
            raise TiffError(f"has samples of an unsupported kind (PhotometricInterpretation {photometric})")
        inks = page.samplesperpixel - len(self._extra)
        if photometric == _CMYK and (self._tag(332, 1) != 1 or inks not in (3, 4)):  # InkSet
            raise TiffError("has inks other than cyan, magenta, yellow and black")
        if inks < _NEEDED[photometric]:
            raise TiffError(
                f"has {inks} of the {_NEEDED[photometric]} samples that a pixel of its colours needs"
            )
        if photometric == _PALETTE and np.size(self._tag(320, ())) < 3:
            raise TiffError("has no palette (ColorMap) for its colours")
        if int(getattr(page, "imagedepth", 1)) > 1:
            raise TiffError(f"is a volume of {page.imagedepth} slices; save the one that you need as a PNG")
        subsampled = self._tag(530, (2, 2)) != (1, 1)
        if photometric == _YCBCR and subsampled and (page.compression == 1 or not self.suits_pillow):
            raise TiffError("has YCbCr samples at halved resolution, of a kind that cannot be read")
        if self.suits_pillow:
            return
        if len(set(self._bits)) > 1:
            raise TiffError(f"has samples of different sizes ({', '.join(map(str, self._bits))} bits)")
        if photometric in (_CIELAB, _ICCLAB) and self._bits[0] not in _LAB_BITS:
            raise TiffError(f"has Lab colours of {self._bits[0]} bits")
        if page.compression not in _COMPRESSIONS:
            name = getattr(page.compression, "name", page.compression)
            raise TiffError(f"is compressed by an unsupported method ({name}); save it with LZW or Deflate")

    def _check_format(self) -> None:
        kind = _format(self.page)
        if kind in _SIGNED:
            raise TiffError("has signed samples, but does not say which values are black and white")
        if kind in _FLOAT and not (self._icc and self._photometric in (_BLACK_IS_ZERO, _RGB)):
            raise TiffError("has floating-point samples, but states neither the value of white nor the curve")
        if kind in _COMPLEX:
            raise TiffError("has complex numbers as samples: measurements, not a picture")

    def decode(self) -> Samples:
        """Return the picture's samples."""
        samples = np.asarray(self.page.asarray())
        if samples.ndim == 3 and self.page.planarconfig == 2:
            samples = np.moveaxis(samples, 0, -1)
        samples = samples.reshape(*samples.shape[:2], -1)
        top = self._top
        if _format(self.page) in _FLOAT:
            samples, top = _from_floats(samples), 65535
        inks = samples.shape[2] - len(self._extra)
        colours = inks if self._photometric == _CMYK else _NEEDED[self._photometric]
        alpha = self._alpha(samples, colours)
        image = samples[..., :colours]
        if alpha is not None and _ASSOCIATED in self._extra and self._photometric != _PALETTE:
            image = np.minimum(image / np.maximum(alpha, 1)[..., None] * top, top)
        return Samples(
            self._shown(image, top),
            None if alpha is None else full_range(alpha, top),
            self._icc,
            self.encoding,
            self._orientation,
        )

    def _shown(self, image: NDArray[Any], top: int) -> NDArray[Any]:
        """Return samples as grey, RGB or CMYK over the full range."""
        if self._photometric == _PALETTE:
            return self._by_palette(image[..., 0])
        if self._photometric in (_CIELAB, _ICCLAB):
            return _lab(image, self._bits[0], self._white, signed=self._photometric == _CIELAB)
        if self._photometric == _YCBCR and self.page.compression not in _JPEGS:
            return _from_ycbcr(image, top, *self._ycbcr)
        if self._photometric == _WHITE_IS_ZERO or (self._photometric == _CMYK and image.shape[2] == 3):
            image = top - image
        return full_range(image, top)

    @property
    def _top(self) -> int:
        return int(2 ** self._bits[0] - 1)

    def _alpha(self, samples: NDArray[Any], colours: int) -> NDArray[Any] | None:
        for number, extra in enumerate(self._extra):
            if extra in (_ASSOCIATED, _UNASSOCIATED):
                return samples[..., colours + number]
        return None

    def _by_palette(self, indices: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the colours of a palette. Some programs write them up to 255, although 65535 is white."""
        palette = np.asarray(self._tag(320, (0,))).reshape(3, -1)
        scale = 1 if palette.max() <= 255 else 257
        found: NDArray[np.uint8] = np.round(palette.T / scale).astype(np.uint8)[indices.astype(np.int64)]
        return found


def _is_raw(page: TiffPage) -> bool:
    """Return whether a page, or a page below it, holds the samples of a camera's sensor."""
    if page.photometric in _RAW_PHOTOGRAPH or _DNG_VERSION in page.tags:
        return True
    return any(int(getattr(each, "photometric", 0)) in _RAW_PHOTOGRAPH for each in page.pages or ())


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


def _fractions(numbers: Sequence[int]) -> tuple[float, ...]:
    """Return a tag of pairs of numerator and denominator as numbers; () if one divides by 0."""
    over, under = np.asarray(numbers, float)[0::2], np.asarray(numbers, float)[1::2]
    return tuple((over / under).tolist()) if len(over) == len(under) and under.all() else ()


def _from_floats(samples: NDArray[Any]) -> NDArray[np.uint16]:
    """Return the floating-point samples of a picture with a profile, where 1 is white, over 16 bits."""
    if not np.isfinite(samples).all():
        raise TiffError("has floating-point samples that are no numbers (NaN or infinite)")
    if samples.max(initial=0) > _MAX_FLOAT:
        raise TiffError(f"has floating-point samples up to {samples.max():.4g}, although 1 is white")
    return np.round(samples.clip(0, 1).astype(np.float32) * 65535).astype(np.uint16)


def _from_ycbcr(
    samples: NDArray[Any], top: int, luma: tuple[float, ...], span: tuple[float, ...]
) -> NDArray[np.uint16]:
    """Return YCbCr as RGB over 16 bits (TIFF 6.0, section 21)."""
    low, high = np.array(span[0::2]), np.array(span[1::2])
    # The tags count from 0 to 255 whatever the depth. Y goes from 0 to 1, Cb and Cr from -1 to 1.
    y, blue, red = np.moveaxis((samples * (255 / top) - low) / (high - low), -1, 0)
    of_red, of_green, of_blue = luma
    r = y + red * (1 - of_red)
    b = y + blue * (1 - of_blue)
    g = (y - of_red * r - of_blue * b) / of_green
    return np.round(np.stack([r, g, b], -1).clip(0, 1) * 65535).astype(np.uint16)


def _lab(samples: NDArray[Any], bits: int, white: tuple[float, float], *, signed: bool) -> NDArray[np.uint8]:
    """Return the sRGB colours of Lab samples. ICC's 16 bits end at 65280 for L = 100."""
    values = samples.astype(np.int64)
    half, step = 2 ** (bits - 1), 2 ** (bits - 8)
    values[..., 1:] = (values[..., 1:] ^ half if signed else values[..., 1:]) - half
    most = 2**bits - 1 if signed or bits == 8 else 65280
    lightness, a, b = np.moveaxis(values.astype(np.float32), -1, 0)
    return lab_to_srgb(lightness * np.float32(100 / most), a / step, b / step, white)
