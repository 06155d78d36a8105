"""Number formats of a device: what float32 means on a GPU, whether it multiplies bfloat16, and whether it has float64."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

# Apple's GPUs compute in no more than float32.
_WITHOUT_FLOAT64 = {"mps"}


def wide(device: torch.device) -> torch.dtype:
    """Return the format of the few numbers that an optimiser keeps for each image: float64, or float32 without that."""
    return torch.float32 if device.type in _WITHOUT_FLOAT64 else torch.float64


@contextlib.contextmanager
def float32_products(precision: str) -> Iterator[None]:
    """Set for the work inside whether tensor cores may round float32 to TF32.

    cuDNN does so unless told otherwise. "tf32" lets convolutions do it; the optimiser's products stay whole.

    Args:
        precision: A recipe's: "auto", "fp32", "tf32" or "bf16".
    """
    convolutions, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = convolutions.allow_tf32, products.allow_tf32
    convolutions.allow_tf32, products.allow_tf32 = precision == "tf32", False
    try:
        yield
    finally:
        convolutions.allow_tf32, products.allow_tf32 = before


def on(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Make a GPU the current one for the work inside: what names no device would open a context on the first."""
    return torch.cuda.device(device) if device.type == "cuda" else contextlib.nullcontext()


def multiplies_bf16(device: torch.device) -> bool:
    """Say whether a CUDA or ROCm device multiplies bfloat16 in hardware."""
    if torch.version.hip:
        # Capability numbers are CUDA's. CDNA (MI100 and later) and RDNA 3 and later have bfloat16 matrix instructions.
        name = torch.cuda.get_device_properties(device).gcnArchName.partition(":")[0]
        return name.startswith(("gfx908", "gfx90a", "gfx94", "gfx95", "gfx11", "gfx12"))
    return torch.cuda.get_device_capability(device) >= (8, 0)


def described(precision: str, dtype: torch.dtype, device: torch.device) -> str:
    """Return the precision that ran, for the provenance.

    Args:
        precision: A recipe's: "auto", "fp32", "tf32" or "bf16".
        dtype: The network's, from `resolve_precision`.
        device: Where it ran.

    Returns:
        "float32", "tf32" or "bfloat16".
    """
    if precision == "tf32" and device.type == "cuda":
        return "tf32"
    return str(dtype).removeprefix("torch.")
