"""Other programs, run as processes on the work of `generate_work`. The user fetches them; they are not distributed here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks import machine
from benchmarks.generate_work import CONTENT, NEURAL_STYLE, STYLE, STYLE_TRANSFER, WARM_UP, Measured, Work
from generator.nst.recipes.layers import names
from generator.nst.weights.registry import Weights


@dataclass(frozen=True)
class Peer:
    """A program of the field. script: the file by which its checkout is known; work: what it does by itself.

    run: makes one image of the pair in a folder, size in px: (checkout, folder, weights, size, evaluations, device).
    """

    name: str
    script: str
    work: Work
    run: Callable[[Path, Path, Weights, int, int, torch.device], Measured]


def of_checkout(checkout: Path) -> Peer:
    """Return the program in a folder. Raises SystemExit with the known programs."""
    found = next((peer for peer in PEERS if (checkout / peer.script).is_file()), None)
    if found is None:
        known = " and ".join(f"{peer.name} ({peer.script})" for peer in PEERS)
        raise SystemExit(f"--peer {checkout}: not a checkout of a known program; known are: {known}")
    return found


def neural_style_pt(
    checkout: Path, folder: Path, weights: Weights, size: int, evaluations: int, device: torch.device
) -> Measured:
    """Run ProGamerGov/neural-style-pt. Raises SystemExit with its output where it fails."""
    model = folder / "vgg16.pth"
    # In BGR order, as in Caffe's models.
    torch.save(_features(weights, flipped=True), model)
    command = [sys.executable, "-u", str(checkout.resolve() / "neural_style.py")]
    command += ["-content_image", CONTENT, "-style_image", STYLE]
    command += ["-image_size", str(size), "-init", "image", "-model_file", str(model), "-disable_check"]
    command += (
        ["-gpu", "c"] if device.type == "cpu" else ["-gpu", str(device.index or 0), "-backend", "cudnn"]
    )
    command += ["-num_iterations", str(evaluations), "-print_iter", "1", "-save_iter", "0"]
    command += ["-output_image", str(folder / "peer.png")]
    return _timed(command, folder, {}, r"Iteration \d+", r"Total loss: (\S+)")


def style_transfer_pytorch(
    checkout: Path, folder: Path, weights: Weights, size: int, evaluations: int, device: torch.device
) -> Measured:
    """Run crowsonkb/style-transfer-pytorch at one size. Raises SystemExit with its output where it fails."""
    # Where torchvision looks before it downloads.
    model = folder / "hub" / "checkpoints" / "vgg19-dcbb9e9d.pth"
    model.parent.mkdir(parents=True, exist_ok=True)
    torch.save(_features(weights, flipped=False) | _unused_classifier(), model)
    command = [sys.executable, "-u", "-m", "style_transfer.cli", CONTENT, STYLE, "-o", "peer.png"]
    command += ["--devices", str(device), "--min-scale", str(size), "--end-scale", str(size)]
    command += ["--initial-iterations", str(evaluations), "--save-every", str(evaluations + 1)]
    environment = {"PYTHONPATH": str(checkout.resolve()), "TORCH_HOME": str(folder)}
    line = r"iteration: \d+, loss: (\S+)"
    return _timed(command, folder, environment, line, line)


PEERS = (
    Peer("neural-style-pt", "neural_style.py", NEURAL_STYLE, neural_style_pt),
    Peer(
        "style-transfer-pytorch", "style_transfer/style_transfer.py", STYLE_TRANSFER, style_transfer_pytorch
    ),
)


def _features(weights: Weights, *, flipped: bool) -> dict[str, torch.Tensor]:
    """Return the convolutions as torchvision names them. flipped: channels of the image in BGR order."""
    state = {}
    for index, name in enumerate(names(weights.architecture)):
        if name.startswith("conv"):
            weight = weights.tensors[f"{name}.weight"]
            state[f"features.{index}.weight"] = weight.flip(1) if flipped and name == "conv1_1" else weight
            state[f"features.{index}.bias"] = weights.tensors[f"{name}.bias"]
    return state


def _unused_classifier() -> dict[str, torch.Tensor]:
    """Return zeros for VGG's last layers, which torchvision wants to read; a file holds each once."""
    state = {}
    for index, (inputs, outputs) in {0: (25088, 4096), 3: (4096, 4096), 6: (4096, 1000)}.items():
        state[f"classifier.{index}.weight"] = torch.zeros(1).expand(outputs, inputs)
        state[f"classifier.{index}.bias"] = torch.zeros(1).expand(outputs)
    return state


def _timed(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], tick: str, loss: str
) -> Measured:
    """Run a program in a folder by what it prints: `tick` at each evaluation, `loss` with the number in a group."""
    started = time.perf_counter()
    times, processor, lines, last = [], [], [], 0.0
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env=machine.plain_environment() | environment,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if re.search(tick, line):
                times.append(time.perf_counter())
                processor.append(_processor_seconds(process.pid))
            if match := re.search(loss, line):
                last = float(match[1])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or len(times) <= WARM_UP:
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}\n{''.join(lines[-20:])}")
    spent = len(times) - WARM_UP
    return Measured(
        (times[-1] - times[WARM_UP - 1]) / spent,
        (processor[-1] - processor[WARM_UP - 1]) / spent,
        time.perf_counter() - started,
        usage.ru_maxrss * 1024,
        last,
    )


def _processor_seconds(pid: int) -> float:
    """Return what a process has used of all cores (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
