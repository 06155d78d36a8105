"""Whatever is in a file, its reader answers with what it read or with its own error: never with another's.

`FUZZ_EXAMPLES=20000 pytest -s tests/nstsite/test_every_file.py` for a long run.
"""

from __future__ import annotations

import io
import os
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from generator.files import images
from generator.files.images import ImageError
from generator.nst.feedforward.network import TransformNet, load_network, save_network
from generator.nst.recipes.errors import WeightsError
from generator.nst.recipes.networks import CAFFE
from generator.nst.weights.layouts import LoadedWeights, load_weights, save_canonical
from generator.plans.document import PlanError
from generator.plans.plan import load_plan
from survey.analysis import TableError, read_ratings
from survey.study import study_file
from survey.study.study_file import DefinitionError
from tests.generator.nst.tiny import tiny_tensors

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
PLAN = b"""title = "Layer by ratio"
preset = "patel2019"
repeats = 2
[images]
content = ["cat.png"]
style = ["*.png"]
licences = {"cat.png" = "CC0"}
[recipe]
size = 300
seed = 1
[factors]
content_layer = ["conv3_1", "conv2_1"]
ratio = [0.001, 0.5]
[[exclude]]
ratio = 0.5
"""
STUDY = b"""title = "Pictures"
instructions = {en = "Look.", de = "Sehen Sie."}
languages = ["en", "de"]
[consent]
purpose = "Research"
version = "2"
[session]
images = 20
repeats = 2
[screening]
display = true
plates = 4
[[questions]]
key = "overall"
text = "How good?"
labels = ["Bad", "Poor", "Fair", "Good", "Excellent"]
"""
RATINGS = b"participant,item,rating,question,phase,condition\n" + b"".join(
    b"p%d,i%d,%d,overall,main,c%d\n" % (p, i, 1 + (p * i) % 5, i % 2) for p in range(4) for i in range(5)
)
#: What is put into a file at some place.
ODD = [b"\x00", b"\xff\xfe", b"-1", b"nan", b"1e999", b"9" * 40, b'""', b"[]", b"{}", b"true", b"\n[recipe]\n", b",,,", b'"',
       b"\xc3\xa9", b"..\\..\\", b"/etc/passwd", b"=1+1", b"\x80\x02}q\x00.", b"1979-05-27", b"'''"]  # fmt: skip


@dataclass(frozen=True)
class Reader:
    """One reader of files: what it reads, what it raises, and a sound file to start from."""

    read: Callable[[Path], object]
    error: type[Exception]
    suffix: str
    sample: bytes


def pngs(mode: str, kind: str) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(file, kind)
    return file.getvalue()


def check_ratings(path: Path) -> object:
    return read_ratings(path)


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Reader]:
    folder = tmp_path_factory.mktemp("samples")
    save_canonical(LoadedWeights(tiny_tensors(), CAFFE, "canonical"), folder / "w.safetensors", {})
    save_network(folder / "n.safetensors", TransformNet(4, 1), {"style": "wave"})
    pickled = folder / "w.pth"
    import torch

    torch.save(tiny_tensors(), pickled)

    def image(path: Path) -> object:
        return images.read(path)

    return {
        "plan": Reader(load_plan, PlanError, ".toml", PLAN),
        "study": Reader(study_file.load, DefinitionError, ".toml", STUDY),
        "ratings": Reader(check_ratings, TableError, ".csv", RATINGS),
        "png": Reader(image, ImageError, ".png", pngs("RGBA", "PNG")),
        "jpeg": Reader(image, ImageError, ".jpg", pngs("CMYK", "JPEG")),
        "webp": Reader(image, ImageError, ".webp", pngs("RGB", "WEBP")),
        "tiff": Reader(image, ImageError, ".tiff", pngs("RGB", "TIFF")),
        "weights": Reader(
            load_weights, WeightsError, ".safetensors", (folder / "w.safetensors").read_bytes()
        ),
        "pickle": Reader(load_weights, WeightsError, ".pth", pickled.read_bytes()),
        "network": Reader(
            load_network, WeightsError, ".safetensors", (folder / "n.safetensors").read_bytes()
        ),
    }


@st.composite
def harms(draw: Any) -> list[tuple[str, float, bytes]]:
    """Draw what is done to a file: (how, where as a share of its length, with which bytes)."""
    content = st.sampled_from(ODD) | st.binary(max_size=12)
    one = st.tuples(st.sampled_from(["insert", "replace", "cut", "end"]), st.floats(0, 1), content)
    found: list[tuple[str, float, bytes]] = draw(st.lists(one, min_size=1, max_size=4))
    return found


def harmed(sample: bytes, done: list[tuple[str, float, bytes]]) -> bytes:
    for how, share, content in done:
        at = int(share * len(sample))
        if how == "end":
            sample = sample[:at]
        else:
            after = {"insert": at, "replace": at + len(content), "cut": at + 40}[how]
            sample = sample[:at] + (b"" if how == "cut" else content) + sample[after:]
    return sample


NAMES = ["plan", "study", "ratings", "png", "jpeg", "webp", "tiff", "weights", "pickle", "network"]


@pytest.mark.parametrize("name", NAMES)
def test_a_sound_file_is_read(name, readers, tmp_path):
    path = _written(tmp_path, readers[name], readers[name].sample)
    assert readers[name].read(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_harmed_file_gets_its_readers_own_error(name, readers, tmp_path):
    reader, answers = readers[name], Counter[str]()

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
    @given(harms())
    def try_one(done) -> None:
        path = _written(tmp_path, reader, harmed(reader.sample, done))
        try:
            reader.read(path)
            answers["read"] += 1
        except reader.error:
            answers["refused"] += 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try_one()
    print(f"{name}: {dict(answers)}")
    assert answers["refused"]


def _written(folder: Path, reader: Reader, content: bytes) -> Path:
    for name in ("cat.png", "wave.png"):
        if not (folder / name).exists():
            (folder / name).write_bytes(pngs("RGB", "PNG"))
    path = folder / f"file{reader.suffix}"
    path.write_bytes(content)
    return path
