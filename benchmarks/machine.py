"""The machine of a benchmark, and its rate of matrix products as a baseline."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from generator.nst.cpu import openmp
from generator.nst.network import supports_bf16


def describe(device: torch.device) -> dict[str, Any]:
    """Return processor, cores and versions in JSON types."""
    return {
        "device": device.type,
        "name": torch.cuda.get_device_name(device) if device.type == "cuda" else _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load_before": round(os.getloadavg()[0], 2),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def _processor() -> str:
    """Return the processor's name; on Linux from a file that Python does not read."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def in_process(module: str, arguments: Sequence[str], *, plainly: bool) -> Any:
    """Run a module in a separate process; return the JSON value of its last line.

    Args:
        module: The module.
        arguments: Its arguments.
        plainly: Use OpenMP's defaults, without the settings of `generator.nst`.
    """
    environment = plain_environment() | ({} if plainly else openmp.WAITING)
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def plain_environment() -> dict[str, str]:
    """Return this process's environment without the variables that `generator.nst` sets on import."""
    return {key: value for key, value in os.environ.items() if key not in openmp.WAITING}


def wait(device: torch.device) -> None:
    """Wait until the device has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matrix_rates(device: torch.device) -> dict[str, float]:
    """Return FLOP/s of a large square matrix product in float32 and, where the hardware has it, bfloat16."""
    side = 8192 if device.type == "cuda" else 3072
    rates = {"fp32": _matrix_rate(side, torch.float32, device)}
    if supports_bf16(device):
        rates["bf16"] = _matrix_rate(side, torch.bfloat16, device)
    return rates


def _matrix_rate(side: int, dtype: torch.dtype, device: torch.device) -> float:
    matrix = torch.rand(side, side, device=device).to(dtype)
    return 2 * side**3 / least_seconds(lambda: matrix @ matrix, device, 5)


def least_seconds(work: Callable[[], object], device: torch.device, rounds: int) -> float:
    """Return the least seconds of `work` after a warm-up round. The least is used because other load only adds time."""
    seconds = []
    for _ in range(rounds + 1):
        wait(device)
        started = time.perf_counter()
        work()
        wait(device)
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:])
