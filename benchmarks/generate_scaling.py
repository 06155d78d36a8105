"""Seconds and memory of style transfer as the image and the set grow, with the fitted exponents."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import machine
from benchmarks.generate_work import NEURAL_STYLE, WARM_UP, Measured, Work, save_pair

SIZES = (128, 256, 512, 1024, 2048)
CELLS = (1, 2, 5, 10, 25, 50, 100)
# The side of the cells of a growing set, in px: small, so that a hundred end in time on a CPU.
CELL_SIDE = 128


def in_process(
    way: str,
    options: argparse.Namespace,
    folder: Path,
    work: Work = NEURAL_STYLE,
    network: str = NEURAL_STYLE.network,
    **settings: int,
) -> Measured:
    """Run one contender of `generate_work` in a separate process. network: name or file; settings: size, evaluations, cells."""
    arguments = [way, "--device", options.device, "--work", work.name, "--weights", network]
    for key, value in settings.items():
        arguments += [f"--{key}", str(value)]
    arguments += ["--pictures", str(folder), "--weights-dir", str(options.weights_dir)]
    return Measured(**machine.in_process("benchmarks.generate_work", arguments, plainly=way == "classic"))


def measure(options: argparse.Namespace, results: Path) -> None:
    """Measure both growths; print them and write generate-scaling-DEVICE.md and .json into `results`."""
    account: dict[str, Any] = {"machine": machine.describe(torch.device(options.device))}
    account["size"] = [_row(options, "cell", size, 1) for size in SIZES if size <= options.largest]
    account["cells"] = [_row(options, "batch", CELL_SIDE, cells) for cells in CELLS]
    text = table(account)
    print(text)
    stem = f"generate-scaling-{torch.device(options.device).type}"
    (results / f"{stem}.json").write_text(json.dumps(account, indent=1) + "\n")
    (results / f"{stem}.md").write_text(text)


def _row(options: argparse.Namespace, way: str, size: int, cells: int) -> dict[str, float]:
    # What is long needs few evaluations to be measured well.
    evaluations = WARM_UP + (1 if size > 512 or cells > 10 else 6)
    with tempfile.TemporaryDirectory() as folder:
        save_pair(Path(folder), size)
        found = in_process(way, options, Path(folder), size=size, evaluations=evaluations, cells=cells)
    row = {"size": size, "cells": cells, "seconds": found.evaluation * cells, "cpu": found.cpu * cells}
    print(row, file=sys.stderr, flush=True)
    return row | {"peak_bytes": found.peak_bytes}


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return b of the least-squares fit log value = a + b log size."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def table(account: dict[str, Any]) -> str:
    """Return both growths as Markdown."""
    host = account["machine"]
    lines = [
        f"{host['name']}, {host['cores']} cores, {host['device']}, PyTorch {host['torch']}, load"
        f" {host['load_before']} before. Seconds of one evaluation of every cell.",
    ]
    for key, unit, factor in (("size", "pixels", 2), ("cells", "cells", 1)):
        rows = account[key]
        lines += ["", f"| {key} | seconds | processor seconds | peak memory |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {row[key]} | {row['seconds']:.3f} | {row['cpu']:.3f} | {row['peak_bytes'] / 1e9:.2f} GB |"
            for row in rows
        ]
        grown = [row[key] ** factor for row in rows]
        # What is there before the first image is no growth.
        rest = min(row["peak_bytes"] for row in rows)
        slope = np.polyfit(grown, [row["peak_bytes"] for row in rows], 1)[0]
        lines += [
            "",
            f"seconds ∝ {unit}^{exponent(grown, [row['cpu'] for row in rows]):.2f} (processor seconds); memory"
            f" {rest / 1e9:.2f} GB and {slope / 1e3:.2f} kB for each further {unit.removesuffix('s')}.",
        ]
    return "\n".join(lines) + "\n"
