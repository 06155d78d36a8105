"""Style transfer by optimisation: one image, or a whole set of cells of which like ones run as one batch."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from generator.nst import prepare, supervision
from generator.nst.cell import Cell, check
from generator.nst.feedforward.network import Network, Stylist
from generator.nst.gpu.precision import described, float32_products, on
from generator.nst.kolkin.nnst import Nnst
from generator.nst.kolkin.strotss import Strotss
from generator.nst.optimise.batch import Batch, most_values, style_sizes
from generator.nst.recipes import algorithms
from generator.nst.recipes.coefficients import TERMS, Coefficients
from generator.nst.recipes.errors import NstError
from generator.nst.recipes.options import KOLKIN
from generator.nst.recipes.recipe import Recipe
from generator.nst.recipes.sizes import level_sizes, output_size
from generator.nst.results import Callback, Result
from generator.nst.weights.registry import Weights

ALGORITHM = algorithms.OPTIMISED


def transfer(
    content: Tensor,
    style: Tensor,
    recipe: Recipe,
    *,
    seed: int,
    weights: Weights | Network,
    device: torch.device | str = "cpu",
    callback: Callback | None = None,
    exact: bool = False,
) -> Result:
    """Make one image.

    Args:
        content: Content image, 3 x H x W, 0 to 1.
        style: Style image, 3 x H x W, 0 to 1.
        recipe: All other settings.
        seed: Seed of the noise.
        weights: Weights of the recipe's network, or a trained network.
        device: Where to work, such as "cpu" or "cuda:1".
        callback: Called after each evaluation, on this thread. What it raises ends the work.
        exact: Use deterministic algorithms, so that the same machine repeats the image bit by bit.

    Raises:
        NstError: The images or layers cannot be used.
    """
    cells = [Cell(content, style, recipe, seed)]
    return transfer_batch(
        cells, weights={recipe.network: weights}, device=device, callback=callback, exact=exact
    )[0]


def transfer_batch(
    cells: Sequence[Cell],
    *,
    weights: Mapping[str, Weights | Network],
    device: torch.device | str = "cpu",
    callback: Callback | None = None,
    exact: bool = False,
    chunk: int = 0,
) -> list[Result]:
    """Make many images. Cells with the same `batch_key` run as one batch.

    Args:
        cells: What to make.
        weights: Weights by the recipes' network names. That of a feed-forward recipe is from `load_network`.
        device: Where to work, such as "cpu" or "cuda:1".
        callback: Called after each evaluation of a batch, on this thread. What it raises ends the work.
        exact: Use deterministic algorithms, so that the same machine repeats an image bit by bit.
        chunk: Cells that go through the network at a time. 0 means the whole batch on a GPU, and on a CPU as many
            as have `CPU_PIXELS`.

    Returns:
        The results in the order of the cells.

    Raises:
        NstError: The images or layers cannot be used.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, cell in enumerate(cells):
        check(cell)
        if cell.recipe.network not in weights:
            raise NstError(f"no weights given for network {cell.recipe.network!r}")
        height, width = cell.content.shape[-2:]
        groups.setdefault(batch_key(cell.recipe, height, width, style_sizes(cell)), []).append(place)
    results: dict[int, Result] = {}
    with _deterministic() if exact else contextlib.nullcontext():
        for places in groups.values():
            if torch.device(device).type != "cpu":
                # Cells of one content layer follow one another, by whichever name: a GPU then reads a slice and gathers
                # nothing.
                places.sort(key=lambda place: cells[place].recipe.taps[0])
            batch = [cells[place] for place in places]
            network = weights[batch[0].recipe.network]
            with on(torch.device(device)), float32_products(batch[0].recipe.precision):
                made = _made(batch, places, network, torch.device(device), callback, chunk)
            results.update(zip(places, made, strict=True))
    return [results[place] for place in range(len(cells))]


def _made(
    cells: Sequence[Cell],
    places: Sequence[int],
    network: Weights | Network,
    device: torch.device,
    callback: Callback | None,
    chunk: int,
) -> list[Result]:
    """Make cells with one `batch_key`, by their method."""
    recipe = cells[0].recipe
    if isinstance(network, Network) != (recipe.method == "feedforward"):
        raise NstError(f"network {recipe.network!r} is not one for method {recipe.method!r}")
    if isinstance(network, Network):
        return _one_pass(cells, network, device, chunk)
    if recipe.method in KOLKIN:
        kind = Strotss if recipe.method == "strotss" else Nnst
        made = zip(cells, places, strict=True)
        return [kind(cell, place, network, device, callback).run() for cell, place in made]
    return Batch(cells, places, network, device, callback, chunk).run()


def _one_pass(cells: Sequence[Cell], network: Network, device: torch.device, chunk: int) -> list[Result]:
    """Make cells by a trained network. Nothing is minimised, so curves and coefficients are empty."""
    started = time.perf_counter()
    height, width = cells[0].content.shape[1:]
    size = output_size(height, width, cells[0].recipe)
    contents = torch.stack([prepare.resize(cell.content.cpu(), size).clamp(0, 1) for cell in cells])
    stylise = Stylist(network, device, cells[0].recipe.precision)
    at_once = _one_pass_at_once(network, device, size, chunk or (1 if device.type == "cpu" else len(cells)))
    pictures = torch.cat([stylise(part).cpu() for part in torch.split(contents, at_once)])
    seconds = (time.perf_counter() - started) / len(cells)
    return [
        Result(
            image=picture,
            curve={term: [] for term in TERMS},
            evaluations=1,
            stop="one pass",
            failure=supervision.failure(picture),
            seconds=seconds,
            batch=len(cells),
            coefficients=Coefficients(),
            precision=described(stylise.precision, stylise.dtype, device),
            convolution=stylise.convolution,
        )
        for picture in pictures
    ]


def _one_pass_at_once(network: Network, device: torch.device, size: prepare.Size, wanted: int) -> int:
    """Return how many images a trained network takes at a time: on a GPU no layer has more values than an index counts."""
    if device.type == "cpu":
        return wanted
    # Its last two layers are enlarged before they are convolved.
    widest = 2 * network.model.width
    return max(1, min(wanted, most_values(device) // (widest * size[0] * size[1])))


def batch_key(
    recipe: Recipe, height: int, width: int, styles: Iterable[prepare.Size] = ()
) -> tuple[object, ...]:
    """Return what cells must share to run as one batch: sizes, network and optimiser, but not layers or weights.

    Args:
        recipe: The recipe of the cell.
        height: Height of the content image.
        width: Width of the content image.
        styles: (height, width) of each style image.
    """
    own = (
        "preset", "content_layers", "style_layers", "style_weights", "convention", "alpha", "beta", "tv_weight",
        "range_weight", "activation", "init", "noise", "noise_mean", "noise_scale", "noise_share", "style_scale", "style_shape",
        "size", "shape", "colour",
    )  # fmt: skip
    shared = tuple((key, str(value)) for key, value in sorted(recipe.to_dict().items()) if key not in own)
    size = output_size(height, width, recipe)
    levels = 1 if recipe.method == "feedforward" else len(level_sizes(size, recipe, styles))
    return (*size, levels, *shared)


@contextlib.contextmanager
def _deterministic() -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.backends.cudnn.benchmark = before[1]
