"""Memory of a device: what is free, what a cell takes, and whether an error says that it ran out."""

from __future__ import annotations

import gc
import re

import torch

from generator.nst.recipes.recipe import Recipe

# The texts of allocators and libraries that have no error class of their own: PyTorch's CPU allocator (Linux, Windows),
# the CUDA and HIP runtimes, cuBLAS, cuSOLVER and cuDNN, which finds no engine where its workspace does not fit.
_NO_MEMORY = re.compile(
    r"out ?of ?memory|(can't|cannot|failed to|unable to) allocate|not enough memory|alloc(ation)?_failed"
    r"|unable to find an engine",
    re.IGNORECASE,
)
# Bytes that a cell takes for each pixel while the network runs forwards and backwards, by live storages with VGG-16 to
# conv5_1 and pooling by PyTorch. benchmarks/results/generate-scaling-cpu.md has 2000 where Winograd's transforms pool.
_NETWORK = {"fp32": 2800, "bf16": 1600}
# The optimiser's two images of each pair, 3 float32 values a pixel.
_PAIR = 24
# Float32 values a position and channel: centred activations and their gradients; columns of patches, theirs and ours.
_WASSERSTEIN_VALUES, _PATCH_VALUES = 3, 3 * 9
# Likenesses that each position of a layer is compared with at a time (patches._AT_ONCE), float32.
_LIKENESSES = 2048


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error tells that memory ran out, of a CPU or of any library that runs on a GPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and bool(_NO_MEMORY.search(str(error)))


def release() -> None:
    """Give memory that nothing uses back to the device. Call it outside `except`, where the error keeps its frames alive."""
    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()


def free_bytes(device: torch.device) -> int:
    """Return the bytes of a GPU that this process may still take, those that PyTorch keeps for it included."""
    free, _ = torch.cuda.mem_get_info(device)
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(free + kept)


def reserve(device: torch.device, size: int) -> None:
    """Have PyTorch take bytes of a GPU and keep them for what comes, so that other processes see them taken."""
    try:
        torch.empty(size, dtype=torch.uint8, device=device)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise


def bytes_per_pixel(recipe: Recipe, precision: str, pairs: int) -> float:
    """Return the bytes that a cell takes for each pixel of its image. precision: "fp32" or "bf16"; pairs: the optimiser's."""
    return _NETWORK[precision] + _PAIR * pairs + 4 * _loss_values(recipe)


def _loss_values(recipe: Recipe) -> float:
    """Return the float32 values for each pixel that the style loss holds beside the activations."""
    if recipe.method == "feedforward" or recipe.style_loss == "gram":
        return 0.0
    values, widest = 0.0, 0.0
    for tap in recipe.taps[1]:
        block = int(re.sub(r"\D", "", tap)[0])
        positions, channels = 0.25 ** (block - 1), min(64 * 2 ** (block - 1), 512)
        each = _PATCH_VALUES if recipe.style_loss == "patches" else _WASSERSTEIN_VALUES
        values += each * channels * positions
        widest = max(widest, positions)
    return values + (_LIKENESSES * widest if recipe.style_loss == "patches" else 0.0)
