"""Loss against seconds for several optimisers, starts and pyramids, on three real pairs.

All minimise the same objective, so their losses at full size can be compared. The time includes smaller levels. It is
processor time, which other programs on the machine do not affect.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl
import torch

mpl.use("Agg")
from matplotlib import pyplot as plt
from torch import Tensor

from benchmarks import machine
from generator.demo.pictures import gather
from generator.files import images
from generator.nst import Progress, Recipe, preset, transfer
from generator.nst.weights.registry import Weights

PAIRS = (
    ("palace.jpg", "brush-strokes.png"),
    ("astronaut.png", "stained-glass.png"),
    ("cat.png", "woodcut-waves.png"),
)
_ADAM = {"optimiser": "adam", "learning_rate": 10.0}
_PYRAMID = {"pyramid_min": preset("modern").pyramid_min}
WAYS: dict[str, dict[str, Any]] = {
    "lbfgs-b, content": {},
    "lbfgs-b, noise": {"init": "noise"},
    "lbfgs-b, content, pyramid": _PYRAMID,
    "lbfgs-b, noise, pyramid": _PYRAMID | {"init": "noise"},
    "lbfgs-b of 20 pairs, content, pyramid": _PYRAMID | {"memory": 20},
    "lbfgs, content": {"optimiser": "lbfgs", "memory": 20},
    "lbfgs, content, pyramid": _PYRAMID | {"optimiser": "lbfgs", "memory": 20},
    "adam, content": _ADAM,
    "adam, content, pyramid": _PYRAMID | _ADAM,
    "adam with averaging, content, pyramid": _PYRAMID | _ADAM | {"averaging": 0.9},
}


def measure(weights: Weights, options: argparse.Namespace, results: Path) -> None:
    """Run every way on every pair; write table, curves and images' folder `options.images`, if given."""
    device = torch.device(options.device)
    runs: dict[str, list[dict[str, list[float]]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        gather(Path(folder))
        pairs = [
            [images.to_tensor(images.read(Path(folder, name)).convert("RGB")) for name in pair]
            for pair in PAIRS
        ]
    for way, settings in WAYS.items():
        for number, (content, style) in enumerate(pairs):
            made = recipe(options.size, options.evaluations, settings)
            picture, curve = run(content, style, made, weights, device)
            runs.setdefault(way, []).append(curve)
            if options.images:
                options.images.mkdir(exist_ok=True, parents=True)
                images.to_image(picture).save(options.images / f"{way} {number}.png")
        print(way, [each["loss"][-1] for each in runs[way]], file=sys.stderr, flush=True)
    account = {"machine": machine.describe(device), "size": options.size, "runs": runs}
    text = table(account)
    print(text)
    stem = f"generate-convergence-{device.type}"
    (results / f"{stem}.json").write_text(json.dumps(account) + "\n")
    (results / f"{stem}.md").write_text(text)
    draw(runs, results / f"{stem}.svg")


def recipe(size: int, evaluations: int, settings: dict[str, Any]) -> Recipe:
    """Return `modern`'s objective to be minimised in a way; a pyramid's every level has all the evaluations."""
    base = preset("modern").replace(size=size, pyramid_min=0, first_evaluations=0, evaluations=evaluations)
    return base.replace(**settings)


def run(
    content: Tensor, style: Tensor, made: Recipe, weights: Weights, device: torch.device
) -> tuple[Tensor, dict[str, list[float]]]:
    """Return the image, and the losses at full size with the seconds when each was reached."""
    started = time.process_time()
    seconds: list[float] = []
    losses: list[float] = []

    def told(at: Progress) -> None:
        if max(at.height, at.width) == made.size:
            machine.wait(device)
            seconds.append(time.process_time() - started)
            losses.append(at.losses()[0])

    result = transfer(content, style, made, seed=1, weights=weights, device=device, callback=told)
    best = [min(losses[: place + 1]) for place in range(len(losses))]
    return result.image, {"seconds": seconds, "loss": best}


def reached(curve: dict[str, list[float]], loss: float) -> float | None:
    """Return the seconds until a loss, or None."""
    return next(
        (at for at, value in zip(curve["seconds"], curve["loss"], strict=True) if value <= loss), None
    )


def table(account: dict[str, Any]) -> str:
    """Return Markdown: each way's last loss and seconds to the first way's last loss, on each pair."""
    host, runs = account["machine"], account["runs"]
    goals = [curve["loss"][-1] for curve in next(iter(runs.values()))]
    head = (
        "| way | " + " | ".join(f"pair {number}: last loss, seconds to goal" for number in (1, 2, 3)) + " |"
    )
    lines = [
        f"{host['name']}, {host['cores']} cores; {account['size']} px; processor seconds. Goal: the last loss of"
        " the first row.",
        "",
        head,
        "| --- | --- | --- | --- |",
    ]
    for way, curves in runs.items():
        cells = []
        for curve, goal in zip(curves, goals, strict=True):
            at = reached(curve, goal)
            when = "not reached" if at is None else f"{at:.1f} s"
            cells.append(f"{curve['loss'][-1] / goal:.3f}, {when} of {curve['seconds'][-1]:.1f} s")
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def draw(runs: dict[str, list[dict[str, list[float]]]], path: Path) -> None:
    """Draw loss against seconds, one panel a pair, both axes logarithmic."""
    figure, panels = plt.subplots(1, len(PAIRS), figsize=(13, 4.5), layout="constrained")
    for number, panel in enumerate(panels):
        for way, curves in runs.items():
            panel.loglog(curves[number]["seconds"], curves[number]["loss"], label=way, linewidth=1)
        panel.set(title=" + ".join(PAIRS[number]), xlabel="processor seconds", ylabel="loss at full size")
    panels[-1].legend(fontsize=7)
    figure.savefig(path, metadata={"Date": None})
