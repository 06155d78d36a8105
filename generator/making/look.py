"""What a video looks like: shape, direction and colours of its frames, and frames as pixels and back.

FFmpeg's code points are those of ITU-T H.273.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from generator.files import colour
from generator.files.images import ImageError

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from typing_extensions import Buffer

Pixels = NDArray[np.uint8]

UNSPECIFIED = 2
_BT709, _SMPTE170M, _BT2020 = 1, 6, 9
# Primaries whose difference from sRGB's is invisible in a moving picture.
_NEAR_SRGB = (_BT709, UNSPECIFIED, 5, 6, 7)
# Matrices that FFmpeg's scaler writes, and the one that it reads besides.
_MATRICES = (1, 4, 5, 6, 7)
_MATRIX_NAMES = {
    8: "YCgCo",
    10: "BT.2020 with constant luminance",
    11: "Y'D'zD'x",
    14: "ICtCp",
    15: "IPT",
    16: "YCgCo-Re",
}
_HD_HEIGHT, _HD_WIDTH = 720, 1280


@dataclass(frozen=True)
class Look:
    """Properties of a video, from its first frame and its container.

    index: of the video stream. swaps, mirrors: how to turn a frame upright (swap rows and columns, then mirror from
    right to left, then from bottom to top). aspect: width of an upright pixel divided by its height. matrix,
    primaries, transfer: of the copy. guessed: matrix of the frames. is_foreign: whether pixels are converted to
    sRGB's primaries. is_interlaced: whether each frame holds two half pictures of different moments.
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
    is_interlaced: bool


def look_of(source: Path, frame: VideoFrame, video: VideoStream) -> Look:
    """Return the look of a video by its first frame. Raises ImageError for HDR, and for colours that cannot be converted."""
    _check_sdr(source, frame, video)
    found = _looked_at(frame, video)
    if found.guessed not in (*_MATRICES, _BT2020) and not frame.format.is_rgb:
        name = _MATRIX_NAMES.get(found.guessed, f"matrix {found.guessed} of H.273")
        raise ImageError(
            f"{source}: has colours by {name}, which cannot be converted; convert it to BT.709 first"
        )
    return found


def _check_sdr(source: Path, frame: VideoFrame, video: VideoStream) -> None:
    transfer = _stated(frame.color_trc, video.codec_context.color_trc)
    try:
        colour.of_code_points(UNSPECIFIED, transfer)
    except colour.ColourError as error:
        what = str(error).replace("picture", "video")
        raise ImageError(f"{source}: is {what}; convert it to standard range (SDR) first") from None
    is_dolby = any(frame.side_data.get(name) is not None for name in ("DOVI_METADATA", "DOVI_RPU_BUFFER"))
    if transfer == UNSPECIFIED and is_dolby:
        raise ImageError(f"{source}: is a Dolby Vision video; convert it to standard range (SDR) first")


def _stated(*values: int | None) -> int:
    """Return the first code point that is specified."""
    return next((int(value) for value in values if value not in (None, 0, UNSPECIFIED)), UNSPECIFIED)


def _looked_at(frame: VideoFrame, video: VideoStream) -> Look:
    context = video.codec_context
    is_hd = frame.height >= _HD_HEIGHT or frame.width >= _HD_WIDTH
    by_size = _BT709 if is_hd else _SMPTE170M
    guessed = _stated(frame.colorspace, context.colorspace)
    guessed = by_size if guessed == UNSPECIFIED else guessed
    primaries = _stated(frame.color_primaries, context.color_primaries)
    transfer = _stated(frame.color_trc, context.color_trc)
    matrix = guessed if guessed in _MATRICES else by_size
    if is_foreign := primaries not in _NEAR_SRGB:
        matrix = primaries = transfer = _BT709
    swaps, mirrors = _orientation(frame)
    aspect = Fraction(video.sample_aspect_ratio or context.sample_aspect_ratio or 1)
    return Look(
        index=video.index,
        swaps=swaps,
        mirrors=mirrors,
        aspect=1 / aspect if swaps else aspect,
        guessed=guessed,
        matrix=matrix,
        primaries=primaries,
        transfer=transfer,
        is_foreign=is_foreign,
        is_interlaced=bool(frame.interlaced_frame),
    )


def _orientation(frame: VideoFrame) -> tuple[bool, tuple[bool, bool]]:
    """Return how the display matrix turns a frame upright (ISO 14496-12, 8.3.2), to the nearest quarter turn."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return False, (False, False)
    a, b, _, c, d = np.frombuffer(memoryview(cast("Buffer", matrix)), np.int32)[:5].tolist()
    swaps = abs(b) + abs(c) > abs(a) + abs(d)
    return (True, (c < 0, b < 0)) if swaps else (False, (a < 0, d < 0))


def upright(frame: VideoFrame, look: Look) -> Pixels:
    """Return a frame's pixels H x W x 3 upright, in sRGB or nearly so."""
    if frame.colorspace in (0, UNSPECIFIED) and not frame.format.is_rgb:
        frame.colorspace = look.guessed
    pixels: Pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    if look.swaps:
        pixels = pixels.swapaxes(0, 1)
    across, down = look.mirrors
    pixels = np.ascontiguousarray(pixels[:: -1 if down else 1, :: -1 if across else 1])
    if look.is_foreign:
        pixels = colour.to_srgb(pixels, colour.of_code_points(frame.color_primaries, _BT709))
    return pixels


def framed(pixels: Pixels, encoder: VideoStream, look: Look) -> VideoFrame:
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


class Weaver:
    """Makes whole frames out of interlaced ones, by FFmpeg's filter bwdif. Other frames stay."""

    def __init__(self, video: VideoStream) -> None:
        import av

        self._graph = av.filter.Graph()
        nodes = (
            self._graph.add_buffer(template=video, time_base=video.time_base),
            self._graph.add("bwdif", "mode=send_frame:deint=interlaced"),
            self._graph.add("buffersink"),
        )
        for node, after in pairwise(nodes):
            node.link_to(after)
        self._graph.configure()

    def feed(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """Yield the frames that are complete once this one is known. None: there are no more."""
        import av

        self._graph.push(frame)
        while True:
            try:
                yield cast("VideoFrame", self._graph.pull())
            except (av.BlockingIOError, av.EOFError):
                return
