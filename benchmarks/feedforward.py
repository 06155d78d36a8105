"""Speed of one-pass style transfer: `python -m benchmarks.feedforward [--device cuda] [--sizes 256 512]`.

The project's `Stylist` beside the same architecture (Johnson's, width 32, 5 residual blocks) run plainly: float32,
eager mode, no channels-last, PyTorch's defaults. Each runs in a separate process, in turns, with one image at a time
that is already on the device. Prints Markdown and writes benchmarks/results/feedforward-DEVICE.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks import machine
from generator.making.engine import keep_freed_memory
from generator.nst.feedforward.network import Network, Stylist, TransformNet

RESULTS = Path(__file__).parent / "results"
TURNS, PASSES = 3, 5


def main() -> None:
    options = _options()
    if options.way:
        print(json.dumps(measure(options.way, options.sizes[0], torch.device(options.device))))
        return
    device = torch.device(options.device)
    host = machine.describe(device)
    rows = [_row(size, options.device) for size in options.sizes]
    text = "\n".join(
        [
            f"{host['name']}, {host['cores']} cores, {host['threads']} threads, PyTorch {host['torch']}, load"
            f" {host['load_before']} before; {rows[0][1]} against plain float32; best of {TURNS} times {PASSES}.",
            "",
            "| size | plain | here | images/s | times | largest difference |",
            "| --- | --- | --- | --- | --- | --- |",
            *(line for line, _ in rows),
            "",
        ]
    )
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"feedforward-{device.type}.md").write_text(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument(
        "--way", choices=["plain", "here"], help="measure one way at one size, in this process"
    )
    return parser.parse_args()


def _row(size: int, device: str) -> tuple[str, str]:
    """Return a size's line of the table, and the precision here."""
    found: dict[str, list[dict[str, Any]]] = {"plain": [], "here": []}
    for _ in range(TURNS):
        for way, turns in found.items():
            arguments = ["--way", way, "--sizes", str(size), "--device", device]
            turns.append(machine.in_process("benchmarks.feedforward", arguments, plainly=way == "plain"))
    plain, here = (min(turn["seconds"] for turn in turns) for turns in found.values())
    last = found["here"][-1]
    line = (
        f"| {size} px | {plain * 1e3:.1f} ms | {here * 1e3:.1f} ms | {1 / here:.2f} | {plain / here:.2f} |"
        f" {last['difference']:.2f} of 255 |"
    )
    print(line, file=sys.stderr, flush=True)
    return line, last["precision"]


def measure(way: str, size: int, device: torch.device) -> dict[str, Any]:
    """Return the least seconds of a pass and, of "here", the precision and the largest difference from plain, of 255."""
    torch.manual_seed(0)
    network = Network("random", TransformNet().eval().requires_grad_(False), "", {})
    image = torch.rand(1, 3, size, size, device=device)
    plain = network.model.to(device)

    def eager() -> Tensor:
        with torch.inference_mode():
            made: Tensor = plain(image)
        return made.clamp(0, 1)

    if way == "plain":
        return {"seconds": machine.least_seconds(eager, device, PASSES)}
    keep_freed_memory()
    stylist = Stylist(network, device)
    return {
        "seconds": machine.least_seconds(lambda: stylist(image), device, PASSES),
        "precision": str(stylist.dtype).removeprefix("torch."),
        "difference": float((eager() - stylist(image)).abs().max()) * 255,
    }


if __name__ == "__main__":
    main()
