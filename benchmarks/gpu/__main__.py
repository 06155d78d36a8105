"""python -m benchmarks.gpu [--pack DIR | --seconds N]: is the generator right on this GPU, how fast, and why?

Needs PyTorch 2.11 or newer, NumPy and safetensors; no Django, no network. results.json and results.md in --out are
rewritten after every section. --pack DIR writes what must travel to a machine without a network. --device cpu --tiny
rehearses all of it in seconds.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import sys
import time
import types
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0, 1 if a section failed, or 2 for bad input."""
    options = _options(arguments)
    _do_without_numba()
    import torch

    from benchmarks.gpu.answers import answers
    from benchmarks.gpu.bench import Bench, chosen_weights, random_weights
    from benchmarks.gpu.report import Report

    if options.pack is not None:
        return _pack(options.pack, options.weights)
    kind = options.device.partition(":")[0]
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(kind):
        print(
            f"--device {options.device}: PyTorch sees no such device; --device cpu --tiny rehearses",
            file=sys.stderr,
        )
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    weights = random_weights(width=4) if options.tiny else chosen_weights(options.weights)
    bench = Bench(torch.device(options.device), weights, options.tiny, options.out)
    report = Report(options.out, options.seconds, _title(bench))
    threads = torch.get_num_threads()
    if options.tiny:
        # Over tiny tensors threads mostly wait for each other: on a busy machine ten times as long.
        torch.set_num_threads(1)
    try:
        failed = _run(bench, report, options.only)
    finally:
        torch.set_num_threads(threads)
    print(*answers(report.sections), sep="\n")
    print(f"{options.out / 'results.md'}: {len(report.sections)} sections, {failed} of them failed")
    return 1 if failed else 0


def _title(bench) -> list[str]:
    import torch

    name = torch.cuda.get_device_name(bench.device) if bench.is_cuda else str(bench.device)
    lines = [f"# GPU check of {name}, {time.strftime('%Y-%m-%d %H:%M')}"]
    if bench.tiny:
        lines += [
            "",
            "A rehearsal with tiny sizes and random weights: its figures say nothing of any device.",
        ]
    return lines


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks.gpu", description=__doc__)
    parser.add_argument("--pack", type=Path, metavar="DIR", help="write code and weights into a new folder")
    parser.add_argument("--seconds", type=float, default=330, help="no section begins later (default: 330)")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, mps or cpu (default: cuda)")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes and random weights: a rehearsal")
    parser.add_argument(
        "--weights", default="vgg16", help="vgg16 (from var/weights), a file, or random (default: vgg16)"
    )
    parser.add_argument("--out", type=Path, default=Path("gpu-results"))
    parser.add_argument("--only", default="", help="sections, separated by commas (default: all)")
    return parser.parse_args(arguments)


def _do_without_numba() -> None:
    """Let the CPU's kernels be imported where Numba is missing: a GPU never calls them."""
    if importlib.util.find_spec("numba") is None:
        stand_in = types.ModuleType("numba")
        stand_in.njit = lambda *given, **named: given[0] if given else lambda function: function  # type: ignore[attr-defined]
        sys.modules["numba"] = stand_in


def _run(bench, report, only: str) -> int:
    """Run the sections, the most telling first; return how many failed."""
    from benchmarks.gpu import fast, pieces, right
    from benchmarks.gpu.report import has_error

    # The least and the most seconds of each, on an H100 by the roofline; together five and a half minutes.
    sections = {
        "machine": (fast.machine, 1, 2),
        "ceilings": (fast.ceilings, 2, 8),
        "gradients": (right.gradients, 5, 20),
        "speed": (fast.speed, 20, 75),
        "exact": (right.exact, 5, 25),
        "out of memory": (right.out_of_memory, 5, 25),
        "one pass": (right.one_pass, 3, 12),
        "training": (pieces.training, 3, 10),
        "steps": (fast.steps, 10, 50),
        "pieces": (pieces.pieces, 5, 20),
        "profiles": (fast.profiles, 5, 12),
        "images": (right.images, 10, 35),
        "large": (fast.large, 15, 30),
        "counts": (fast.asked, 3, 6),
    }
    wanted = [name.strip() for name in only.split(",") if name.strip()] or list(sections)
    if unknown := set(wanted) - set(sections):
        print(f"--only {', '.join(sorted(unknown))}: should be of {', '.join(sections)}", file=sys.stderr)
        raise SystemExit(2)
    report.plan({name: sections[name][1:] for name in wanted})
    for name in wanted:
        work, least, most = sections[name]
        limits = (0, math.inf) if bench.tiny else (least, most)
        report.run(name, _about(work, bench), *limits)
    return sum(has_error(found) for found in report.sections.values())


def _about(work, bench):
    """Return a section for `Report.run`, with what it is about."""

    def section(report):
        return work(bench, report)

    section.__doc__ = work.__doc__
    return section


def _pack(folder: Path, name: str) -> int:
    from benchmarks.gpu.bench import chosen_weights
    from benchmarks.gpu.pack import pack
    from generator.nst import NstError

    if folder.exists():
        print(f"--pack {folder}: is there already; name a new folder", file=sys.stderr)
        return 2
    try:
        size = pack(folder, chosen_weights(name))
    except (NstError, OSError, ValueError) as error:
        print(f"--pack {folder}: {error}", file=sys.stderr)
        return 2
    print(f"{folder}: {size / 2**20:.1f} MiB; README.txt in it says how to run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
