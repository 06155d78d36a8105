"""The connection of rows to the style-transfer library. The functions import torch; the module does not."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL
from django.conf import settings

from generator.making import gpus
from generator.nst.recipes.footprint import bytes_per_pixel
from nstsite import __version__

if TYPE_CHECKING:
    import torch

    from generator.nst import Recipe

# Bytes of PyTorch, a VGG-16 and its transformed kernels (Winograd) before the first cell, measured on a CPU.
BYTES_AT_REST = 1.1e9
MAX_BATCH = 32
# Of a GPU's free memory, what a batch may take: the forecast of its bytes is no bound, and kernels want room.
_SHARE = 0.7
# What the drivers of NVIDIA and AMD put on Linux.
_GPU_FILES = ("/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg", "/dev/kfd")
# Parameters of glibc's mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


class DeviceError(Exception):
    """A device that this machine lacks; the one-line message says which devices exist."""


@dataclass(frozen=True)
class PlainCpu:
    """This machine's CPU, for a forecast without PyTorch. Importing that takes seconds and half a gigabyte."""

    type: str = "cpu"

    def __str__(self) -> str:
        return self.type


def device_to_forecast(name: str = "auto") -> torch.device | PlainCpu:
    """Return the device that `choose_device` returns, without PyTorch if Linux lists no GPU.

    Raises:
        DeviceError: If this machine lacks the device.
    """
    has_gpu = sys.platform != "linux" or any(Path(file).exists() for file in _GPU_FILES)
    return PlainCpu() if name == "cpu" or (name == "auto" and not has_gpu) else choose_device(name)


def choose_device(name: str = "auto") -> torch.device:
    """Return the device of a name.

    Args:
        name: "auto" (the CUDA device with the fewest runs of this site, or the CPU), "cpu", "cuda", "cuda:1", or "mps": an
            Apple GPU, which must be asked for until one has been measured.

    Raises:
        DeviceError: If the name is unknown or this machine lacks the device.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda", gpus.take(count)) if count else torch.device("cpu")
    kind, _, number = name.partition(":")
    is_numbered = number.isdigit() and kind != "mps"
    if kind not in ("cpu", "cuda", "mps") or (number and not is_numbered):
        raise DeviceError(f"--device {name}: should be auto, cpu, cuda, cuda:1 or mps")
    if kind == "mps" and not torch.backends.mps.is_available():
        there = (
            "no Apple GPU" if torch.backends.mps.is_built() else "a PyTorch built without Apple's GPUs (MPS)"
        )
        raise DeviceError(f"--device {name}: this machine has {there}; use --device auto")
    if kind == "cuda" and int(number or 0) >= count:
        there = f"{count} CUDA device{'s' if count > 1 else ''}" if count else why_no_cuda()
        raise DeviceError(f"--device {name}: this machine has {there}; use --device auto")
    return torch.device(name)


def all_gpus() -> list[str]:
    """Return the names of this machine's CUDA devices for `choose_device`.

    Raises:
        DeviceError: If this machine has none.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        raise DeviceError(f"--device all: this machine has {why_no_cuda()}; use --device auto")
    return [f"cuda:{number}" for number in range(count)]


def why_no_cuda() -> str:
    """Return in a few words why there is no CUDA device."""
    import torch

    return "no CUDA device" if torch.version.cuda else "a PyTorch built without CUDA"


def describe_device(device: torch.device) -> dict[str, Any]:
    """Return the provenance of the device: its name and the versions of the software."""
    import torch

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
    system = {"macos": platform.mac_ver()[0]} if device.type == "mps" else {}
    return {
        "device": {
            "type": device.type,
            "name": name,
            "threads": torch.get_num_threads(),
            "cores": os.cpu_count(),
        },
        "versions": {
            "nstsite": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
            "numpy": np.__version__,
            "pillow": PIL.__version__,
            **system,
        },
    }


def processor() -> str:
    """Return the processor's name; on Linux and macOS from where Python does not look."""
    if sys.platform == "darwin":
        asked = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def keep_freed_memory() -> None:
    """Make glibc's malloc keep freed memory in this process. Without glibc nothing happens.

    Every evaluation frees and allocates a network's activations. If malloc returns them to the system each time,
    the system must zero the pages again, which takes a tenth of the time.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(_M_MMAP_MAX, 0)
        library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def keep_verdicts(device: torch.device) -> None:
    """Have what the fast ways proved on a GPU read from and written to the data folder, for this process from now on."""
    if device.type != "cpu":
        from generator.nst.gpu import verdicts

        verdicts.keep_in(verdicts_file())


def verdicts_file() -> Path:
    """Return the file of what the fast ways proved on this installation's GPUs."""
    return Path(settings.DATA_DIR) / "gpus" / "verdicts.json"


def bytes_of_cell(device: torch.device | PlainCpu, recipe: Recipe, pixels: int, evaluations: int) -> float:
    """Return the bytes that a cell needs at a level with this many pixels and evaluations."""
    precision = "bf16" if recipe.precision == "bf16" else "fp32"
    if not isinstance(device, PlainCpu) and device.type != "cpu":
        import torch

        from generator.nst.network import resolve_precision

        precision = "bf16" if resolve_precision(recipe.precision, device) is torch.bfloat16 else "fp32"
    return pixels * bytes_per_pixel(recipe, precision, recipe.pairs(evaluations))


def batch_size(device: torch.device | PlainCpu, size: float) -> int:
    """Return how many cells of `size` bytes to run together: as many as fit into a GPU's free memory; one on a CPU.

    On a CPU a batch is faster with small images only, and an image made alone can be repeated bit by bit. A batch
    rounds sums in another order; after a hundred evaluations pixels differ by several grey levels.
    """
    if isinstance(device, PlainCpu) or device.type == "cpu":
        return 1
    from generator.nst.gpu import memory

    return max(1, min(MAX_BATCH, int(_SHARE * memory.free_bytes(device) / size)))
