"""`stylise` gives pictures and videos the style of a trained network, sound kept, nothing half-written."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command
from PIL import Image

from generator.files import images
from generator.making.stylise import stylise as stylise_file
from generator.nst.feedforward.network import Stylist, TransformNet, load_network, save_network

RATE, FRAMES = 10, 6


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "wave.safetensors"
    torch.manual_seed(0)
    save_network(path, TransformNet(width=4, blocks=1), {})
    return path


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    path = tmp_path / "cat.jpg"
    pixels = np.random.default_rng(0).integers(0, 256, (30, 41, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Six frames of 46 x 34 px at 10 a second, and as long a tone."""
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = 46, 34, "yuv420p"
        sound = container.add_stream("aac", rate=44100, layout="mono")
        for number in range(FRAMES):
            pixels = np.full((34, 46, 3), 40 * number, dtype=np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(video.encode())
        tone = np.sin(np.arange(44100 * FRAMES // RATE) / 20).astype(np.float32)[None]
        samples = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        samples.sample_rate = 44100
        container.mux(sound.encode(samples))
        container.mux(sound.encode())
    return path


def stylise(*args: object) -> str:
    output = io.StringIO()
    call_command("stylise", *map(str, args), stdout=output, stderr=io.StringIO())
    return output.getvalue()


def refusal(*args: object) -> str:
    with pytest.raises(CommandError) as caught:
        stylise(*args)
    assert caught.value.returncode == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def sound_packets(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        return [
            (round(float(packet.pts * packet.time_base), 3), bytes(packet))
            for packet in container.demux(audio=0)
            if packet.pts is not None
        ]


def test_a_picture_is_what_the_network_makes_of_it(network: Path, photograph: Path, tmp_path: Path):
    assert stylise(photograph, "--network", network, "--output", tmp_path / "out") == (
        f"{tmp_path / 'out' / 'cat-wave.png'}\n"
    )
    made = images.read(tmp_path / "out" / "cat-wave.png")
    expected = Stylist(load_network(network))(images.to_tensor(images.read(photograph))[None])[0]
    assert images.pixel_hash(made) == images.pixel_hash(images.to_image(expected))


def test_size_scales_the_longest_side(network: Path, photograph: Path, tmp_path: Path):
    stylise(photograph, "--network", network, "--output", tmp_path, "--size", 20)
    assert images.read(tmp_path / "cat-wave.png").size == (20, 15)


def test_a_video_keeps_its_frames_times_and_sound(network: Path, clip: Path, tmp_path: Path):
    stylise(clip, "--network", network, "--output", tmp_path)
    with av.open(str(clip)) as before, av.open(str(tmp_path / "clip-wave.mp4")) as after:
        old, new = ([frame.time for frame in each.decode(video=0)] for each in (before, after))
        assert (after.streams.video[0].width, after.streams.video[0].height) == (46, 34)
    assert len(new) == FRAMES
    assert new == pytest.approx(old, abs=1e-3)
    assert sound_packets(tmp_path / "clip-wave.mp4") == sound_packets(clip)


def test_each_frame_is_stylised(network: Path, clip: Path, tmp_path: Path):
    stylise(clip, "--network", network, "--output", tmp_path)
    model = load_network(network).model
    with av.open(str(clip)) as before, av.open(str(tmp_path / "clip-wave.mp4")) as after:
        for old, new in zip(before.decode(video=0), after.decode(video=0), strict=True):
            photograph = torch.from_numpy(old.to_ndarray(format="rgb24")).permute(2, 0, 1)[None] / 255
            expected = model(photograph)[0].clamp(0, 1).permute(1, 2, 0).numpy()
            # H.264 and halved colour lose some: the mean colours survive.
            made = new.to_ndarray(format="rgb24") / 255
            assert made.mean((0, 1)) == pytest.approx(expected.mean((0, 1)), abs=0.03)


def test_a_video_with_odd_sides_or_without_sound_is_taken(network: Path, clip: Path, tmp_path: Path):
    silent = tmp_path / "silent.mkv"
    with av.open(str(silent), "w") as container:
        video = container.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = 33, 21, "yuv444p"
        black = np.zeros((21, 33, 3), dtype=np.uint8)
        container.mux(video.encode(av.VideoFrame.from_ndarray(black, format="rgb24")))
        container.mux(video.encode())
    stylise(silent, "--network", network, "--output", tmp_path)
    with av.open(str(tmp_path / "silent-wave.mkv")) as made:
        (frame,) = made.decode(video=0)
        assert (frame.width, frame.height, len(made.streams.audio)) == (32, 20, 0)


def test_a_telephones_upright_video_stands_upright(tmp_path: Path):
    """Telephones store frames lying, with a matrix in the track's header that turns them a quarter clockwise."""
    lying = tmp_path / "lying.mp4"
    with av.open(str(lying), "w") as container:
        video = container.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = 64, 32, "yuv420p"
        pixels = np.zeros((32, 64, 3), dtype=np.uint8)
        pixels[:16, :16] = 255
        container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(video.encode())
    # ISO 14496-12, 8.3.2: version 0 of the header has its 3 x 3 matrix 40 bytes after the box's name.
    data = bytearray(lying.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    quarter = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 32 << 16, 0, 1 << 30)
    data[matrix : matrix + len(quarter)] = quarter
    lying.write_bytes(data)

    stylise_file(lying, tmp_path / "upright.mp4", cast("Stylist", lambda batch: batch))

    with av.open(str(tmp_path / "upright.mp4")) as made:
        (frame,) = made.decode(video=0)
    upright = frame.to_ndarray(format="rgb24")
    assert upright.shape == (64, 32, 3)
    assert upright[:16, 16:].mean() > 240
    assert upright[:16, :16].mean() < 15
    assert upright[16:].mean() < 15


def test_what_is_no_video_is_refused_and_nothing_is_left(network: Path, tmp_path: Path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    assert "broken.mp4: is no video (text); fetch or save the video itself" in refusal(
        broken, "--network", network, "--output", tmp_path / "out"
    )
    assert not list((tmp_path / "out").glob("**/*"))


def test_it_refuses_what_it_cannot_use_in_one_line(network: Path, photograph: Path, tmp_path: Path):
    assert "none.jpg: no such file" in refusal(tmp_path / "none.jpg", "--network", network)
    assert "none.mp4: no such file" in refusal(
        tmp_path / "none.mp4", "--network", network, "--output", tmp_path
    )
    assert "cannot be read as a feed-forward network" in refusal(photograph, "--network", photograph)
    assert "too small: at least 8" in refusal(photograph, "--network", network, "--size", 6)
    assert "two of the files would be written there" in refusal(photograph, photograph, "--network", network)


def test_it_never_writes_over_a_file(network: Path, photograph: Path, tmp_path: Path):
    (tmp_path / "cat-wave.png").write_bytes(b"precious")
    assert "is there already" in refusal(photograph, "--network", network, "--output", tmp_path)
    assert (tmp_path / "cat-wave.png").read_bytes() == b"precious"
