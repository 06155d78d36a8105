"""Other people's programs as processes, doing the work of `generate_work`: fetched by the user, never part of this project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import torch

from benchmarks.generate_work import CONTENT, STYLE, WARM_UP, Measured
from generator.nst.layers import names
from generator.nst.weights import Weights


def neural_style_pt(
    checkout: Path, folder: Path, weights: Weights, size: int, evaluations: int, device: torch.device
) -> Measured:
    """Run ProGamerGov/neural-style-pt on the pair in `folder`. Raises subprocess.CalledProcessError with its output."""
    model = folder / "vgg16.pth"
    _save_checkpoint(weights, model)
    command = [sys.executable, "-u", str(checkout.resolve() / "neural_style.py")]
    command += ["-content_image", str(folder / CONTENT), "-style_image", str(folder / STYLE)]
    command += ["-image_size", str(size), "-init", "image", "-model_file", str(model), "-disable_check"]
    command += (
        ["-gpu", "c"] if device.type == "cpu" else ["-gpu", str(device.index or 0), "-backend", "cudnn"]
    )
    command += ["-num_iterations", str(evaluations), "-print_iter", "1", "-save_iter", "0"]
    command += ["-output_image", str(folder / "peer.png")]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        times, processor, lines, loss = [], [], [], 0.0
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Iteration"):
                times.append(time.perf_counter())
                processor.append(_processor_seconds(process.pid))
            if match := re.search(r"Total loss: (\S+)", line):
                loss = float(match[1])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or len(times) <= WARM_UP:
        raise subprocess.CalledProcessError(process.returncode, command, "".join(lines))
    spent = len(times) - WARM_UP
    return Measured(
        (times[-1] - times[WARM_UP - 1]) / spent,
        (processor[-1] - processor[WARM_UP - 1]) / spent,
        time.perf_counter() - started,
        usage.ru_maxrss * 1024,
        loss,
    )


def _save_checkpoint(weights: Weights, path: Path) -> None:
    """Write torchvision's layout with channels in BGR order, as Caffe's models have it."""
    state = {}
    for index, name in enumerate(names(weights.architecture)):
        if name.startswith("conv"):
            weight = weights.tensors[f"{name}.weight"]
            state[f"features.{index}.weight"] = weight.flip(1) if name == "conv1_1" else weight
            state[f"features.{index}.bias"] = weights.tensors[f"{name}.bias"]
    torch.save(state, path)


def _processor_seconds(pid: int) -> float:
    """Return what a process has used of all cores (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
