"""What must travel to a machine with a GPU and no network: the code that `benchmarks.gpu` runs, and a VGG-16 cut short."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.gpu.bench import to_conv5_1
from generator.nst import Weights
from generator.nst.weights.layouts import LoadedWeights, save_canonical

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = "vgg16-to-conv5_1.safetensors"
LIMIT = 60 * 2**20
_FILES = ("generator/__init__.py", "benchmarks/__init__.py", "benchmarks/classic.py", "benchmarks/counts.py")
_FOLDERS = ("generator/nst", "benchmarks/gpu")
_HOW = f"""Run here, on a machine with PyTorch 2.11 or newer, NumPy and safetensors; Django and a network are not needed:

    python -m benchmarks.gpu --weights {WEIGHTS} --out results --seconds 330

results/results.md and results.json are rewritten after every section.
"""


def pack(folder: Path, weights: Weights) -> int:
    """Write code and weights into a new folder.

    Args:
        folder: The folder; it must not exist.
        weights: Weights of VGG-16, of which those to conv5_1 are written.

    Returns:
        The bytes of all files.

    Raises:
        ValueError: If they are more than LIMIT.
    """
    for name in _FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy(ROOT / name, folder / name)
    (folder / "README.txt").write_text(_HOW)
    kept = {
        f"{layer}.{kind}": weights.tensors[f"{layer}.{kind}"]
        for layer in to_conv5_1()
        for kind in ("weight", "bias")
    }
    save_canonical(
        LoadedWeights(kept, weights.preprocessing, weights.name),
        folder / WEIGHTS,
        {"source": f"{weights.name}, cut after conv5_1"},
    )
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > LIMIT:
        raise ValueError(
            f"{folder}: {size / 2**20:.0f} MiB, more than the {LIMIT / 2**20:.0f} that may travel"
        )
    return size
