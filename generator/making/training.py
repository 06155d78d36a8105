"""Training of a feed-forward network: from a style image and a folder of photographs to a network file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from PIL import Image

from generator.files import images, networks
from generator.files.images import ImageError
from generator.making import engine, provenance

if TYPE_CHECKING:
    from torch import Tensor

    from generator.nst.feedforward.training import Curve, Report, Settings

# Photographs are kept at this many times the crop's side. A crop may show a quarter of one, and memory is limited.
_ROOM_TO_ZOOM = 4
_SAMPLE_SIDE = 384


@dataclass(frozen=True)
class Training:
    """The files of a training. licence: of the network, as its maker states it."""

    style: Path
    photographs: tuple[Path, ...]
    output: Path
    settings: Settings
    licence: str = ""
    samples: tuple[Path, ...] = ()

    @property
    def checkpoint(self) -> Path:
        """The checkpoint file, deleted when training is done."""
        return self.output.with_name(self.output.name + ".checkpoint")

    @property
    def sample_folder(self) -> Path:
        """The folder of samples written during training."""
        return self.output.with_name(self.output.stem + "-samples")


def find_photographs(folder: Path, least: int) -> tuple[Path, ...]:
    """Return the pictures in a folder and its subfolders, in order of name. Only headers are read.

    Raises:
        ImageError: If there is none, one cannot be read, or one has a side below `least` px.
    """
    if not folder.is_dir():
        raise ImageError(f"{folder}: no such folder; --photos names a folder of photographs")
    found = tuple(sorted(path for path in folder.rglob("*") if images.has_picture_name(path)))
    if not found:
        raise ImageError(f"{folder}: has no photographs; put some there ({images.FORMATS_IN_WORDS})")
    for path in found:
        width, height = images.size_of(path, str(path))
        if min(width, height) < least:
            raise ImageError(
                f"{path}: {width} × {height} pixels are too small for crops of {least}; remove it or lower --crop"
            )
    return found


class _Reader:
    """Reads a photograph as uint8 3×H×W, scaled down to the size that crops need. Can be sent to other processes."""

    def __init__(self, crop: int) -> None:
        self.crop = crop

    def __call__(self, path: Path) -> Tensor:
        import numpy as np
        import torch

        picture = images.read(path)
        scale = _ROOM_TO_ZOOM * self.crop / min(picture.size)
        if scale < 1:
            # Rounding cannot reduce the shorter side below the crop, since it is four times as long.
            size = (round(picture.width * scale), round(picture.height * scale))
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


def train_style(
    training: Training,
    *,
    device: str = "auto",
    checkpoint_every: int = 500,
    progress: Callable[[Report], None] | None = None,
) -> Curve:
    """Train, and write the network file with its provenance. Continues from a checkpoint if there is one.

    Args:
        training: The files.
        device: As in `engine.choose_device`.
        checkpoint_every: Steps between checkpoints.
        progress: Called every few steps.

    Raises:
        ImageError: If a picture is missing or cannot be used.
        engine.DeviceError: If this machine lacks the device.
        nst.NstError: If a setting or the checkpoint cannot be used.
        TrainingError: If training fails.
        OSError: If a file cannot be written.
    """
    from generator.nst.feedforward import training as library
    from generator.nst.feedforward.network import save_network

    chosen = engine.choose_device(device)
    engine.keep_freed_memory()
    style = images.read(training.style)
    samples = {path.stem: _sample(path) for path in training.samples}
    training.output.parent.mkdir(parents=True, exist_ok=True)

    def tell(report: Report) -> None:
        if report.checkpointed:
            for name, picture in samples.items():
                _save_sample(training.sample_folder / f"{report.step:06}-{name}.png", picture, report)
        if progress is not None:
            progress(report)

    identity = _identity(training, style)
    model, curve = library.train(
        images.to_tensor(style),
        training.photographs,
        _Reader(training.settings.crop),
        training.settings,
        weights=networks.weights(training.settings.losses.network),
        checkpoint=training.checkpoint,
        identity=identity,
        device=chosen,
        checkpoint_every=checkpoint_every,
        callback=tell,
    )
    account = {**_account(training, style, curve), "identity": identity, **engine.describe_device(chosen)}
    save_network(training.output, model, account)
    training.checkpoint.unlink(missing_ok=True)
    return curve


def _sample(path: Path) -> Image.Image:
    picture = images.read(path)
    return images.fit(picture, min(_SAMPLE_SIDE, max(picture.size)))


def _save_sample(path: Path, picture: Image.Image, report: Report) -> None:
    import torch

    from generator.files.store import write_atomically

    device = next(report.model.parameters()).device
    with torch.no_grad():
        made = report.model(images.to_tensor(picture)[None].to(device))[0]
    write_atomically(path, images.encode_png(images.to_image(made)))


def _identity(training: Training, style: Image.Image) -> str:
    """Return the SHA-256 (hex) of everything that determines the weights. A checkpoint must agree in it."""
    from generator.nst.feedforward.network import ALGORITHM

    decides = {
        "algorithm": ALGORITHM,
        "settings": training.settings.to_dict(),
        "style": images.pixel_hash(style),
        "photographs": _photographs_hash(training.photographs),
        "losses": networks.weights(training.settings.losses.network).sha256,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _photographs_hash(photographs: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in photographs:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _account(training: Training, style: Image.Image, curve: Curve) -> dict[str, Any]:
    """Return a network's provenance."""
    from generator.nst.feedforward.network import ALGORITHM

    return {
        "algorithm": ALGORITHM,
        "style": {
            "file": training.style.name,
            "pixels": images.pixel_hash(style),
            "width": style.width,
            "height": style.height,
        },
        "photographs": {
            "count": len(training.photographs),
            "sha256": _photographs_hash(training.photographs),
        },
        "settings": training.settings.to_dict(),
        "losses_network_sha256": networks.weights(training.settings.losses.network).sha256,
        "curve": provenance.thinned(curve.terms),
        "final": {term: values[-1] for term, values in curve.terms.items()},
        "seconds": round(curve.seconds, 1),
        "seconds_waiting_for_photographs": round(curve.waiting, 1),
        "licence": training.licence,
        "made_at": timezone.now().isoformat(timespec="seconds"),
    }
