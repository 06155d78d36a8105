"""Any photograph is read as a person sees it, or refused in one clear line that names it."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from generator.files import images, reading
from generator.files.images import ImageError

RED = (200, 30, 40)


def picture(size=(40, 24)) -> Image.Image:
    """A smooth ramp, so that lossy formats stay near it."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=-1).astype(np.uint8))


def difference(a: Image.Image, b: Image.Image) -> float:
    return float(np.abs(np.asarray(a, dtype=float) - np.asarray(b, dtype=float)).mean())


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "jpg", "webp", "avif"])
def test_it_reads_every_common_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photo.{suffix}"
    picture().save(path)
    read = images.read(path)
    assert read.mode == "RGB"
    assert read.size == (40, 24)
    assert difference(read, picture()) < 8


def test_it_turns_a_picture_upright_by_its_exif(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera turned: rotate by 270°
    picture().transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=95)
    read = images.read(path)
    assert read.size == (40, 24)
    assert difference(read, picture()) < 8


def test_it_lays_transparency_on_white(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(path)
    assert images.read(path).getpixel((3, 3)) == (255, 255, 255)


def test_it_reads_a_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    path = tmp_path / "palette.png"
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, *RED])
    palette.putpixel((0, 0), 0)
    palette.save(path, transparency=0)
    read = images.read(path)
    assert read.getpixel((0, 0)) == (255, 255, 255)
    assert read.getpixel((5, 5)) == RED


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_it_reads_every_mode_as_three_channels(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("mode.tiff" if mode == "CMYK" else "mode.png")
    picture().convert("RGBA" if mode == "LA" else mode).convert(mode).save(path)
    read = images.read(path)
    assert read.mode == "RGB"
    assert len(set(read.get_flattened_data())) > 1


def test_it_reads_a_cmyk_jpeg_as_its_colours(tmp_path: Path) -> None:
    path = tmp_path / "print.jpg"
    Image.new("RGB", (16, 16), RED).convert("CMYK").save(path, quality=95)
    assert difference(images.read(path), Image.new("RGB", (16, 16), RED)) < 6


def test_it_scales_sixteen_bits_to_eight_instead_of_clipping(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    Image.fromarray(np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)).save(path)
    read = np.asarray(images.read(path))[..., 0]
    assert read.flatten().tolist() == list(range(256))


def test_it_reads_a_picture_with_an_unusable_profile_as_srgb(tmp_path: Path, caplog) -> None:
    path = tmp_path / "odd.png"
    Image.new("RGB", (8, 8), RED).save(path, icc_profile=b"not a profile")
    assert images.read(path).getpixel((0, 0)) == RED
    assert "odd.png" in caplog.text


def test_it_scales_down_what_is_larger_than_any_recipe_looks_at(tmp_path: Path) -> None:
    path = tmp_path / "panorama.png"
    Image.new("RGB", (30_000, 30), RED).save(path)
    assert images.read(path).size == (images.MAX_SIDE, 4)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and carries next to nothing: a decompression bomb."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 999))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(30_000, 30_000), (11_000, 11_000), (14_000, 12_000)])
def test_it_refuses_a_decompression_bomb_before_decoding(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(*size))
    with pytest.raises(ImageError, match=r"bomb\.png: .*100 million.*scale it down"):
        images.read(path)


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tiff"])
def test_it_refuses_an_animation_and_says_how_many_frames(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"moving.{suffix}"
    picture().save(path, save_all=True, append_images=[Image.new("RGB", (40, 24), RED)])
    with pytest.raises(ImageError, match=rf"moving\.{suffix}: has 2 frames"):
        images.read(path)


def test_it_reads_a_phones_photograph_that_carries_a_preview(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    picture().save(path, "MPO", save_all=True, append_images=[Image.new("RGB", (20, 12), RED)], quality=95)
    assert difference(images.read(path), picture()) < 8


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tiff", "bmp", "avif"])
def test_it_refuses_a_picture_cut_short(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"half.{suffix}"
    picture((200, 160)).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageError, match=rf"half\.{suffix}: (broken or cut short|not a picture)") as caught:
        images.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"hello", b"<svg/>", b"%!PS-Adobe", b"GIF89a", b"\xff\xd8\xff"])
def test_it_refuses_what_is_no_picture(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "notes.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=r"notes\.jpg: "):
        images.read(path)


def test_it_names_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.png: no such file"):
        images.read(tmp_path / "none.png")
    with pytest.raises(ImageError, match="is a folder"):
        images.read(tmp_path)


def _encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    picture().save(buffer, kind)
    return buffer.getvalue()


ENCODED = {kind: _encoded(kind) for kind in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP")}


@settings(max_examples=150)
@given(
    kind=st.sampled_from(sorted(ENCODED)),
    edits=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=12),
)
def test_whatever_is_broken_it_reads_or_refuses_in_one_line(kind: str, edits: list[tuple[int, int]]) -> None:
    data = bytearray(ENCODED[kind])
    for place, value in edits:
        data[place % len(data)] = value
    try:
        outcome = f"upload.bin: {images.read(io.BytesIO(bytes(data)), name='upload.bin').mode}"
    except ImageError as error:
        outcome = str(error)
    assert outcome.startswith("upload.bin: ")
    assert "\n" not in outcome


def test_the_size_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(ENCODED["PNG"])
    assert images.size_of(path, "photo.jpg") == images.read(path).size
    path.write_bytes(b"<html>")
    with pytest.raises(ImageError, match=r"photo\.jpg"):
        images.size_of(path, "photo.jpg")


def test_the_pixel_hash_depends_on_pixels_alone(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.png", "b.bmp", "c.webp")]
    for path in paths:
        picture().save(path, lossless=True)
    assert len({images.pixel_hash(images.read(path)) for path in paths}) == 1
    assert images.pixel_hash(Image.new("RGB", (2, 8))) != images.pixel_hash(Image.new("RGB", (4, 4)))


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(16, 2048))
def test_fitting_keeps_the_longest_side_exact_and_the_aspect(width: int, height: int, longest: int) -> None:
    fitted = images.fitted_size((width, height), longest)
    assert max(fitted) == longest
    assert min(fitted) >= 1
    assert abs(fitted[0] * height - fitted[1] * width) <= max(width, height)


def test_fitting_squashes_only_when_told() -> None:
    assert images.fitted_size((400, 200), 300) == (300, 150)
    assert images.fitted_size((400, 200), 300, square=True) == (300, 300)


def test_a_tensor_goes_there_and_back_without_loss() -> None:
    tensor = images.to_tensor(picture())
    assert tuple(tensor.shape) == (3, 24, 40)
    assert float(tensor.max()) == 1.0
    assert images.to_image(tensor).tobytes() == picture().tobytes()


def test_provenance_travels_in_the_png_and_not_in_the_stripped_copy(tmp_path: Path) -> None:
    path = tmp_path / "made.png"
    provenance = {"recipe": {"ratio": 0.01}, "credit": "Müller × α"}
    path.write_bytes(images.encode_png(picture(), provenance))
    assert images.read_provenance(path) == provenance
    stripped = images.strip(path)
    assert b"iTXt" not in stripped
    assert "Müller".encode() not in stripped
    with Image.open(io.BytesIO(stripped)) as copy:
        assert copy.tobytes() == picture().tobytes()
        assert set(copy.info) <= {"srgb"}


def test_it_says_when_a_file_holds_no_provenance(tmp_path: Path) -> None:
    path = tmp_path / "plain.png"
    picture().save(path)
    with pytest.raises(ImageError, match=r"plain\.png: has no provenance"):
        images.read_provenance(path)


def test_each_format_has_its_ending_its_type_and_its_word():
    # HEIC comes by a decoder of its own.
    for name in {*(name.lower() for name in reading.FORMATS), "heic"}:
        assert f".{name}" in reading.SUFFIXES
        assert f"image/{name}" in reading.MEDIA_TYPES
        assert name in reading.FORMATS_IN_WORDS.lower()
