"""Making an image again from the provenance in its file, and measuring the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from generator.files import images, networks
from generator.files.images import ImageError
from generator.making import engine, inputs
from generator.models import Source

if TYPE_CHECKING:
    from torch import Tensor

    from generator import nst
    from generator.nst import Recipe


@dataclass(frozen=True)
class Reproduction:
    """The outcome of `reproduce`.

    Attributes:
        largest, mean: Differences of pixels in grey levels of 255.
        notes: What differs from when the image was made.
    """

    largest: int
    mean: float
    picture: Image.Image
    notes: tuple[str, ...]


def reproduce(
    path: Path,
    *,
    device: str = "auto",
    content: Path | None = None,
    style: Path | None = None,
    others: Sequence[Path] = (),
) -> Reproduction:
    """Make a PNG of `generate` again from its provenance, and compare.

    Args:
        path: The PNG.
        device: As in `engine.choose_device`.
        content: File of the content image, if the media store lacks it.
        style: File of the style image, if the media store lacks it.
        others: Files of further style images, masks and maps, which are identified by their pixels.

    Raises:
        ImageError: If the file has no provenance, or a reference image is missing or differs.
        nst.NstError: If a network is missing, or the recipe is of another version.
        engine.DeviceError: If this machine lacks the device.
    """
    from generator import nst

    account = images.read_provenance(path)
    before = images.read(path)
    chosen = engine.choose_device(device)
    try:
        recipe = nst.Recipe.from_dict(account["recipe"])
        seed, exact = int(account["seed"]), bool(account["exact"])
        first, second = _reference(account["content"], content), _reference(account["style"], style)
        job = _cell(account, first, second, recipe, seed, _by_pixels(others, account))
    except nst.NstError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise ImageError(f"{path}: its provenance lacks {error}; was it made by another program?") from error
    weights = {recipe.network: networks.network_of(recipe)}
    (result,) = nst.transfer_batch([job], weights=weights, device=chosen, exact=exact)
    after = images.to_image(result.image)
    if after.size != before.size:
        raise ImageError(
            f"{path}: is {before.size[0]} × {before.size[1]} px, its recipe makes {after.size[0]} × {after.size[1]}"
        )
    difference = np.abs(np.asarray(before, dtype=int) - np.asarray(after, dtype=int))
    now = engine.describe_device(chosen) | {"precision": result.precision}
    notes = _changes(account, now, recipe)
    return Reproduction(int(difference.max()), float(difference.mean()), after, notes)


def _cell(
    account: dict[str, Any],
    content: Tensor,
    style: Tensor,
    recipe: Recipe,
    seed: int,
    files: dict[str, Path],
) -> nst.Cell:
    """Return the cell: the two references, and the further styles and guides."""
    from generator import nst

    def picture(known: dict[str, Any] | None) -> Tensor | None:
        return None if known is None else _reference(known, files.get(known["pixels"]), "--other")

    def mask(known: dict[str, Any] | None) -> Tensor | None:
        return (
            None if known is None else inputs.mask(_reference(known, files.get(known["pixels"]), "--other"))
        )

    styles = tuple(
        nst.Style(
            style if number == 0 else _reference(each, files.get(each["pixels"]), "--other"),
            each["weight"],
            mask(each["where"]),
            mask(each["part"]),
            picture(each["map"]),
        )
        for number, each in enumerate(account.get("styles", []))
    )
    return nst.Cell(content, styles or style, recipe, seed, picture(account.get("content_map")))


def _by_pixels(files: Sequence[Path], account: dict[str, Any]) -> dict[str, Path]:
    """Return files by their pixel hashes. Refuse a file that was not used for the image."""
    styles = account.get("styles", [])
    guides = [style[name] for style in styles for name in ("where", "part", "map")]
    known = [*styles, *guides, account.get("content_map")]
    wanted = {each["pixels"]: each["file"] for each in known if each}
    found = {images.pixel_hash(images.read(file)): file for file in files}
    for pixels, file in found.items():
        if pixels not in wanted:
            raise ImageError(f"{file}: is none of the pictures that were used ({', '.join(wanted.values())})")
    return found


def _reference(account: dict[str, Any], file: Path | None, option: str = "--content or --style") -> Tensor:
    """Return a reference image by its pixel hash: from the given file, or else from the media store."""
    if file is not None:
        picture = images.read(file)
        if images.pixel_hash(picture) != account["pixels"]:
            raise ImageError(f"{file}: is not the picture that was used ({account['file']}, other pixels)")
        return images.to_tensor(picture)
    source = Source.objects.filter(pixels=account["pixels"]).first()
    if source is None:
        raise ImageError(f"{account['file']}: not in the media store; give it with {option}")
    with source.file.open() as opened:
        return images.to_tensor(images.read(opened, name=source.name))


def _changes(then: dict[str, Any], now: dict[str, Any], recipe: Recipe) -> tuple[str, ...]:
    """Return what differs from when the image was made, if pixels may depend on it."""
    pairs = [
        ("algorithm", then.get("algorithm"), networks.algorithm(recipe)),
        ("weights", then["weights"]["sha256"][:12], networks.network_of(recipe).sha256[:12]),
        ("device", then["device"]["name"], now["device"]["name"]),
        ("threads", then["device"]["threads"], now["device"]["threads"]),
        ("torch", then["versions"]["torch"], now["versions"]["torch"]),
        ("precision", then.get("precision"), now["precision"]),
    ]
    return tuple(f"{name} was {old}, is {new}" for name, old, new in pairs if old != new)
