"""Speed of style transfer: `python -m benchmarks.generate [--size 256] [--peer DIR] [--scaling | --convergence]`.

The same work (see benchmarks/generate_work.py) is done by this project, cell by cell and as a batch, and by the classic
loop or another program. Each runs in a separate process, in turns. Prints Markdown, and writes it and JSON to
benchmarks/results/generate-DEVICE.*. Needs the VGG-16 of `manage.py weights fetch vgg16`. If a peer needs VGG-19 and
the cache lacks it, random weights are used: they take as long, but their losses are meaningless.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks import generate_convergence, generate_scaling, machine
from benchmarks.generate_peers import Peer, of_checkout
from benchmarks.generate_work import NEURAL_STYLE, Measured, Work, flops, random_weights, save_pair
from generator.nst import load
from generator.nst.network import resolve_precision, supports_bf16
from generator.nst.weights.layouts import LoadedWeights, save_canonical
from generator.nst.weights.registry import Weights, cached

RESULTS = Path(__file__).parent / "results"
WAYS = {
    "classic": "classic loop",
    "fp32": "this project, float32, cell by cell",
    "bf16": "this project, bfloat16, cell by cell",
    "cell": "this project, cell by cell",
    "batch": "this project, {cells} cells as a batch",
}


def main() -> None:
    options = _options()
    RESULTS.mkdir(exist_ok=True)
    if options.scaling:
        generate_scaling.measure(options, RESULTS)
    elif options.convergence:
        generate_convergence.measure(load("vgg16", options.weights_dir), options, RESULTS)
    else:
        _compare(options, torch.device(options.device))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--size", type=int, default=256, help="px of the square image")
    parser.add_argument("--evaluations", type=int, default=100)
    parser.add_argument("--cells", type=int, default=4, help="of the batch; 25 is the grid of Patel 2019")
    parser.add_argument(
        "--rounds", type=int, default=2, help="times that each takes its turn; the best counts"
    )
    parser.add_argument("--peer", type=Path, help="checkout of neural-style-pt or style-transfer-pytorch")
    parser.add_argument("--weights-dir", type=Path, default=Path("var/weights"))
    parser.add_argument("--largest", type=int, default=2048, help="px of --scaling")
    parser.add_argument("--images", type=Path, help="folder for the images of --convergence")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--scaling", action="store_true", help="seconds and memory against size and number of cells"
    )
    kind.add_argument("--convergence", action="store_true", help="loss against seconds for ways to descend")
    return parser.parse_args()


def _compare(options: argparse.Namespace, device: torch.device) -> None:
    peer = of_checkout(options.peer) if options.peer else None
    work = peer.work if peer else NEURAL_STYLE
    host = machine.describe(device)
    rates = machine.matrix_rates(device)
    found: dict[str, list[Measured]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_pair(folder, options.size)
        file, weights = _network(work, options.weights_dir, folder)
        ways = _own_ways(work, file, options, folder)
        if peer:
            ways = {peer.name: _peers_way(peer, weights, options, device, folder)} | ways
        for _ in range(options.rounds):
            for name, way in ways.items():
                found.setdefault(name, []).append(way())
                print(name, found[name][-1], file=sys.stderr, flush=True)
    account = {
        "machine": host,
        "matrix_flops": rates,
        "work": {
            "summary": work.summary + ("" if file == work.network else "; random weights"),
            "size": options.size,
            "evaluations": options.evaluations,
            "flop": flops(weights, options.size),
        },
        "rounds": {name: [asdict(each) for each in rounds] for name, rounds in found.items()},
    }
    text = table(account)
    print(text)
    stem = "generate" if work is NEURAL_STYLE else f"generate-{work.name}"
    (RESULTS / f"{stem}-{device.type}.json").write_text(json.dumps(account, indent=1) + "\n")
    (RESULTS / f"{stem}-{device.type}.md").write_text(text)


def _network(work: Work, cache: Path, folder: Path) -> tuple[str, Weights]:
    """Return a name or file of the work's network for other processes, and its weights."""
    if work.network == "vgg16" or cached(work.network, cache).exists():
        return work.network, load(work.network, cache)
    weights, file = random_weights(work.network), folder / f"{work.network}.safetensors"
    save_canonical(LoadedWeights(weights.tensors, weights.preprocessing, "random"), file, {})
    return str(file), weights


def _peers_way(
    peer: Peer, weights: Weights, options: argparse.Namespace, device: torch.device, folder: Path
) -> Callable[[], Measured]:
    return lambda: peer.run(options.peer, folder, weights, options.size, options.evaluations, device)


def _own_ways(
    work: Work, network: str, options: argparse.Namespace, folder: Path
) -> dict[str, Callable[[], Measured]]:
    """Return the contenders of this project by their names in the table."""
    device = torch.device(options.device)
    # The rows of "auto" have one of these precisions already.
    left_out = {"fp32" if resolve_precision("auto", device) is torch.float32 else "bf16"}
    if not supports_bf16(device):
        left_out.add("bf16")
    if work is not NEURAL_STYLE:
        left_out.add("classic")
    return {
        name.format(cells=options.cells): partial(
            generate_scaling.in_process,
            way,
            options,
            folder,
            work=work,
            network=network,
            size=options.size,
            evaluations=options.evaluations,
            cells=options.cells,
        )
        for way, name in WAYS.items()
        if way not in left_out
    }


def table(account: dict[str, Any]) -> str:
    """Return the account as Markdown. Each row's best round counts; ratios and losses are against the first row."""
    host, rates, work = account["machine"], account["matrix_flops"], account["work"]
    best = {
        name: Measured(**{key: min(each[key] for each in rounds) for key in rounds[0]})
        for name, rounds in account["rounds"].items()
    }
    first = next(iter(best.values()))
    products = ", ".join(f"{rate / 1e9:.0f} GFLOP/s in {kind}" for kind, rate in rates.items())
    lines = [
        f"{host['name']}, {host['cores']} cores, {host['threads']} threads, PyTorch {host['torch']}, load"
        f" {host['load_before']} before. A large matrix product: {products}.",
        f"{work['summary']}; {work['size']} px, {work['evaluations']} evaluations of {work['flop'] / 1e9:.0f} GFLOP.",
        "",
        "| | evaluations/s | times | processor s/evaluation | times | images/hour | peak memory | GFLOP/s "
        "| share of the matrix rate | last loss |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in best.items():
        rate = work["flop"] / one.evaluation
        lines.append(
            f"| {name} | {1 / one.evaluation:.2f} | {first.evaluation / one.evaluation:.2f} | {one.cpu:.3f} "
            f"| {first.cpu / one.cpu:.2f} | {3600 / (one.evaluation * work['evaluations']):.1f} "
            f"| {one.peak_bytes / 1e9:.2f} GB | {rate / 1e9:.0f} "
            f"| {' / '.join(f'{rate / most:.0%} {kind}' for kind, most in rates.items())} "
            f"| {one.loss:.4g} ({one.loss / first.loss - 1:+.1%}) |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
