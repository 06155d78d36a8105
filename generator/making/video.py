"""Stylised videos: each frame is stylised; sound, subtitles and chapters are copied, colours and shape are kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from generator.files.images import ImageError
from generator.making.look import Look, Pixels, Weaver, framed, look_of, upright
from generator.making.tracks import Track, track_of

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

log = logging.getLogger(__name__)
# From a frame's pixels H x W x 3 in sRGB to the stylised pixels. Progress: frames done, frames in all (0: unknown).
Stylise = Callable[[Pixels], Pixels]
Progress = Callable[[int, int], None]

# Sound and subtitles that players support in MP4. With any other the copy is Matroska, which supports all.
_IN_MP4 = {"aac", "mp3", "mp3float", "ac3", "eac3", "alac", "opus", "flac", "mov_text"}
# The list is short on purpose: FFmpeg also plays text files, lists of other files, and pictures.
_FORMATS = (
    "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,dv,ivf,nut,rm,h264,hevc,mpegvideo,m4v,obu,yuv4mpegpipe"
)
# H.264's constant rate factor; a stylised picture has much detail, and lower is better.
_QUALITY = "18"
# A copy that ends so many seconds before its source says so.
_EARLY = 0.25


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
    moving = _moving(opened)
    best = opened.streams.best("video")
    return best if best in moving else moving[0] if moving else None


def _moving(opened: InputContainer) -> list[VideoStream]:
    return [stream for stream in opened.streams.video if not _is_cover(stream)]


def _is_cover(stream: VideoStream) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _copied(opened: InputContainer) -> list[Any]:
    return [*opened.streams.audio, *opened.streams.subtitles]


def _look(source: Path) -> Look:
    """Decode the first frame. Raises ImageError if there is none, or if its colours cannot be converted."""
    with _open(source) as opened:
        video = _video_of(opened)
        if video is None:
            raise ImageError(f"{source}: has no video")
        frame = next(opened.decode(video), None)
        if frame is None:
            raise ImageError(f"{source}: holds no frame that can be decoded")
        return look_of(source, frame, video)


class _Copy:
    """The copying of one video."""

    def __init__(
        self,
        source: Path,
        opened: InputContainer,
        made: OutputContainer,
        look: Look,
        stylise: Stylise,
        progress: Progress | None,
    ) -> None:
        self._source, self._opened, self._made = source, opened, made
        self._look, self._stylise, self._progress = look, stylise, progress
        self._video: VideoStream = opened.streams[look.index]  # type: ignore[assignment]
        self._weaver = Weaver(self._video) if look.is_interlaced else None
        self._encoder: VideoStream | None = None
        self._tracks: dict[int, Track | None] = {}
        self._waiting: list[Packet[Any]] = []
        self._latest: VideoFrame | None = None
        self._last_pts: int | None = None
        self._done = self._damaged = self._damaged_sound = 0
        self._end = Fraction(0)
        # Transport streams start at any time. Negative times, from encoders' delay, stay.
        start = max(0, opened.start_time or 0)
        self._start = Fraction(start, 1_000_000)

    def run(self) -> None:
        """Copy everything. Packets before the first frame wait until its size is known."""
        kept = _copied(self._opened)
        total = self._video.frames or _estimate(self._video)
        self._announce()
        for packet in self._opened.demux(self._video, *kept):
            if packet.stream.index != self._look.index:
                self._pass_on(packet)
                continue
            for frame in self._decoded(packet):
                self._frame(frame)
                if self._progress is not None:
                    self._progress(self._done, total)
        for frame in self._weaver.feed(None) if self._weaver else ():
            self._frame(frame)
        if self._encoder is None:
            raise ImageError(f"{self._source}: holds no frame that can be decoded")
        self._made.mux(self._encoder.encode())
        for track in self._tracks.values():
            if track is not None:
                track.finish()
        self._complain()

    def _announce(self) -> None:
        """Log what the copy has otherwise than the source."""
        videos = _moving(self._opened)
        if len(videos) > 1:
            log.warning(
                "%s: has %d videos; only the one that players show is stylised", self._source, len(videos)
            )
        if self._weaver is not None:
            log.warning("%s: is interlaced; its half pictures are made into whole ones", self._source)

    def _decoded(self, packet: Packet[Any]) -> Iterator[VideoFrame]:
        """Yield a packet's frames. A damaged packet has none; players skip it, too."""
        import av

        if not packet.size and packet.pts is not None:
            if self._latest is not None:  # Theora: the frame before stays
                self._latest.pts = packet.pts
                yield self._latest
            return
        try:
            frames = list(packet.decode())
        except av.error.InvalidDataError:
            self._damaged += 1
            return
        for frame in frames:
            self._latest = frame
            yield from self._weaver.feed(frame) if self._weaver else (frame,)

    def _complain(self) -> None:
        """Log what the copy lacks."""
        if self._damaged_sound:
            log.warning("%s: is damaged; %d parts of its sound are lost", self._source, self._damaged_sound)
        if self._damaged:
            log.warning("%s: is damaged; %d of its frames cannot be decoded", self._source, self._damaged)
            return
        stated = Fraction(self._opened.duration or 0, 1_000_000) + Fraction(
            self._opened.start_time or 0, 1_000_000
        )
        missing = stated - self._end
        frame = 1 / (self._video.average_rate or Fraction(25))
        # Frames before the start of an edit list, and those that an AVI leaves out, are not missing.
        is_short = self._done < self._video.frames - 1 and missing > frame / 2
        if is_short or missing > max(Fraction(_EARLY), 2 * frame):
            log.warning(
                "%s: is cut short; it ends at %.2f s of %.2f s", self._source, float(self._end), float(stated)
            )

    def _frame(self, frame: VideoFrame) -> None:
        pixels = self._stylise(upright(frame, self._look))
        height, width = (side // 2 * 2 for side in pixels.shape[:2])
        if self._encoder is None:
            self._encoder = self._new_encoder(frame, width, height)
            for stream in _copied(self._opened):
                self._tracks[stream.index] = track_of(self._source, self._made, stream)
            self._copy_chapters()
        made = framed(np.ascontiguousarray(pixels[:height, :width]), self._encoder, self._look)
        made.time_base = self._video.time_base
        base = frame.time_base or self._video.time_base or Fraction(1, 25)
        scale = base / (self._video.time_base or base)  # 1, or 1/2 after the weaver
        made.pts = self._pts(frame, scale)
        if frame.duration:
            made.duration = max(1, round(frame.duration * scale))
        if frame.pts is not None:
            self._end = max(self._end, (frame.pts + (frame.duration or 0)) * base)
        self._made.mux(self._encoder.encode(made))
        self._done += 1
        for packet in self._waiting:
            self._pass_on(packet)
        self._waiting.clear()

    def _new_encoder(self, frame: VideoFrame, width: int, height: int) -> VideoStream:
        video, look = self._video, self._look
        stream = self._made.add_stream("libx264", rate=self._rate(frame), options={"crf": _QUALITY})
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

    def _rate(self, frame: VideoFrame) -> Fraction:
        """Return the frames per second. A bare stream of frames, without times, says it in the first frame alone."""
        if frame.pts is None and frame.duration and frame.time_base:
            return 1 / (frame.duration * frame.time_base)
        return self._video.average_rate or self._video.guessed_rate or Fraction(25)

    def _copy_chapters(self) -> None:
        chapters = self._opened.chapters()
        for chapter in chapters:
            shift = round(self._start / (chapter["time_base"] or Fraction(1, 1000)))
            chapter["start"], chapter["end"] = (max(0, chapter[name] - shift) for name in ("start", "end"))
        if chapters:
            self._made.set_chapters(chapters)

    def _pass_on(self, packet: Packet[Any]) -> None:
        """Copy a packet of sound or subtitles with its times."""
        import av

        if packet.dts is None and packet.pts is None:
            return  # the empty packet that ends a stream
        if self._encoder is None:
            self._waiting.append(packet)
            return
        track = self._tracks[packet.stream.index]
        if track is None:
            return
        if packet.pts is not None and packet.time_base:
            self._end = max(self._end, (packet.pts + (packet.duration or 0)) * packet.time_base)
        try:
            track.send(packet, self._start)
        except av.error.InvalidDataError:
            self._damaged_sound += 1

    def _pts(self, frame: VideoFrame, scale: Fraction) -> int:
        """Return a frame's time, later than that of the last frame. Without a time in the file, use its rate."""
        base = self._video.time_base or Fraction(1, 25)
        step = max(1, round(1 / (self._rate(frame) * base)))
        after = 0 if self._last_pts is None else self._last_pts + (1 if frame.pts is not None else step)
        pts = after if frame.pts is None else round(frame.pts * scale) - round(self._start / base)
        self._last_pts = pts if self._last_pts is None else max(pts, after)
        return self._last_pts


def _estimate(video: VideoStream) -> int:
    return int((video.duration or 0) * (video.time_base or 0) * (video.average_rate or 0))
