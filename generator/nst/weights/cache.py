"""The cache of converted networks, as far as it can be read without PyTorch."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np


def cached(name: str, cache_dir: Path) -> Path:
    """Return the path of a network's converted weights, whether or not they exist."""
    return Path(cache_dir) / f"{name}.safetensors"


def hash_of_file(path: Path) -> str:
    """Return `registry.weights_hash` of a converted file's tensors.

    Raises:
        OSError: If the file cannot be read.
        SafetensorError: If it is damaged.
    """
    known = path.stat()
    return _hash_of_file(path, known.st_mtime_ns, known.st_size)


@lru_cache(maxsize=8)
def _hash_of_file(path: Path, changed: int, size: int) -> str:
    from safetensors import safe_open

    digest = hashlib.sha256()
    with safe_open(path, "numpy") as file:
        for name in sorted(file.keys()):
            tensor = np.ascontiguousarray(file.get_tensor(name), np.float32)
            digest.update(f"{name}{tuple(tensor.shape)}".encode())
            digest.update(tensor.tobytes())
    return digest.hexdigest()
