"""Memory of a device: what is free, what a cell takes, and whether an error says that it ran out."""

from __future__ import annotations

import gc
import re

import torch

# The texts of allocators and libraries that have no error class of their own: PyTorch's CPU allocator (Linux, Windows),
# the CUDA and HIP runtimes, cuBLAS, cuSOLVER and cuDNN, which finds no engine where its workspace does not fit.
_NO_MEMORY = re.compile(
    r"out ?of ?memory|(can't|cannot|failed to|unable to) allocate|not enough memory|alloc(ation)?_failed"
    r"|unable to find an engine",
    re.IGNORECASE,
)


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
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def free_bytes(device: torch.device) -> int:
    """Return the bytes of a GPU that this process may still take.

    Those that PyTorch keeps for it are included. Apple's GPUs share the machine's memory; macOS recommends how much to use.
    """
    if device.type == "mps":
        return max(0, torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    free, _ = torch.cuda.mem_get_info(device)
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(free + kept)


def reserve(device: torch.device, size: int) -> None:
    """Have PyTorch take memory of a GPU and keep it for what comes, so that other processes see it taken.

    Args:
        device: The GPU.
        size: Bytes. Where there are not so many, nothing is taken and nothing raised.
    """
    try:
        torch.empty(size, dtype=torch.uint8, device=device)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
