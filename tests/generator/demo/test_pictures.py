from __future__ import annotations

import pytest
from PIL import Image

from generator.demo import pictures


@pytest.fixture
def quick_painters(monkeypatch):
    monkeypatch.setattr(pictures, "PAINTERS", {"plain": lambda: Image.new("RGB", (8, 8), "red")})


@pytest.mark.usefixtures("quick_painters")
def test_it_gathers_every_picture_as_a_readable_image(tmp_path):
    pictures.gather(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {photograph.name for photograph in pictures.PHOTOGRAPHS} | {"plain.png"}
    for path in tmp_path.iterdir():
        Image.open(path).load()


@pytest.mark.usefixtures("quick_painters")
def test_it_leaves_pictures_that_are_there_as_they_are(tmp_path):
    (tmp_path / "cat.png").write_bytes(b"mine")
    pictures.gather(tmp_path)
    assert (tmp_path / "cat.png").read_bytes() == b"mine"


def test_it_names_the_mend_when_a_package_is_missing(tmp_path, monkeypatch):
    absent = pictures.Photograph("x.png", "no_such_package", "x.png", "nobody", "none")
    monkeypatch.setattr(pictures, "PHOTOGRAPHS", (absent,))
    with pytest.raises(pictures.PictureMissing, match=r"x\.png.*requirements-files\.txt"):
        pictures.gather(tmp_path)
    assert list(tmp_path.iterdir()) == []
