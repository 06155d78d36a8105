"""One-off use of a trained network: pictures and videos from files to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from generator.files import images, kinds
from generator.files.store import write_atomically
from generator.making import video
from generator.making.video import Pixels, Progress

if TYPE_CHECKING:
    from generator.nst.feedforward.network import Stylist

# Where nothing in a file tells what it is, its name says what the user takes it for.
_VIDEO_NAMES = {
    ".mp4",
    ".m4v",
    ".mov",
    ".mkv",
    ".webm",
    ".avi",
    ".ts",
    ".mts",
    ".m2ts",
    ".mpg",
    ".3gp",
    ".wmv",
}


def target_of(source: Path, network: Path, folder: Path) -> Path:
    """Return where the stylised copy of a picture or video goes; the source's content decides on the suffix."""
    made = video.suffix_for(source) if _is_video(source) else ".png"
    return folder / f"{source.stem}-{network.stem}{made}"


def stylise(
    source: Path, target: Path, stylist: Stylist, *, longest: int = 0, progress: Progress | None = None
) -> None:
    """Write the stylised copy of a picture, or of a video with its sound; a reader sees a whole file or none.

    longest: scale to this many px on the longest side first; 0: as it is.

    Raises:
        ImageError: For a file that cannot be read, NstError for one that is too small, OSError.
    """

    def made(picture: Image.Image) -> Image.Image:
        scaled = images.fit(picture, longest) if longest else picture
        return images.to_image(stylist(images.to_tensor(scaled)[None])[0])

    def frame(pixels: Pixels) -> Pixels:
        return np.asarray(made(Image.fromarray(pixels)))

    if _is_video(source):
        video.stylise_video(source, target, frame, progress)
    else:
        write_atomically(target, images.encode_png(made(images.read(source))))


def _is_video(source: Path) -> bool:
    """Return whether a file is a container of video, or is called one where it is nothing that is known."""
    try:
        with source.open("rb") as file:
            head = file.read(kinds.LOOK)
    except OSError:
        return False
    if kinds.is_picture(head):
        return False
    return video.is_container(source) or source.suffix.lower() in _VIDEO_NAMES
