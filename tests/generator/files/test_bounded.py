"""A picture from a stranger can take no more memory and time than it is given."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from generator.files import bounded, images
from generator.files.images import ImageError
from tests.survey.factories import picture, png


def bomb(side: int) -> bytes:
    """Return a small PNG file of side × side pixels with alpha, one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(1 + 4 * side)) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_what_comes_back_is_what_this_process_would_have_read(monkeypatch):
    wanted = images.read(io.BytesIO(png(3)), "a.png")
    monkeypatch.setattr(images, "read", lambda *_: pytest.fail("decoded in this process"))
    found = bounded.decode(png(3), "a.png")
    assert found.png == images.encode_png(wanted)
    assert (found.width, found.height, found.pixels) == (48, 32, images.pixel_hash(picture(3)))


@pytest.mark.slow
def test_a_file_that_needs_more_memory_is_refused_in_words():
    with pytest.raises(ImageError, match=r"^big\.png: takes more than 500 MB of memory to read"):
        bounded.decode(bomb(6000), "big.png", megabytes=500)


def test_a_file_that_takes_too_long_is_refused_in_words():
    with pytest.raises(ImageError, match=r"^slow\.png: was not read within 0\.01 s"):
        bounded.decode(png(), "slow.png", seconds=0.01)


@pytest.mark.parametrize("data", [b"", b"GIF89a", png()[:60], b"\x00" * 1000])
def test_a_broken_file_is_refused_as_elsewhere(data):
    with pytest.raises(ImageError) as elsewhere:
        images.read(io.BytesIO(data), "a.png")
    with pytest.raises(ImageError) as here:
        bounded.decode(data, "a.png")
    assert str(here.value) == str(elsewhere.value)


def test_what_was_read_otherwise_than_expected_is_told(tmp_path):
    buffer = io.BytesIO()
    Image.new("RGBA", (8, 8), (10, 20, 30, 0)).save(buffer, "PNG")
    told: list[str] = []
    images.read(io.BytesIO(buffer.getvalue()), "a.png", told.append)
    assert bounded.decode(buffer.getvalue(), "a.png").warnings == told
