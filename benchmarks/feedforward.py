"""Speed of one-pass style transfer: `python -m benchmarks.feedforward [--device cuda] [--sizes 256 512]`.

The project's `Stylist` beside the same architecture (Johnson's, width 32, 5 residual blocks) run plainly: float32,
eager mode, no channels-last. One image at a time; the image is on the device already. Prints Markdown and writes
benchmarks/results/feedforward-DEVICE.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from generator.nst.feedforward import Network, Stylist, TransformNet

RESULTS = Path(__file__).parent / "results"
ROUNDS = 9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    options = parser.parse_args()
    device = torch.device(options.device)
    torch.manual_seed(0)
    network = Network("random", TransformNet().eval().requires_grad_(False), "", {})
    stylist = Stylist(network, device)
    lines = [
        _machine(device, stylist),
        "",
        "| size | plain | here | images/s | times | largest difference |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    plain = network.model.to(device)
    for size in options.sizes:
        lines.append(_row(size, torch.rand(1, 3, size, size, device=device), plain, stylist))
        print(lines[-1], flush=True)
    text = "\n".join(lines) + "\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"feedforward-{device.type}.md").write_text(text)


def _row(size: int, image: Tensor, plain: TransformNet, stylist: Stylist) -> str:
    def eager(picture: Tensor) -> Tensor:
        with torch.inference_mode():
            made: Tensor = plain(picture)
        return made.clamp(0, 1)

    before, now = _alternating([eager, stylist], image)
    difference = float((eager(image) - stylist(image)).abs().max()) * 255
    return (
        f"| {size} px | {before * 1e3:.1f} ms | {now * 1e3:.1f} ms | {1 / now:.2f} | {before / now:.2f} |"
        f" {difference:.2f} of 255 |"
    )


def _alternating(ways: list[Callable[[Tensor], Tensor]], image: Tensor) -> list[float]:
    """Return each way's least seconds, taken in turns: other load only ever adds."""
    seconds: list[list[float]] = [[] for _ in ways]
    for number in range(ROUNDS + 1):
        for way, kept in zip(ways, seconds, strict=True):
            _wait(image.device)
            started = time.perf_counter()
            way(image)
            _wait(image.device)
            if number:  # the first round warms up
                kept.append(time.perf_counter() - started)
    return [min(kept) for kept in seconds]


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _machine(device: torch.device, stylist: Stylist) -> str:
    where = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"{os.cpu_count()} CPU cores ({platform.machine()}, load {os.getloadavg()[0]:.1f} from elsewhere included)"
    )
    precision = str(stylist.dtype).removeprefix("torch.")
    return f"{where}, PyTorch {torch.__version__}, {precision} against plain float32; best of {ROUNDS}."


if __name__ == "__main__":
    main()
