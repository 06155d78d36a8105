"""One-off use of a trained network: pictures and videos from files to files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from generator.files import images
from generator.files.images import ImageError
from generator.files.store import write_atomically

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from generator.nst.feedforward.network import Stylist

VIDEOS = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"}
# These players' container holds H.264 with the sound that comes in it; Matroska holds any.
_MP4 = {".mp4", ".m4v", ".mov"}
# H.264's constant rate factor; a stylised picture has much detail, and lower is better.
_QUALITY = "18"

# Frames done and frames in all (0 where the file does not tell).
Progress = Callable[[int, int], None]


def target_of(source: Path, network: Path, folder: Path) -> Path:
    """Return where the stylised copy of a picture or video goes."""
    suffix = source.suffix.lower()
    made = ".png" if suffix not in VIDEOS else ".mp4" if suffix in _MP4 else ".mkv"
    return folder / f"{source.stem}-{network.stem}{made}"


def stylise(
    source: Path, target: Path, stylist: Stylist, *, longest: int = 0, progress: Progress | None = None
) -> None:
    """Write the stylised copy of a picture, or of a video with its sound; a reader sees a whole file or none.

    longest: scale to this many px on the longest side first; 0: as it is. Raises ImageError for a file that cannot be
    read, NstError for one that is too small, OSError.
    """
    if source.suffix.lower() in VIDEOS:
        _stylise_video(source, target, stylist, longest, progress)
        return
    picture = images.read(source)
    if longest:
        picture = images.fit(picture, longest)
    made = images.to_image(stylist(images.to_tensor(picture)[None])[0])
    write_atomically(target, images.encode_png(made))


def _stylise_video(
    source: Path, target: Path, stylist: Stylist, longest: int, progress: Progress | None
) -> None:
    import av

    temporary = target.with_name(f".{target.name}.part{target.suffix}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _plain(source), av.open(str(source)) as opened:
            if not opened.streams.video:
                raise ImageError(f"{source}: holds no video")
            with av.open(str(temporary), "w") as made:
                _copy(opened, made, stylist, longest, progress)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _plain(source: Path) -> Iterator[None]:
    """Turn FFmpeg's complaints into an ImageError."""
    import av

    try:
        yield
    except FileNotFoundError:
        raise ImageError(f"{source}: no such file") from None
    except av.FFmpegError as error:
        raise ImageError(f"{source}: cannot be read or made as a video ({error.strerror})") from error


def _copy(
    opened: InputContainer, made: OutputContainer, stylist: Stylist, longest: int, progress: Progress | None
) -> None:
    """Copy the sound packet by packet and the video frame by frame, both with their own times."""
    video = opened.streams.video[0]
    sounds = {stream.index: made.add_stream_from_template(stream) for stream in opened.streams.audio}
    total = video.frames or int((video.duration or 0) * (video.time_base or 0) * (video.average_rate or 0))
    encoder: VideoStream | None = None
    done = 0
    for packet in opened.demux(video, *opened.streams.audio):
        if packet.stream.index in sounds:
            if packet.dts is not None:
                packet.stream = sounds[packet.stream.index]
                made.mux(packet)
            continue
        for frame in packet.decode():
            pixels = _stylised(frame, stylist, longest)  # type: ignore[arg-type]
            encoder = encoder or _encoder(made, video, pixels)
            made.mux(encoder.encode(_framed(pixels, frame)))
            done += 1
            if progress is not None:
                progress(done, total)
    if encoder is not None:
        made.mux(encoder.encode())


def _stylised(frame: VideoFrame, stylist: Stylist, longest: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return a frame upright and stylised, H×W×3; odd sides lose a row or column, as 4:2:0 asks for even ones."""
    from PIL import Image

    # Telephones store frames lying, with the turn (degrees counter-clockwise) beside them.
    upright = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
    picture = Image.fromarray(np.ascontiguousarray(upright))
    if longest:
        picture = images.fit(picture, longest)
    made = np.asarray(images.to_image(stylist(images.to_tensor(picture)[None])[0]))
    height, width = (side // 2 * 2 for side in made.shape[:2])
    return np.ascontiguousarray(made[:height, :width])


def _encoder(
    made: OutputContainer, video: VideoStream, pixels: np.ndarray[Any, np.dtype[np.uint8]]
) -> VideoStream:
    stream = made.add_stream("libx264", rate=video.average_rate, options={"crf": _QUALITY})
    stream.height, stream.width = pixels.shape[:2]
    stream.pix_fmt = "yuv420p"
    if video.time_base is not None:
        stream.time_base = stream.codec_context.time_base = video.time_base
    return stream


def _framed(pixels: np.ndarray[Any, np.dtype[np.uint8]], frame: Any) -> VideoFrame:
    import av

    made = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    made.pts, made.time_base = frame.pts, frame.time_base
    return made
