"""TIFF files that say more than Pillow reads: Lab, YCbCr, palettes, inks, alpha, curves, compression, raw photographs."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from tests.generator.files.pictures import (
    ACROSS,
    COLOURS,
    DOWN,
    GREY,
    HEIGHT,
    LIGHT,
    RGB,
    WIDTH,
    assert_is,
    on_white,
    raw_tiff,
    refusal,
    tiff,
)

ALPHA = np.round(DOWN * 255).astype(np.uint8)[..., None]
EIGHT = (8, 8, 8)
# sRGB's red, green, blue and a grey under D50 and D65, as colour calculators give them.
D50 = {
    (54.29, 80.81, 69.89): (255, 0, 0),
    (87.82, -79.29, 80.99): (0, 255, 0),
    (29.57, 68.30, -112.03): (0, 0, 255),
}
D65 = {
    (53.24, 80.09, 67.20): (255, 0, 0),
    (87.74, -86.18, 83.18): (0, 255, 0),
    (32.30, 79.19, -107.86): (0, 0, 255),
}


@pytest.mark.parametrize("photometric", ["cielab", "icclab"])
@pytest.mark.parametrize("bits", [8, 16])
def test_lab_colours_are_those_of_the_tables(photometric: str, bits: int) -> None:
    for lab, seen in {**D50, (53.59, 0.0, 0.0): (128, 128, 128)}.items():
        lightness, a, b = lab
        white = 255 if bits == 8 else 65535 if photometric == "cielab" else 65280
        zero = 0 if photometric == "cielab" else 2 ** (bits - 1)
        step = 2 ** (bits - 8)
        stored = [round(lightness * white / 100), round(a * step) + zero, round(b * step) + zero]
        samples = np.tile(np.array(stored), (8, 8, 1)).astype(np.uint8 if bits == 8 else np.uint16)
        # One of 8 bits is many levels where a colour has hardly any red or blue.
        assert_is(tiff(samples, photometric=photometric), np.array(seen), 24 if bits == 8 else 3)


def test_lab_colours_mind_their_white_point() -> None:
    white = [(318, "2I", 2, (3127, 10000, 3290, 10000), True)]
    for (lightness, a, b), seen in D65.items():
        samples = np.array([round(lightness * 655.35), round(a * 256), round(b * 256)]).astype(np.uint16)
        data = tiff(np.tile(samples, (8, 8, 1)), photometric="cielab", extratags=white)
        assert_is(data, np.array(seen), 3)


def ycbcr(red: float, blue: float, luma: tuple[float, float], chroma: float) -> bytes:
    """YCbCr samples of the picture. luma: black and white, chroma: half its span."""
    green = 1 - red - blue
    y = COLOURS @ np.array([red, green, blue])
    of_blue, of_red = (COLOURS[..., 2] - y) / (1 - blue), (COLOURS[..., 0] - y) / (1 - red)
    stored = [luma[0] + y * (luma[1] - luma[0]), 128 + of_blue * chroma, 128 + of_red * chroma]
    return np.round(np.stack(stored, -1)).clip(0, 255).astype(np.uint8).tobytes()


def test_ycbcr_minds_its_coefficients_and_its_range() -> None:
    full: dict[str, Any] = {"_530": ("H", [1, 1])}
    assert_is(raw_tiff(ycbcr(0.299, 0.114, (0, 255), 127), 6, EIGHT, **full), RGB, 3)
    hd = ("2I", [2126, 10000, 7152, 10000, 722, 10000])
    assert_is(raw_tiff(ycbcr(0.2126, 0.0722, (0, 255), 127), 6, EIGHT, **full, _529=hd), RGB, 3)
    studio = ("2I", [16, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1])
    assert_is(raw_tiff(ycbcr(0.299, 0.114, (16, 235), 112), 6, EIGHT, **full, _532=studio), RGB, 3)
    assert "at halved resolution" in refusal(raw_tiff(bytes(WIDTH * HEIGHT * 3 // 2), 6, EIGHT))


def test_a_palette_of_any_depth_and_with_alpha_is_read() -> None:
    random = np.random.default_rng(0)
    palette = random.integers(0, 65536, (3, 65536))
    indices = random.integers(0, 65536, (HEIGHT, WIDTH)).astype(np.uint16)
    seen = np.round(palette.T / 257)
    assert_is(raw_tiff(indices.tobytes(), 3, (16,), _320=("H", palette.ravel().tolist())), seen[indices])
    few = (indices % 256).astype(np.uint8)[..., None]
    data = np.concatenate([few, ALPHA], -1).tobytes()
    tags: dict[str, Any] = {"_320": ("H", palette[:, :256].ravel().tolist()), "_338": ("H", [2])}
    assert_is(raw_tiff(data, 3, (8, 8), **tags), on_white(seen[few[..., 0]], DOWN))
    assert "has no palette" in refusal(raw_tiff(bytes(WIDTH * HEIGHT), 3, (8,)))


def test_alpha_is_read_with_any_colours() -> None:
    inks = np.concatenate([255 - RGB, np.zeros_like(ALPHA), ALPHA], -1)
    assert_is(tiff(inks, photometric="separated", extrasamples=["unassalpha"]), on_white(RGB, DOWN), 2)
    part = np.round(COLOURS * DOWN[..., None] * 255).astype(np.uint8)
    planes = np.moveaxis(np.concatenate([part, ALPHA], -1), -1, 0)
    options: dict[str, Any] = {
        "photometric": "rgb",
        "planarconfig": "separate",
        "extrasamples": ["assocalpha"],
    }
    assert_is(tiff(planes, **options), on_white(RGB, DOWN), 2)
    negative = np.round((1 - ACROSS) * DOWN * 255).astype(np.uint8)[..., None]
    data = tiff(np.concatenate([negative, ALPHA], -1), photometric="miniswhite", extrasamples=["assocalpha"])
    assert_is(data, on_white(GREY, DOWN), 2)


def test_three_inks_are_cyan_magenta_and_yellow() -> None:
    assert_is(raw_tiff((255 - RGB).tobytes(), 5, EIGHT), RGB, 0)
    assert "has inks other than" in refusal(raw_tiff(RGB.tobytes(), 5, EIGHT, _332=("H", [2])))
    assert "has inks other than" in refusal(raw_tiff(bytes(WIDTH * HEIGHT), 5, (8,)))


def test_a_tiff_without_its_photometric_tag_is_black_at_zero() -> None:
    assert_is(raw_tiff(GREY[..., 0].astype(np.uint8).tobytes(), None, (8,)), GREY, 0)
    assert_is(raw_tiff(RGB.tobytes(), None, EIGHT), RGB, 0)


def test_a_curve_and_primaries_in_tags_are_applied() -> None:
    light = np.round(LIGHT * 255).astype(np.uint8)
    seen = np.round(
        np.where(light / 255 <= 0.0031308, light / 255 * 12.92, 1.055 * (light / 255) ** (1 / 2.4) - 0.055)
        * 255
    )
    curve = [level * 257 for level in range(256)]
    assert_is(raw_tiff(light.tobytes(), 2, EIGHT, _301=("H", curve)), seen, 3)
    # sRGB's red in Display P3.
    red = np.tile(np.array([234, 51, 35], np.uint8), (HEIGHT, WIDTH, 1)).tobytes()
    white = ("2I", [3127, 10000, 3290, 10000])
    p3 = ("2I", [680, 1000, 320, 1000, 265, 1000, 690, 1000, 150, 1000, 60, 1000])
    assert_is(raw_tiff(red, 2, EIGHT, _318=white, _319=p3), np.array([255, 0, 0]), 2)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"compression": "jpeg2000"}, "compressed by an unsupported method (JPEG2000)"),
        ({"compression": "jpegxl"}, "compressed by an unsupported method (JPEGXL)"),
    ],
)
def test_an_unsupported_compression_is_named(options: dict[str, Any], reason: str) -> None:
    assert reason in refusal(tiff(RGB, photometric="rgb", **options))


def test_webp_inside_a_tiff_is_read() -> None:
    assert_is(tiff(RGB, photometric="rgb", compression="webp", compressionargs={"lossless": True}), RGB, 0)


def test_what_is_no_picture_of_known_colours_is_refused_for_that() -> None:
    assert "PhotometricInterpretation 99" in refusal(raw_tiff(bytes(WIDTH * HEIGHT), 99, (8,)))
    assert "has 1 of the 3 samples" in refusal(raw_tiff(bytes(WIDTH * HEIGHT), 8, (8,)))
    assert "Lab colours of 32 bits" in refusal(raw_tiff(bytes(WIDTH * HEIGHT * 12), 8, (32, 32, 32)))
    volume = tiff(np.stack([RGB[..., 0]] * 4), photometric="minisblack", volumetric=True, tile=(16, 16, 16))
    assert "is a volume of 4 slices" in refusal(volume)
    assert "without a picture" in refusal(b"II*\0" + struct.pack("<IHI", 8, 0, 0))


def test_a_raw_photograph_is_not_its_preview() -> None:
    sensor: NDArray[np.uint16] = np.zeros((HEIGHT, WIDTH), np.uint16)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(RGB, photometric="rgb", subfiletype=1, subifds=1)
        writer.write(sensor, photometric=32803)
    assert "is a raw photograph" in refusal(buffer.getvalue())
    plain = tiff(RGB, photometric="rgb")
    assert "is a raw photograph" in refusal(plain[:8] + b"CR" + plain[10:])
