"""Decoding of uploaded pictures in a separate process, with limits on memory and time.

A file of one megabyte may need gigabytes once it is decoded. Then only the separate process ends.
Each process that asks decodes one picture at a time.

As a program (`python -m generator.files.bounded NAME MEGABYTES`), it reads a file on standard input. It writes one
line of JSON and the PNG to standard output. An error in the file goes to standard error, with exit code 2.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from generator.files import images
from generator.files.images import ImageError

MEGABYTES: Final = 1536
SECONDS: Final = 40
_BAD_FILE: Final = 2
_ROOT: Final = Path(__file__).parents[2]
_one_at_a_time: Final = threading.Lock()


@dataclass(frozen=True)
class Decoded:
    """A decoded picture.

    Attributes:
        png: Its pixels as PNG, without the other contents of the file.
        pixels: Its `images.pixel_hash`.
        warnings: One line for each thing that was not read literally.
        provenance: As `images.provenance_in` returns it.
    """

    png: bytes
    width: int
    height: int
    pixels: str
    warnings: list[str]
    provenance: dict[str, Any] | None = None


def decode(data: bytes, name: str, *, megabytes: int = MEGABYTES, seconds: float = SECONDS) -> Decoded:
    """Return the picture in a file, decoded as by `images.read`, within these limits.

    Args:
        data: The file's bytes.
        name: The file's name, for messages.
        megabytes: Limit on memory.
        seconds: Limit on time.

    Raises:
        ImageError: If the picture cannot be read, or exceeds a limit.
    """
    command = [sys.executable, "-m", "generator.files.bounded", name, str(megabytes)]
    # NumPy reserves memory for each thread that it might use.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        with _one_at_a_time:
            done = subprocess.run(  # noqa: S603
                command, input=data, capture_output=True, cwd=_ROOT, env=environment, timeout=seconds
            )
    except subprocess.TimeoutExpired:
        raise ImageError(f"{name}: was not read within {seconds:g} s; save it smaller, or as a PNG") from None
    if done.returncode == _BAD_FILE:
        raise ImageError(done.stderr.decode(errors="replace").strip())
    if done.returncode:
        raise ImageError(_too_much(name, megabytes))
    line, _, png = done.stdout.partition(b"\n")
    return Decoded(png=png, **json.loads(line))


def decode_here(data: bytes, name: str) -> Decoded:
    """Return the picture in a file, decoded in this process and without limits.

    Raises:
        ImageError: If the picture cannot be read.
    """
    warnings: list[str] = []
    picture = images.read(io.BytesIO(data), name, warnings.append)
    return Decoded(
        images.encode_png(picture),
        picture.width,
        picture.height,
        images.pixel_hash(picture),
        warnings,
        images.provenance_in(io.BytesIO(data), name),
    )


def _too_much(name: str, megabytes: int) -> str:
    return f"{name}: takes more than {megabytes} MB of memory to read; scale it down first"


def _main(name: str, megabytes: int) -> None:
    most = megabytes * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        found = decode_here(sys.stdin.buffer.read(), name)
    except (ImageError, MemoryError) as error:
        short = isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError)
        sys.stderr.write(_too_much(name, megabytes) if short else str(error))
        sys.exit(_BAD_FILE)
    told = asdict(found)
    png = told.pop("png")
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + png)


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
