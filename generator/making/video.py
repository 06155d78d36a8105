"""Stylised videos: each frame is stylised, sound and subtitles are copied, colours and shape are kept.

FFmpeg's code points are those of ITU-T H.273.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from generator.files import colour
from generator.files.images import ImageError

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from typing_extensions import Buffer

log = logging.getLogger(__name__)
Pixels = NDArray[np.uint8]
# From a frame's pixels H x W x 3 in sRGB to the stylised pixels. Progress: frames done, frames in all (0: unknown).
Stylise = Callable[[Pixels], Pixels]
Progress = Callable[[int, int], None]

# Sound and subtitles that players support in MP4. With any other the copy is Matroska, which supports all.
_IN_MP4 = {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac", "mov_text"}
# The list is short on purpose: FFmpeg also plays text files, lists of other files, and pictures.
_FORMATS = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,dv,ivf,nut,rm,h264,hevc,mpegvideo,m4v,obu"
# H.264's constant rate factor; a stylised picture has much detail, and lower is better.
_QUALITY = "18"
_UNSPECIFIED, _BT709, _SMPTE170M = 2, 1, 6
# Primaries whose difference from sRGB's is invisible in a moving picture.
_NEAR_SRGB = (_BT709, _UNSPECIFIED, 5, 6, 7)
# Matrices that FFmpeg's scaler writes.
_MATRICES = (1, 4, 5, 6, 7)
_HD_HEIGHT, _HD_WIDTH = 720, 1280


@dataclass(frozen=True)
class _Look:
    """Properties of a video, from its first frame and its container.

    index: of the video stream. swaps, mirrors: how to turn a frame upright (swap rows and columns, then mirror from
    right to left, then from bottom to top). aspect: width of an upright pixel divided by its height. matrix,
    primaries, transfer: of the copy. guessed: matrix of the frames. is_foreign: whether pixels are converted to
    sRGB's primaries.
    """

    index: int
    swaps: bool
    mirrors: tuple[bool, bool]
    aspect: Fraction
    guessed: int
    matrix: int
    primaries: int
    transfer: int
    is_foreign: bool


def is_container(source: Path) -> bool:
    """Return whether a file is a container of video or sound, by its content."""
    import av

    try:
        with _open(source):
            return True
    except (av.FFmpegError, OSError):
        return False


def suffix_for(source: Path) -> str:
    """Return ".mp4" for MP4 and QuickTime files whose sound MP4 supports, else ".mkv"."""
    import av

    try:
        with _open(source) as opened:
            kept = {stream.codec_context.name for stream in _copied(opened) if stream.codec_context}
            return ".mp4" if "mp4" in opened.format.name and kept <= _IN_MP4 else ".mkv"
    except (av.FFmpegError, OSError):
        return ".mkv"  # refused later, when it is read


def stylise_video(source: Path, target: Path, stylise: Stylise, progress: Progress | None = None) -> None:
    """Write the stylised copy. It appears whole or not at all.

    Args:
        source: The video.
        target: Path of the copy.
        stylise: Stylises one frame.
        progress: Called with frames done and frames in all (0: unknown).

    Raises:
        ImageError: If the file has no video, is broken, or is in HDR.
    """
    import av

    temporary = target.with_name(f".{target.name}.part{target.suffix}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _plain(source):
            look = _look(source)
            with _open(source) as opened, av.open(str(temporary), "w") as made:
                _Copy(source, opened, made, look, stylise, progress).run()
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _open(source: Path) -> InputContainer:
    import av

    return av.open(str(source), options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"})


@contextmanager
def _plain(source: Path) -> Iterator[None]:
    """Convert errors of FFmpeg to ImageError."""
    import av

    try:
        yield
    except FileNotFoundError:
        raise ImageError(f"{source}: no such file") from None
    except av.FFmpegError as error:
        raise ImageError(
            f"{source}: cannot be read or written as a video ({error.strerror}); check that the file is complete"
        ) from error


def _video_of(opened: InputContainer) -> VideoStream | None:
    """Return the video stream that a player would show. A cover image does not count."""
    moving = [stream for stream in opened.streams.video if not _is_cover(stream)]
    best = opened.streams.best("video")
    return best if best in moving else moving[0] if moving else None


def _is_cover(stream: VideoStream) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _copied(opened: InputContainer) -> list[Any]:
    return [*opened.streams.audio, *opened.streams.subtitles]


def _look(source: Path) -> _Look:
    """Decode the first frame. Raises ImageError if there is none, or for HDR."""
    with _open(source) as opened:
        video = _video_of(opened)
        if video is None:
            raise ImageError(f"{source}: has no video")
        frame = next(opened.decode(video), None)
        if frame is None:
            raise ImageError(f"{source}: holds no frame that can be decoded")
        _check_sdr(source, frame, video)
        return _looked_at(frame, video)


def _check_sdr(source: Path, frame: VideoFrame, video: VideoStream) -> None:
    transfer = _stated(frame.color_trc, video.codec_context.color_trc)
    try:
        colour.of_code_points(_UNSPECIFIED, transfer)
    except colour.ColourError as error:
        what = str(error).replace("picture", "video")
        raise ImageError(f"{source}: is {what}; convert it to standard range (SDR) first") from None
    is_dolby = any(frame.side_data.get(name) is not None for name in ("DOVI_METADATA", "DOVI_RPU_BUFFER"))
    if transfer == _UNSPECIFIED and is_dolby:
        raise ImageError(f"{source}: is a Dolby Vision video; convert it to standard range (SDR) first")


def _stated(*values: int | None) -> int:
    """Return the first code point that is specified."""
    return next((int(value) for value in values if value not in (None, 0, _UNSPECIFIED)), _UNSPECIFIED)


def _looked_at(frame: VideoFrame, video: VideoStream) -> _Look:
    context = video.codec_context
    is_hd = frame.height >= _HD_HEIGHT or frame.width >= _HD_WIDTH
    by_size = _BT709 if is_hd else _SMPTE170M
    guessed = _stated(frame.colorspace, context.colorspace)
    guessed = by_size if guessed == _UNSPECIFIED else guessed
    primaries = _stated(frame.color_primaries, context.color_primaries)
    transfer = _stated(frame.color_trc, context.color_trc)
    matrix = guessed if guessed in _MATRICES else by_size
    if is_foreign := primaries not in _NEAR_SRGB:
        matrix = primaries = transfer = _BT709
    swaps, mirrors = _orientation(frame)
    aspect = Fraction(video.sample_aspect_ratio or context.sample_aspect_ratio or 1)
    return _Look(
        index=video.index,
        swaps=swaps,
        mirrors=mirrors,
        aspect=1 / aspect if swaps else aspect,
        guessed=guessed,
        matrix=matrix,
        primaries=primaries,
        transfer=transfer,
        is_foreign=is_foreign,
    )


def _orientation(frame: VideoFrame) -> tuple[bool, tuple[bool, bool]]:
    """Return how the display matrix turns a frame upright (ISO 14496-12, 8.3.2), to the nearest quarter turn."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return False, (False, False)
    a, b, _, c, d = np.frombuffer(memoryview(cast("Buffer", matrix)), np.int32)[:5].tolist()
    swaps = abs(b) + abs(c) > abs(a) + abs(d)
    return (True, (c < 0, b < 0)) if swaps else (False, (a < 0, d < 0))


class _Copy:
    """The copying of one video."""

    def __init__(
        self,
        source: Path,
        opened: InputContainer,
        made: OutputContainer,
        look: _Look,
        stylise: Stylise,
        progress: Progress | None,
    ) -> None:
        self._source, self._opened, self._made = source, opened, made
        self._look, self._stylise, self._progress = look, stylise, progress
        self._video: VideoStream = opened.streams[look.index]  # type: ignore[assignment]
        self._encoder: VideoStream | None = None
        self._outs: dict[int, Any] = {}
        self._waiting: list[Packet[Any]] = []
        self._last_pts: int | None = None
        self._done = self._damaged = 0
        # Transport streams start at any time. Negative times, from encoders' delay, stay.
        start = max(0, opened.start_time or 0)
        self._start = Fraction(start, 1_000_000)

    def run(self) -> None:
        """Copy everything. Packets before the first frame wait until its size is known."""
        kept = [stream for stream in _copied(self._opened) if self._fits(stream)]
        total = self._video.frames or _estimate(self._video)
        for packet in self._opened.demux(self._video, *kept):
            if packet.stream.index != self._look.index:
                self._pass_on(packet)
                continue
            for frame in self._decoded(packet):
                self._frame(frame, kept)
                if self._progress is not None:
                    self._progress(self._done, total)
        if self._encoder is None:
            raise ImageError(f"{self._source}: holds no frame that can be decoded")
        self._made.mux(self._encoder.encode())
        self._complain()

    def _decoded(self, packet: Packet[Any]) -> list[VideoFrame]:
        """Return a packet's frames. A damaged packet has none; players skip it, too."""
        import av

        try:
            return list(packet.decode())
        except av.error.InvalidDataError:
            self._damaged += 1
            return []

    def _complain(self) -> None:
        """Log what the copy lacks."""
        if self._damaged:
            log.warning("%s: is damaged; %d of its frames cannot be decoded", self._source, self._damaged)
        elif self._done < self._video.frames - 1:
            log.warning(
                "%s: is cut short; %d of its %d frames were found",
                self._source,
                self._done,
                self._video.frames,
            )

    def _fits(self, stream: Any) -> bool:
        """Return whether the copy's container supports a stream; log it if not."""
        context = stream.codec_context
        if context is not None and context.name in self._made.supported_codecs:
            return True
        kind = "sound" if stream.type == "audio" else f"{stream.type} track"
        log.warning(
            "%s: its %s %d is of an unsupported kind and is not copied", self._source, kind, stream.index
        )
        return False

    def _frame(self, frame: VideoFrame, kept: list[Any]) -> None:
        pixels = self._stylise(_upright(frame, self._look))
        height, width = (side // 2 * 2 for side in pixels.shape[:2])
        if self._encoder is None:
            self._encoder = self._new_encoder(width, height)
            for stream in kept:
                self._outs[stream.index] = self._new_track(stream)
        made = _framed(np.ascontiguousarray(pixels[:height, :width]), self._encoder, self._look)
        made.time_base = self._video.time_base
        made.pts = self._pts(frame)
        if frame.duration:
            made.duration = frame.duration
        self._made.mux(self._encoder.encode(made))
        self._done += 1
        for packet in self._waiting:
            self._pass_on(packet)
        self._waiting.clear()

    def _new_encoder(self, width: int, height: int) -> VideoStream:
        video, look = self._video, self._look
        rate = video.average_rate or video.guessed_rate or Fraction(25)
        stream = self._made.add_stream("libx264", rate=rate, options={"crf": _QUALITY})
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.sample_aspect_ratio = look.aspect
        context.colorspace, context.color_primaries = look.matrix, look.primaries
        context.color_trc, context.color_range = look.transfer, 1
        if video.time_base:
            stream.time_base = context.time_base = video.time_base
        stream.metadata.update(
            {key: text for key, text in video.metadata.items() if key in ("language", "title")}
        )
        return stream

    def _new_track(self, stream: Any) -> Any:
        made = self._made.add_stream_from_template(stream)
        made.disposition = stream.disposition
        made.metadata.update(
            {key: text for key, text in stream.metadata.items() if key in ("language", "title")}
        )
        return made

    def _pass_on(self, packet: Packet[Any]) -> None:
        """Copy a packet of sound or subtitles with its times."""
        if packet.dts is None and packet.pts is None:
            return  # the empty packet that ends a stream
        if self._encoder is None:
            self._waiting.append(packet)
            return
        shift = self._shift(packet.time_base)
        packet.pts = (packet.dts if packet.pts is None else packet.pts) - shift  # type: ignore[operator]
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        packet.stream = self._outs[packet.stream.index]
        self._made.mux(packet)

    def _shift(self, time_base: Fraction | None) -> int:
        return round(self._start / time_base) if time_base else 0

    def _pts(self, frame: VideoFrame) -> int:
        """Return a frame's time, later than that of the last frame. Without a time in the file, use its rate."""
        base = self._video.time_base or Fraction(1, 25)
        step = max(1, round(1 / ((self._video.average_rate or Fraction(25)) * base)))
        after = 0 if self._last_pts is None else self._last_pts + (1 if frame.pts is not None else step)
        pts = after if frame.pts is None else frame.pts - self._shift(base)
        self._last_pts = pts if self._last_pts is None else max(pts, after)
        return self._last_pts


def _estimate(video: VideoStream) -> int:
    return int((video.duration or 0) * (video.time_base or 0) * (video.average_rate or 0))


def _upright(frame: VideoFrame, look: _Look) -> Pixels:
    """Return a frame's pixels H x W x 3 upright, in sRGB or nearly so."""
    if frame.colorspace in (0, _UNSPECIFIED) and not frame.format.is_rgb:
        frame.colorspace = look.guessed
    pixels: Pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    if look.swaps:
        pixels = pixels.swapaxes(0, 1)
    across, down = look.mirrors
    pixels = np.ascontiguousarray(pixels[:: -1 if down else 1, :: -1 if across else 1])
    if look.is_foreign:
        pixels = colour.to_srgb(pixels, colour.of_code_points(frame.color_primaries, _BT709))
    return pixels


def _framed(pixels: Pixels, encoder: VideoStream, look: _Look) -> VideoFrame:
    import av

    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
        width=encoder.codec_context.width,
        height=encoder.codec_context.height,
        format="yuv420p",
        # FFmpeg's scaler has a single number for 601.
        dst_colorspace=5 if look.matrix == _SMPTE170M else look.matrix,
        dst_color_range=1,
    )
    frame.colorspace, frame.color_range = look.matrix, 1
    frame.color_primaries, frame.color_trc = look.primaries, look.transfer
    return frame
