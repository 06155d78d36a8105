"""A picture is what its file says it is: bits, photometric, alpha, curve and primaries, not what a library guesses."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags, Image

from generator.files import colour
from tests.generator.files.pictures import (
    ACROSS,
    COLOURS,
    DOWN,
    GREY,
    HEIGHT,
    LIGHT,
    LINEAR_GREY,
    LINEAR_RGB,
    RGB,
    WIDTH,
    assert_is,
    chunk,
    on_white,
    png,
    read,
    refusal,
    srgb_curve,
    tiff,
)

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


# RGB, made once by libavif to be shown without its borders: 16 x 12 px, 4 px right of the middle and 2 above it.
AVIF_WITH_CLEAN_APERTURE = base64.b64decode(
    "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAAEbbWV0YQAAAAAAAAAoaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAGxpYmF2aWYA"
    "AAAADnBpdG0AAAAAAAEAAAAeaWxvYwAAAABEAAABAAEAAAABAAABQwAAADUAAAAoaWluZgAAAAAAAQAAABppbmZlAgAAAAABAABhdjAxQ29sb3IA"
    "AAAAk2lwcnAAAABzaXBjbwAAABRpc3BlAAAAAAAAACAAAAAYAAAAEHBpeGkAAAAAAwgICAAAAAxhdjFDgQAMAAAAABNjb2xybmNseAABAA0ABoAA"
    "AAAoY2xhcAAAABAAAAABAAAADAAAAAEAAAAEAAAAAf////4AAAABAAAAGGlwbWEAAAAAAAAAAQABBQECgwSFAAAAPW1kYXQSAAoJGBE/dggIaDQg"
    "MiYYwA0000QAOu0gfxpFMSUFlf/AZhLTe/IS3gP/3iSb/IMlFwk5wA=="
)


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


def test_deep_inks_are_read() -> None:
    inks = np.concatenate([1 - COLOURS, np.zeros((HEIGHT, WIDTH, 1))], -1)
    assert_is(tiff(np.round(inks * 65535).astype(np.uint16), photometric="separated"), RGB)


def icc(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"a\0\0" + zlib.compress(profile))


def test_a_deep_picture_is_rounded_after_its_profile() -> None:
    light = linear(np.uint16)
    alpha = np.round(DOWN[..., None] * 65535).astype(np.uint16)
    assert_is(png(light, 2, icc(LINEAR_RGB)), RGB)
    assert_is(png(np.concatenate([light, alpha], -1), 6, icc(LINEAR_RGB)), on_white(RGB, DOWN), 2)
    assert_is(png(light[..., 0], 0, icc(LINEAR_GREY)), GREY)
    assert_is(tiff(light, photometric="rgb", iccprofile=LINEAR_RGB), RGB)
    assert_is(tiff(65535 - light[..., 0], photometric="miniswhite", iccprofile=LINEAR_GREY), GREY)


def test_a_grey_picture_keeps_its_profile_for_grey() -> None:
    grey = np.round(LIGHT[..., :1] * 255).astype(np.uint8)
    seen = np.round(srgb_curve(grey / 255) * 255).repeat(3, 2)
    assert_is(png(grey, 0, icc(LINEAR_GREY)), seen)
    alpha = np.round(DOWN[..., None] * 255).astype(np.uint8)
    assert_is(png(np.concatenate([grey, alpha], -1), 4, icc(LINEAR_GREY)), on_white(seen, DOWN))


def test_floats_with_a_profile_are_its_colours() -> None:
    assert_is(tiff(LIGHT.astype(np.float32), photometric="rgb", iccprofile=LINEAR_RGB), RGB)
    for wrong, reason in ((np.nan, "no numbers"), (900.0, "up to 900, although 1 is white")):
        samples = np.where(ACROSS > 0.5, wrong, ACROSS).astype(np.float32)
        assert reason in refusal(tiff(samples, photometric="minisblack", iccprofile=LINEAR_GREY))


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


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_transparent_grey_of_few_bits_is_white(bits: int) -> None:
    top = 2**bits - 1
    levels = np.round(ACROSS * top).astype(int)
    text = ["".join(f"{level:0{bits}b}" for level in row) for row in levels]
    rows = b"".join(b"\0" + int(row, 2).to_bytes(len(row) // 8) for row in text)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, 0, 0, 0, 0)
    clear = chunk(b"tRNS", struct.pack(">H", 1))
    parts = chunk(b"IHDR", header), clear, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    seen = np.where(levels == 1, 255, levels * (255 // top))[..., None].repeat(3, 2)
    assert_is(b"\x89PNG\r\n\x1a\n" + b"".join(parts), seen, 0)


def test_a_png_of_narrow_range_is_widened() -> None:
    for top in (255, 65535):
        stored = np.round((COLOURS * 219 + 16) * (top + 1) / 256).astype(
            np.uint8 if top == 255 else np.uint16
        )
        assert_is(png(stored, 2, chunk(b"cICP", bytes([1, 13, 0, 0]))), RGB)


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
    for impossible in (0.00001, 40000):
        warned = []
        assert np.abs(read(png(RGB, 2, gamma(impossible)), warned) - RGB).max() == 0
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


def test_a_nearly_black_picture_is_said_to_be() -> None:
    warned: list[str] = []
    read(tiff(np.round(ACROSS * 4095).astype(np.uint16), photometric="minisblack"), warned)
    assert warned == [
        "photo: is nearly black, its brightest value is 16 of 255; "
        "if a camera gave fewer bits than the file has, scale its values up"
    ]


def test_what_a_gif_leaves_out_of_its_canvas_is_white() -> None:
    data = io.BytesIO()
    Image.fromarray(RGB).quantize(64).save(data, "GIF")
    small = np.asarray(Image.open(data).convert("RGB"))
    canvas = data.getvalue()[:6] + struct.pack("<HH", WIDTH + 8, HEIGHT + 4) + data.getvalue()[10:]
    place = canvas.index(b"\x2c\0\0\0\0" + struct.pack("<HH", WIDTH, HEIGHT))
    canvas = canvas[: place + 1] + struct.pack("<HH", 5, 2) + canvas[place + 5 :]
    seen = np.full((HEIGHT + 4, WIDTH + 8, 3), 255)
    seen[2 : 2 + HEIGHT, 5 : 5 + WIDTH] = small
    assert_is(canvas, seen, 0)


def test_a_jpeg_that_lacks_only_its_end_mark_is_read() -> None:
    data, warned = io.BytesIO(), list[str]()
    Image.fromarray(RGB).save(data, "JPEG", quality=95)
    whole = data.getvalue()
    assert np.abs(read(whole[:-2], warned) - read(whole)).max() == 0
    assert warned == ["photo: lacks its end mark; its picture is whole"]
    for missing in (20, len(whole) // 3):
        assert "broken or cut short" in refusal(whole[:-missing])


def test_a_cmyk_jpeg_that_says_nothing_of_its_inks_gets_a_warning() -> None:
    data = io.BytesIO()
    Image.fromarray(RGB).convert("CMYK").save(data, "JPEG", quality=95)
    whole, warned = data.getvalue(), list[str]()
    read(whole, warned)
    assert not warned
    place = whole.index(b"\xff\xee")
    read(whole[:place] + whole[place + 2 + int.from_bytes(whole[place + 2 : place + 4]) :], warned)
    assert "CMYK without Adobe's mark" in warned[0]


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


def test_an_avif_is_cut_to_its_clean_aperture() -> None:
    assert_is(AVIF_WITH_CLEAN_APERTURE, RGB[4:16, 12:28], 24)


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
        (b'<?xml version="1.0"?>\n<!--' + b"x" * 500 + b'-->\n<svg width="1"/>', "an SVG drawing"),
        ("<html>".encode("utf-16"), "an HTML page"),
        (b"P6\n1 1\n255\nabc", "a PNM file"),
        (bytes(128) + b"DICM", "a DICOM file"),
        (b"RIFF\0\0\0\0AVI LIST", "a video"),
        (b"\xff\xd8\xff\xc1\0\x0b\x0c\0\x08\0\x08\1\1\x11\0", "a JPEG with 12 bits a sample"),
        (b"\xff\xd8\xff\xf7\0\x0b\x08\0\x08\0\x08\1\1\x11\0", "a JPEG-LS file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\4CgBI" + bytes(30), "a PNG in Apple's own format for apps"),
        (b"\0\0\2" + bytes(9) + b"\xa0\0\x78\0\x18\x20" + bytes(480), "a TGA picture"),
        (b"\0\1\1\0\0\0\1\x18" + bytes(4) + b"\xa0\0\x78\0\x08\x20" + bytes(480), "a TGA picture"),
        (b"\0\0\2\0\1\0\x20\x20\0\0\5\0\5\0" + bytes(480), "a cursor"),
        (b"\x0a\5\1\x08" + bytes(480), "a PCX picture"),
        (b"some words\n", "text"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a video"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    ],
)
def test_what_is_no_picture_is_called_what_it_is(head: bytes, name: str) -> None:
    assert f"not a picture that can be read ({name}" in refusal(head)


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", png(RGB, 2)[:20], HEIC[:60]]
)
def test_a_header_cut_short_is_said_to_be(data: bytes) -> None:
    assert "broken or cut short" in refusal(data)
