"""Use of a trained network on pictures and videos in files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from generator.files import images, kinds
from generator.files.images import ImageError
from generator.files.store import write_atomically
from generator.making import video
from generator.making.look import Pixels
from generator.making.video import Progress

if TYPE_CHECKING:
    from generator.nst.feedforward.network import Stylist

# If the content does not show what a file is, its name decides.
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
    """Return the path of the stylised copy of a picture or video. Its suffix depends on the source's content."""
    made = video.suffix_for(source) if _is_video(source) else ".png"
    return folder / f"{source.stem}-{network.stem}{made}"


def stylise(
    source: Path, target: Path, stylist: Stylist, *, longest: int = 0, progress: Progress | None = None
) -> None:
    """Write the stylised copy of a picture, or of a video with its sound. It appears whole or not at all.

    Args:
        source: The picture or video.
        target: Path of the copy.
        stylist: The network.
        longest: Scale to this many px on the longest side first; 0 keeps the size.
        progress: Called with frames done and frames in all.

    Raises:
        ImageError: If the file cannot be read.
        NstError: If it is too small.
        OSError: If the copy cannot be written.
    """

    def made(picture: Image.Image) -> Image.Image:
        scaled = images.fit(picture, longest) if longest else picture
        return images.to_image(stylist(images.to_tensor(scaled)[None])[0])

    def frame(pixels: Pixels) -> Pixels:
        return np.asarray(made(Image.fromarray(pixels)))

    if _is_video(source):
        _check_is_video(source)
        video.stylise_video(source, target, frame, progress)
        return
    try:
        picture = images.read(source)
    except images.SeveralFramesError as error:
        raise ImageError(f"{error}, or an animation as an MP4 video") from None
    write_atomically(target, images.encode_png(made(picture)))


def _check_is_video(source: Path) -> None:
    """Raise ImageError if a file that is called a video is something else."""
    what = kinds.in_words(_head(source))
    if what and "video" not in what and not video.is_container(source):
        raise ImageError(f"{source}: is no video ({what}); fetch or save the video itself")


def _is_video(source: Path) -> bool:
    """Return whether a file is a container of video, by its content or, if that is unknown, by its name."""
    head = _head(source)
    if not source.is_file() or kinds.is_picture(head):
        return False
    return video.is_container(source) or source.suffix.lower() in _VIDEO_NAMES


def _head(source: Path) -> bytes:
    try:
        with source.open("rb") as file:
            return file.read(kinds.LOOK)
    except OSError:
        return b""
