"""A picture is what its file says it is: bits, photometric, alpha, curve and primaries, not what a library guesses."""

from __future__ import annotations

import base64
import io
import struct
import warnings
import zlib
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from generator.files import colour, images
from generator.files.images import ImageError

WIDTH, HEIGHT = 32, 24
ACROSS = np.linspace(0, 1, WIDTH)[None].repeat(HEIGHT, 0)
DOWN = np.linspace(0, 1, HEIGHT)[:, None].repeat(WIDTH, 1)
COLOURS = np.stack([ACROSS, DOWN, 1 - ACROSS], axis=-1)
LIGHT = np.where(COLOURS <= 0.04045, COLOURS / 12.92, ((COLOURS + 0.055) / 1.055) ** 2.4)
RGB = np.round(COLOURS * 255).astype(np.uint8)
GREY = np.round(ACROSS * 255)[..., None].repeat(3, 2)
# 16 x 16 px, made once by libheif from RGB.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJp"
    "bG9jAAAAAERAAAEAAQAAAAABoAABAAAAAAAAADcAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAAB"
    "AAAA/GlwcnAAAADcaXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEA"
    "AQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAU"
    "aXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAEAAAAAEAAAAQAAAAAf///9AAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAAGGlw"
    "bWEAAAAAAAAAAQABBYECAwWEAAAAP21kYXQAAAAzKAGvGSFmwkDvXOMXtGa4Qf0zAUpEnYZqu1R/QL3VZrUtfhMCdW8wUIC0HWHCQrMN"
    "W2Vg"
)


def tiff(samples: NDArray[Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        tifffile.imwrite(buffer, np.ascontiguousarray(samples), **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(samples: NDArray[Any], kind: int, extra: bytes = b"") -> bytes:
    """A PNG of 8 or 16 bits by the type of `samples`. kind: 0 grey, 2 RGB, 4 grey and alpha, 6 RGBA."""
    bits = samples.dtype.itemsize * 8
    rows = samples.astype(samples.dtype.newbyteorder(">")).reshape(len(samples), -1)
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], bits, kind, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    parts = chunk(b"IHDR", header), extra, chunk(b"IDAT", packed), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def read(data: bytes, warned: list[str] | None = None) -> NDArray[Any]:
    lines: list[str] = [] if warned is None else warned
    return np.asarray(images.read(io.BytesIO(data), "photo", lines.append)).astype(int)


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        images.read(io.BytesIO(data), "photo")
    assert str(caught.value).startswith("photo: ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_is(data: bytes, expected: NDArray[Any], tolerance: float = 1) -> None:
    assert np.abs(read(data) - expected).max() <= tolerance


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 10, 12, 14, 16])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_grey_of_any_depth_runs_from_black_to_white(bits: int, photometric: str) -> None:
    top = 2**bits - 1
    ramp = np.round(ACROSS * top)
    stored = (top - ramp if photometric == "miniswhite" else ramp).astype(
        np.uint8 if bits <= 8 else np.uint16
    )
    stored = stored.astype(bool) if bits == 1 else stored
    data = tiff(stored, photometric=photometric, bitspersample=bits)
    assert_is(data, np.round(ramp / top * 255)[..., None].repeat(3, 2))


@pytest.mark.parametrize(
    "options",
    [
        {"bitspersample": 12},
        {"planarconfig": "separate"},
        {"compression": "lzw", "predictor": True},
        {"planarconfig": "separate", "compression": "zlib"},
        {"bigtiff": True, "byteorder": ">"},
        {"tile": (16, 16)},
    ],
)
def test_deep_colours_are_read_however_they_are_laid_out(options: dict[str, Any]) -> None:
    samples: NDArray[Any] = np.round(COLOURS * (4095 if "bitspersample" in options else 65535)).astype(
        np.uint16
    )
    if "planarconfig" in options:
        samples = np.moveaxis(samples, -1, 0)
    assert_is(tiff(samples, photometric="rgb", **options), RGB)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("extra", ["unassalpha", "assocalpha", "unspecified"])
def test_a_fourth_sample_is_what_its_tag_says(depth: type, extra: str) -> None:
    scale = np.iinfo(depth).max
    half = 128 / 255
    stored = COLOURS * (half if extra == "assocalpha" else 1)
    alpha = np.full((HEIGHT, WIDTH, 1), half)
    samples: NDArray[Any] = np.round(np.concatenate([stored, alpha], -1) * scale).astype(depth)
    seen = RGB if extra == "unspecified" else RGB * half + 255 * (1 - half)
    assert_is(tiff(samples, photometric="rgb", extrasamples=[extra]), seen)


def test_deep_inks_and_lab_colours_are_read() -> None:
    inks = np.concatenate([1 - COLOURS, np.zeros((HEIGHT, WIDTH, 1))], -1)
    assert_is(tiff(np.round(inks * 65535).astype(np.uint16), photometric="separated"), RGB)
    soft = Image.fromarray((RGB // 2 + 64).astype(np.uint8))
    lab = ImageCms.profileToProfile(
        soft, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    unsigned = np.frombuffer(lab.tobytes(), np.uint8).reshape(HEIGHT, WIDTH, 3)
    signed = unsigned ^ np.array([0, 128, 128], np.uint8)
    deep = signed.astype(np.uint16) * np.array([257, 256, 256], np.uint16)
    for samples, photometric in ((signed, "cielab"), (deep, "cielab"), (unsigned, "icclab")):
        assert_is(tiff(samples, photometric=photometric), np.asarray(soft), tolerance=14)


def test_a_palette_from_0_to_255_is_not_black() -> None:
    indices = np.arange(WIDTH * HEIGHT, dtype=np.uint16).reshape(HEIGHT, WIDTH).astype(np.uint8)
    palette = np.arange(256, dtype=np.uint16)[None].repeat(3, 0)
    for scale in (1, 257):
        data = tiff(indices, photometric="palette", colormap=palette * scale)
        assert_is(data, indices[..., None].repeat(3, 2))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (np.int16, "signed samples"),
        (np.float32, "floating-point samples"),
        (np.float16, "floating-point samples"),
        (np.complex64, "complex numbers"),
    ],
)
def test_samples_without_a_black_and_a_white_are_refused_for_that(kind: type, reason: str) -> None:
    assert reason in refusal(tiff((ACROSS * 100).astype(kind), photometric="minisblack"))


def pages(*each: tuple[NDArray[Any], dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for samples, options in each:
            writer.write(np.ascontiguousarray(samples), **options)
    return buffer.getvalue()


def test_a_reduced_copy_or_a_mask_is_no_second_page() -> None:
    small = np.asarray(Image.fromarray(RGB).resize((8, 6), Image.Resampling.BOX))
    colours = {"photometric": "rgb"}
    assert_is(pages((RGB, colours), (255 - small, {"photometric": "rgb", "subfiletype": 1})), RGB)
    assert_is(pages((small, {"photometric": "rgb", "subfiletype": 1}), (RGB, colours)), RGB)
    assert_is(pages((RGB, colours), (small, colours)), RGB)
    mask = np.ones((HEIGHT, WIDTH), bool)
    assert_is(pages((RGB, colours), (mask, {"photometric": 4, "subfiletype": 4})), RGB)
    for other in (255 - RGB, 255 - small, RGB):
        assert "has 2 frames or pages" in refusal(pages((RGB, colours), (other, colours)))


@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
def test_a_deep_tiff_stands_upright_as_a_plain_one(orientation: int) -> None:
    turned = [(274, "H", 1, orientation, True)]
    plain = tiff(RGB, photometric="rgb", extratags=turned)
    deep = tiff((RGB.astype(np.uint16) * 257) >> 4, photometric="rgb", bitspersample=12, extratags=turned)
    assert_is(deep, read(plain))


def linear(bits: type) -> NDArray[Any]:
    return np.round(LIGHT * np.iinfo(bits).max).astype(bits)


def gamma(value: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


def test_a_png_is_shown_by_its_gamma() -> None:
    assert_is(png(linear(np.uint16), 2, gamma(1.0)), RGB)
    assert_is(png(linear(np.uint16)[..., :1], 0, gamma(1.0)), GREY)
    assert_is(png(np.round(LIGHT ** (1 / 1.8) * 255).astype(np.uint8), 2, gamma(1 / 1.8)), RGB, 2)
    assert_is(png(RGB, 2, gamma(0.45455)), RGB, 0)
    assert_is(png(RGB, 2, gamma(1.0) + chunk(b"sRGB", b"\0")), RGB, 0)


def test_a_png_in_other_primaries_is_converted() -> None:
    p3 = colour.of_code_points(12, 13).primaries
    matrix = np.linalg.inv(colour._to_xyz(p3)) @ colour._to_xyz(colour.BT709)
    # sRGB's red in Display P3, as every table of colours has it: 234, 51, 35.
    red = np.array([1.0, 0, 0]) @ matrix.T
    stored = np.round((1.055 * red ** (1 / 2.4) - 0.055) * 255).astype(np.uint8)
    assert stored.tolist() == [234, 51, 35]
    data = png(np.tile(stored, (4, 4, 1)), 2, chunk(b"cICP", bytes([12, 13, 0, 1])))
    assert_is(data, np.array([255, 0, 0]), 2)


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_refused_by_name(transfer: int, name: str) -> None:
    assert f"an HDR picture, {name}" in refusal(png(RGB, 2, chunk(b"cICP", bytes([9, transfer, 0, 1]))))
    tag = b"cicp" + struct.pack(">II", 144, 12) + b"cicp" + b"\0" * 4 + bytes([9, transfer, 0, 1])
    with pytest.raises(colour.ColourError, match=name):
        colour.check_profile(b"\0" * 128 + struct.pack(">I", 1) + tag)


def test_a_colour_or_a_grey_that_is_called_transparent_is_white() -> None:
    seen: NDArray[Any] = RGB.copy()
    seen[0, 0] = 255
    clear = RGB[0, 0].astype(">u2")
    assert_is(png(RGB, 2, chunk(b"tRNS", clear.tobytes())), seen)
    deep = RGB.astype(np.uint16) * 257
    assert_is(png(deep, 2, chunk(b"tRNS", (clear * 257).astype(">u2").tobytes())), seen)
    grey = np.round(ACROSS * 65535).astype(np.uint16)
    seen = GREY.copy()
    seen[:, 3] = 255
    assert_is(png(grey, 0, chunk(b"tRNS", struct.pack(">H", grey[0, 3]))), seen)


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt", b"tIME", b"abCd", b"eXIf", b"gAMA", b"iCCP"])
def test_a_damaged_comment_does_not_spoil_the_picture(kind: bytes) -> None:
    assert_is(png(RGB, 2, chunk(kind, b"\0\1\2\3" * 9)[:-1] + b"?"), RGB, 0)


def test_a_damaged_description_is_said() -> None:
    warned: list[str] = []
    read(png(RGB, 2, gamma(1.0)[:-1] + b"?"), warned)
    assert warned == ["photo: is damaged (its gAMA); read as far as possible"]


def test_a_comment_may_be_of_any_length() -> None:
    endless = zlib.compress(b"0" * 20_000_000)
    comments = chunk(b"zTXt", b"a\0\0" + endless) + chunk(b"iTXt", b"a\0\1\0\0\0" + endless)
    assert_is(png(RGB, 2, comments), RGB, 0)


def test_alpha_0_everywhere_in_a_bitmap_is_padding() -> None:
    data = io.BytesIO()
    Image.fromarray(np.concatenate([RGB, np.zeros((HEIGHT, WIDTH, 1), np.uint8)], -1)).save(data, "BMP")
    assert_is(data.getvalue(), RGB, 0)


def test_a_picture_of_one_colour_is_read_with_a_warning() -> None:
    warned: list[str] = []
    read(png(np.full_like(RGB, 7), 2), warned)
    assert warned == ["photo: every pixel has the same colour, RGB (7, 7, 7)"]


def test_a_telephones_heic_is_read() -> None:
    expected = np.asarray(Image.fromarray(RGB).resize((16, 16)))
    assert float(np.abs(read(HEIC) - expected).mean()) < 12


def test_an_hdr_heic_is_refused_by_name() -> None:
    place = HEIC.index(b"nclx") + 4
    assert "an HDR picture, PQ" in refusal(HEIC[: place + 2] + b"\0\x10" + HEIC[place + 4 :])


def test_an_avif_is_shown_by_its_code_points() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), (234, 51, 35)).save(buffer, "AVIF", quality=100)
    plain = buffer.getvalue()
    place = plain.index(b"nclx") + 4
    p3, pq = (plain[:place] + points + plain[place + 4 :] for points in (b"\0\x0c\0\x0d", b"\0\x09\0\x10"))
    assert_is(plain, np.array([234, 51, 35]), 6)
    assert_is(p3, np.array([255, 0, 0]), 12)
    assert "an HDR picture, PQ" in refusal(pq)


def test_a_cameras_adobe_rgb_without_a_profile_is_converted() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ExifOffset] = {ExifTags.IFD.Interop: {1: "R03"}}
    data = io.BytesIO()
    Image.new("RGB", (8, 8), (100, 150, 100)).save(data, "JPEG", quality=95, exif=exif)
    # Adobe RGB's green is outside sRGB's: less red and blue beside it.
    red, green, blue = read(data.getvalue())[4, 4]
    assert red < 70
    assert abs(green - 150) < 4
    assert blue < 98


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"", "an empty file"),
        (b"%PDF-1.7", "a PDF document"),
        (b"8BPS\0\1", "a Photoshop file"),
        (b'<?xml version="1.0"?>\n<svg width="1"/>', "an SVG drawing"),
        (b"\n<!DOCTYPE html><title>404</title>", "an HTML page"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL file"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a video"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    ],
)
def test_what_is_no_picture_is_called_what_it_is(head: bytes, name: str) -> None:
    assert f"not a picture that can be read ({name}" in refusal(head)
