"""Pictures of pages are written anew only where they show something else, so that a retake changes few files."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from tests.browser.pictures import put


def page(*lines: str) -> Image.Image:
    """A page with lines of text, as large as a kept picture of a desktop."""
    image = Image.new("RGB", (720, 450), "white")
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((10, 20 * number), line, fill="black", font_size=10)
    return image


def test_a_picture_of_a_minute_later_stays(tmp_path: Path):
    path = tmp_path / "page.webp"
    assert put(page("Participants", "deleted in 58 minutes"), path)
    before = path.read_bytes()
    assert not put(page("Participants", "deleted in 57 minutes"), path)
    assert path.read_bytes() == before


def test_a_picture_with_another_sentence_or_size_is_written(tmp_path: Path):
    path = tmp_path / "page.webp"
    put(page("Participants", "A mark means: look at these answers."), path)
    assert put(page("Participants", "A person is marked where a rule finds the answers odd."), path)
    assert put(page("Participants").crop((0, 0, 720, 400)), path)
