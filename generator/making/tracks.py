"""Sound and subtitles of a video's copy: as they are, or as FLAC where Matroska's writer does not take the sound."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet

log = logging.getLogger(__name__)


class Track(Protocol):
    """One track on its way into the copy."""

    def send(self, packet: Packet[Any], start: Fraction) -> None:
        """Take a packet of the source. start: the source's first time in seconds, which is subtracted."""

    def finish(self) -> None:
        """Write what is left."""


def track_of(source: Path, made: OutputContainer, stream: Any) -> Track | None:
    """Return the track of the copy for a stream of sound or subtitles; None, and a line in the log, if there can be none."""
    context = stream.codec_context
    if context is not None and context.name in made.supported_codecs:
        return _Copied(made, stream)
    if context is not None and stream.type == "audio" and context.sample_rate:
        return _Encoded(made, stream)
    kind = "sound" if stream.type == "audio" else f"{stream.type} track"
    log.warning("%s: its %s %d is of an unsupported kind and is not copied", source, kind, stream.index)
    return None


def _described(made: Any, stream: Any) -> Any:
    made.disposition = stream.disposition
    made.metadata.update({key: text for key, text in stream.metadata.items() if key in ("language", "title")})
    return made


def _ticks(seconds: Fraction, time_base: Fraction | None) -> int:
    return round(seconds / time_base) if time_base else 0


class _Copied:
    def __init__(self, made: OutputContainer, stream: Any) -> None:
        self._made = made
        self._out = _described(made.add_stream_from_template(stream), stream)

    def send(self, packet: Packet[Any], start: Fraction) -> None:
        shift = _ticks(start, packet.time_base)
        packet.pts = (packet.dts if packet.pts is None else packet.pts) - shift  # type: ignore[operator]
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        packet.stream = self._out
        self._made.mux(packet)

    def finish(self) -> None:
        """Packets are written as they come."""


class _Encoded:
    def __init__(self, made: OutputContainer, stream: Any) -> None:
        self._made = made
        context = stream.codec_context
        self._out = _described(
            made.add_stream("flac", rate=context.sample_rate, layout=context.layout, format="s16"), stream
        )

    def send(self, packet: Packet[Any], start: Fraction) -> None:
        for frame in packet.decode():
            if frame.pts is not None:
                frame.pts -= _ticks(start, frame.time_base)
            self._made.mux(self._out.encode(frame))

    def finish(self) -> None:
        self._made.mux(self._out.encode())
