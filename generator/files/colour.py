"""Conversion of colours to sRGB by the primaries and the curve that a file states.

Sources: ITU-T H.273 (code points), the PNG specification's third edition (gAMA, cHRM, cICP), IEC 61966-2-1 (sRGB).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageCms

Floats = NDArray[np.float32]
# x and y of red, green, blue and white.
Primaries = tuple[float, float, float, float, float, float, float, float]

_D65 = (0.3127, 0.3290)
BT709: Primaries = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *_D65)
ADOBE_RGB: Primaries = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, *_D65)
ADOBE_GAMMA = 563 / 256

# H.273, table 2. Missing numbers are unspecified or reserved, and are read as BT.709.
_PRIMARIES: dict[int, Primaries] = {
    1: BT709,
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, 0.310, 0.316),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, 0.310, 0.316),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
# H.273, table 3: exponents of pure power curves. The curves of television (1, 6, 11, 12, 14, 15) are shown as sRGB's.
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6}
D50 = (0.3457, 0.3585)  # of ICC profiles
_HDR = {16: "PQ (SMPTE ST 2084)", 18: "HLG (ARIB STD-B67)"}
_LOGARITHMIC = (9, 10)
# Rows converted at once: limits the memory for float32.
_BAND = 256


class ColourError(ValueError):
    """Colours that cannot be converted to sRGB in one right way; the message names them."""


class ProfileError(ValueError):
    """A colour profile that does not fit its picture."""


@dataclass(frozen=True)
class Encoding:
    """The meaning of a file's numbers.

    gamma: exponent that makes them linear, or 0 for the curve of sRGB. is_narrow: whether black is 16 and white 235
    of 255 (H.273, equation 20).
    """

    primaries: Primaries = BT709
    gamma: float = 0.0
    is_narrow: bool = False

    @property
    def is_srgb(self) -> bool:
        """Return whether the numbers are sRGB, within the precision of the constants in files."""
        near = np.allclose(self.primaries, BT709, atol=0.002)
        # Files say 0.45455 (1 / 2.2) where they mean sRGB.
        return bool(near) and not self.is_narrow and (self.gamma == 0 or abs(self.gamma - 2.2) < 0.03)


def of_code_points(primaries: int, transfer: int) -> Encoding:
    """Return the encoding of H.273's code points.

    Raises:
        ColourError: For HDR and for logarithmic curves.
    """
    if transfer in _HDR:
        raise ColourError(f"an HDR picture, {_HDR[transfer]}")
    if transfer in _LOGARITHMIC:
        raise ColourError("a picture on a logarithmic curve")
    return Encoding(_PRIMARIES.get(primaries, BT709), _GAMMAS.get(transfer, 0.0))


def check_profile(profile: bytes) -> None:
    """Check that an ICC profile is not HDR, by its cicp tag (ICC.1:2022, 9.2.17) or its description.

    Raises:
        ColourError: If it is.
    """
    count = int.from_bytes(profile[128:132])
    for start in range(132, 132 + 12 * min(count, 100), 12):
        kind, offset = profile[start : start + 4], int.from_bytes(profile[start + 4 : start + 8])
        if kind == b"cicp" and len(profile) >= offset + 12:
            of_code_points(profile[offset + 8], profile[offset + 9])
        if kind == b"desc":
            text = profile[offset : offset + 200].replace(b"\0", b"").decode("latin-1")
            if named := re.search(r"\b(PQ|HLG|ST ?2084)\b", text):
                raise ColourError(f"an HDR picture, {named[1]} by its colour profile")


def by_profile(samples: NDArray[Any], profile: bytes) -> NDArray[np.uint8]:
    """Return samples H x W x 1, 3 or 4 (uint8 or uint16) as sRGB, rounded to 8 bits after the conversion.

    Raises:
        ProfileError: If the profile does not fit.
        ColourError: If it is HDR.
    """
    from imagecodecs import CmsError, cms_transform

    space = {1: "gray", 3: "rgb", 4: "cmyk"}[samples.shape[2]]
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = np.empty((*samples.shape[:2], 3), np.uint8)
    check_profile(profile)
    for start in range(0, len(samples), 4 * _BAND):
        band = np.ascontiguousarray(samples[start : start + 4 * _BAND])
        try:
            made[start : start + 4 * _BAND] = cms_transform(
                band[..., 0] if space == "gray" else band,
                profile,
                srgb,
                colorspace=space,
                outcolorspace="rgb",
                outdtype=np.uint8,
                intent=ImageCms.Intent.PERCEPTUAL,
                # LittleCMS's table for grey is up to 10 levels off in shadows of a linear profile.
                flags=ImageCms.Flags.NOOPTIMIZE if space == "gray" else None,
            )
        except CmsError as error:
            raise ProfileError(str(error)) from error
    return made


def lab_to_srgb(
    lightness: Floats, a: Floats, b: Floats, white: tuple[float, float] = D50
) -> NDArray[np.uint8]:
    """Return CIE L*a*b* (ISO/CIE 11664-4) under a white (x and y) as sRGB, rounded to 8 bits."""
    from_white = np.array([white[0] / white[1], 1, (1 - sum(white)) / white[1]])
    y = (lightness + 16) / 116
    levels = np.stack([y + a / 500, y, y - b / 200], -1)
    xyz = np.where(levels > 6 / 29, levels**3, 3 * (6 / 29) ** 2 * (levels - 4 / 29))
    xyz = (xyz * from_white).astype(np.float32)
    # To Bradford's cones, where white is adapted to D65, and to RGB.
    to_rgb = np.linalg.inv(_to_xyz(BT709)) @ _adaptation(from_white)
    light = (xyz @ to_rgb.T.astype(np.float32)).clip(0, 1)
    return np.round(_srgb_curve(light) * 255).astype(np.uint8)


def to_srgb(pixels: NDArray[np.uint8] | NDArray[np.uint16], encoding: Encoding) -> NDArray[np.uint8]:
    """Return pixels H x W x 3 as sRGB, rounded to 8 bits. The input uses the full range of its type."""
    top = np.iinfo(pixels.dtype).max
    levels = np.arange(top + 1, dtype=np.float32) / np.float32(top)
    if encoding.is_narrow:
        scale = (top + 1) / 256 / top
        levels = ((levels - np.float32(16 * scale)) / np.float32(219 * scale)).clip(0, 1)
    linear = _linear(encoding.gamma)(levels)
    matrix = (np.linalg.inv(_to_xyz(BT709)) @ _to_xyz(encoding.primaries)).astype(np.float32)
    made = np.empty(pixels.shape, np.uint8)
    for start in range(0, len(pixels), _BAND):
        light = linear[pixels[start : start + _BAND]] @ matrix.T
        made[start : start + _BAND] = np.round(_srgb_curve(light.clip(0, 1)) * 255)
    return made


def _linear(gamma: float) -> Callable[[Floats], Floats]:
    if gamma:
        return lambda values: values**gamma
    return lambda values: np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _srgb_curve(light: Floats) -> Floats:
    curved: Floats = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return curved


def _to_xyz(primaries: Primaries) -> NDArray[np.float64]:
    """Return the matrix from linear RGB to CIE XYZ, with white adapted to D65 by Bradford's method."""
    x, y = np.array(primaries[0::2]), np.array(primaries[1::2])
    columns = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    matrix = columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])
    adapted: NDArray[np.float64] = _adaptation(columns[:, 3]) @ matrix
    return adapted


def _adaptation(white: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix that adapts XYZ from a white to D65 by Bradford's method."""
    cones = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    d65 = np.array([_D65[0] / _D65[1], 1, (1 - sum(_D65)) / _D65[1]])
    adapted: NDArray[np.float64] = np.linalg.inv(cones) @ np.diag((cones @ d65) / (cones @ white)) @ cones
    return adapted
