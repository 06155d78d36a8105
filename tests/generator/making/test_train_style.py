"""`train_style` makes a network file that tells what it was trained on, and refuses early what cannot work."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from generator.files import images
from generator.nst.feedforward.network import load_network

SMALL = ("--steps", 4, "--batch", 1, "--crop", 32, "--style-size", 32, "--width", 4, "--blocks", 1)


def paint(path: Path, width: int, height: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def folder(tmp_path: Path, tiny_network: Path) -> Path:
    """A style image, two photographs of which one is in a folder of its own, and no output yet."""
    (tmp_path / "photos" / "more").mkdir(parents=True)
    paint(tmp_path / "wave.png", 40, 36, seed=0)
    paint(tmp_path / "photos" / "cat.jpg", 60, 44, seed=1)
    paint(tmp_path / "photos" / "more" / "dog.png", 300, 200, seed=2)
    return tmp_path


def train(folder: Path, *more: object) -> str:
    output = io.StringIO()
    arguments = (
        folder / "wave.png", "--photos", folder / "photos", "--output", folder / "out" / "wave.safetensors",
        "--network", folder / "tiny-vgg16.safetensors", *SMALL, *more,
    )  # fmt: skip
    call_command("train_style", *map(str, arguments), stdout=output)
    return output.getvalue()


def refusal(folder: Path, *more: object, status: int = 2) -> str:
    with pytest.raises(CommandError) as caught:
        train(folder, *more)
    assert caught.value.returncode == status
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_network_file_tells_what_it_was_trained_on(folder: Path):
    printed = train(folder, "--licence", "CC0")
    assert printed.startswith(f"{folder / 'out' / 'wave.safetensors'}: 4 steps in ")
    assert "waiting for photographs" in printed
    account = load_network(folder / "out" / "wave.safetensors").provenance
    assert account["style"]["pixels"] == images.pixel_hash(images.read(folder / "wave.png"))
    assert account["photographs"]["count"] == 2
    assert (account["settings"]["steps"], account["licence"]) == (4, "CC0")
    assert account["curve"]["evaluation"] == [1, 2, 3, 4]
    assert [path.name for path in (folder / "out").iterdir()] == ["wave.safetensors"]


def test_samples_and_progress_come_with_each_checkpoint(folder: Path, capsys):
    train(folder, "--checkpoint-every", 2, "--sample", folder / "photos" / "cat.jpg")
    made = sorted((folder / "out" / "wave-samples").iterdir())
    assert [path.name for path in made] == ["000002-cat.png", "000004-cat.png"]
    assert images.read(made[-1]).size == (60, 44)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["step 2 of 4", "step 4 of 4"]


def test_the_same_training_gives_the_same_weights(folder: Path):
    train(folder)
    first = load_network(folder / "out" / "wave.safetensors").sha256
    (folder / "out" / "wave.safetensors").unlink()
    train(folder)
    assert load_network(folder / "out" / "wave.safetensors").sha256 == first


def test_it_never_trains_over_a_network(folder: Path):
    train(folder)
    assert "is there already" in refusal(folder)


def test_it_refuses_a_folder_without_photographs(folder: Path):
    (folder / "none").mkdir()
    (folder / "none" / "notes.txt").write_text("no photograph")
    assert "none: has no photographs" in refusal(folder, "--photos", folder / "none")
    assert "no such folder" in refusal(folder, "--photos", folder / "nowhere")


def test_it_names_the_photograph_that_is_too_small_or_broken(folder: Path):
    assert "cat.jpg: 60 × 44 pixels are too small for crops of 48" in refusal(folder, "--crop", 48)
    (folder / "photos" / "bad.jpg").write_bytes(b"no picture")
    assert "bad.jpg: not a picture that can be read" in refusal(folder)


def test_losses_that_are_no_numbers_end_it_with_status_1(folder: Path, monkeypatch):
    monkeypatch.setattr(
        "generator.nst.losses.total_variation", lambda images, *form: images.sum((1, 2, 3)) / 0
    )
    message = refusal(folder, status=1)
    assert "the losses are not numbers at step" in message
    assert not (folder / "out" / "wave.safetensors").exists()


def test_a_checkpoint_of_other_settings_is_not_taken_up(folder: Path):
    (folder / "out").mkdir()
    (folder / "out" / "wave.safetensors.checkpoint").write_bytes(b"half")
    assert "is not a readable checkpoint" in refusal(folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--output", "wave.pth"), "should end in .safetensors"),
        (("--checkpoint-every", 0), "--checkpoint-every should be at least 1"),
        (("--width", 0), "width = 0 should be at least 1"),
    ],
)
def test_it_refuses_options_out_of_range(folder: Path, options: tuple[object, ...], message: str):
    assert message in refusal(folder, *options)
