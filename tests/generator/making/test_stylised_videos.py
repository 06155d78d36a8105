"""A stylised video is the source in everything but its strokes: sound, times, shape, colours, tracks."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
from PIL import Image

from generator.files import colour
from generator.files.images import ImageError
from generator.making.stylise import stylise, target_of
from generator.nst.feedforward.network import Stylist

RATE, FRAMES, WIDTH, HEIGHT = 10, 12, 64, 48
# The network that changes nothing: what is left are the faults of reading and writing.
SAME = cast("Stylist", lambda batch: batch)


def pixels(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A bright red left top corner, a green right top one, the rest dark and growing lighter."""
    frame = np.full((height, width, 3), 20 + 3 * number, np.uint8)
    frame[: height // 2, : width // 2] = (200, 30, 30)
    frame[: height // 2, width // 2 :] = (30, 160, 30)
    return frame


def clip(
    path: Path,
    *,
    codec: str = "libx264",
    sounds: Sequence[str] = ("aac",),
    size: tuple[int, int] = (WIDTH, HEIGHT),
    tags: tuple[int, int, int, int] = (6, 2, 2, 1),
    times: Sequence[int] = (),
    aspect: Fraction = Fraction(1),
    pix_fmt: str = "yuv420p",
) -> Path:
    """A clip like a camera's: sound first, B-frames, an edit list. tags: matrix, primaries, transfer, range."""
    with av.open(str(path), "w") as made:
        video: Any = made.add_stream(codec, rate=RATE, options={"bf": "2"} if codec == "libx264" else {})
        context: Any = video.codec_context
        context.width, context.height = size
        context.pix_fmt, context.sample_aspect_ratio = pix_fmt, aspect
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = tags
        context.time_base = Fraction(1, 1000)
        tracks: list[Any] = [made.add_stream(name, rate=48000, layout="mono") for name in sounds]
        for track, language in zip(tracks, ("eng", "deu"), strict=False):
            track.metadata["language"] = language
        for number, track in enumerate(tracks):
            samples = np.sin(np.arange(48000 * FRAMES // RATE) / (20 + number)).astype(np.float32)[None]
            tone = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            tone.sample_rate = 48000
            resampler = av.AudioResampler(track.format, "mono", 48000, track.codec_context.frame_size or None)
            for part in [*resampler.resample(tone), *resampler.resample(None)]:
                made.mux(track.encode(part))
            made.mux(track.encode())
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(pixels(number, *size), format="rgb24").reformat(
                format=pix_fmt, dst_colorspace=5 if tags[0] != 1 else 1, dst_color_range=tags[3]
            )
            frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range = tags
            frame.pts, frame.time_base = times[number] if times else number * 100, Fraction(1, 1000)
            made.mux(video.encode(frame))
        made.mux(video.encode())
    return path


def turned(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Write a display matrix into the track's header (ISO 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 40
    data[place : place + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def made_of(source: Path) -> Path:
    target = target_of(source, Path("wave.safetensors"), source.parent / "out")
    stylise(source, target, SAME)
    assert not list(target.parent.glob(".*"))
    return target


def frames(path: Path) -> list[Any]:
    with av.open(str(path)) as opened:
        return list(opened.decode(opened.streams.best("video")))


def first(path: Path) -> np.ndarray:
    return np.asarray(frames(path)[0].to_ndarray(format="rgb24")).astype(int)


def packets(path: Path, number: int = 0) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as opened:
        return [
            (round(float(packet.pts * packet.time_base), 2), bytes(packet))
            for packet in opened.demux(opened.streams.audio[number])
            if packet.pts is not None
        ]


def refusal(source: Path) -> str:
    out = source.parent / "out"
    with pytest.raises(ImageError) as caught:
        stylise(source, target_of(source, Path("wave.safetensors"), out), SAME)
    assert not out.exists() or not list(out.iterdir())
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "codec", "sound", "suffix"),
    [
        ("a.mp4", "libx264", "aac", ".mp4"),
        ("b.mov", "libx264", "aac", ".mp4"),
        ("c.mov", "libx264", "pcm_s16le", ".mkv"),
        ("d.webm", "libvpx", "libopus", ".mkv"),
        ("e.mkv", "libx264", "ac3", ".mkv"),
        ("f.ts", "libx264", "aac", ".mkv"),
        ("g.avi", "mpeg4", "mp2", ".mkv"),
    ],
)
def test_frames_and_sound_of_any_container_keep_their_times(
    tmp_path: Path, name: str, codec: str, sound: str, suffix: str
) -> None:
    source = clip(tmp_path / name, codec=codec, sounds=[sound])
    target = made_of(source)
    assert target.suffix == suffix
    old, new = frames(source), frames(target)
    start = old[0].time if name.endswith(".ts") else 0
    assert [frame.time for frame in new] == pytest.approx([frame.time - start for frame in old], abs=2e-3)
    assert len(packets(target)) == len(packets(source)) > 5


def test_the_sound_is_copied_not_encoded_again(tmp_path: Path) -> None:
    source = clip(tmp_path / "clip.mp4")
    assert packets(made_of(source)) == packets(source)


def test_content_decides_and_not_the_name(tmp_path: Path) -> None:
    for name in ("holiday", "holiday.jpg"):
        clip(tmp_path / "clip.mp4").rename(tmp_path / name)
        assert made_of(tmp_path / name).suffix == ".mp4"
        (tmp_path / "out" / "holiday-wave.mp4").unlink()


@pytest.mark.parametrize("matrix", [(1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1)])
def test_a_mirrored_video_is_mirrored(tmp_path: Path, matrix: tuple[int, int, int, int]) -> None:
    made = first(made_of(turned(clip(tmp_path / "clip.mp4"), *matrix)))
    expected = pixels(0)[:: matrix[3], :: matrix[0]]
    assert np.abs(made - expected).mean() < 6


@pytest.mark.parametrize(
    ("matrix", "upright"),
    [
        ((0, 1, -1, 0), lambda frame: np.rot90(frame, -1)),
        ((0, -1, 1, 0), np.rot90),
        ((0, 1, 1, 0), lambda frame: frame.swapaxes(0, 1)),
        ((0, -1, -1, 0), lambda frame: np.rot90(frame, 2).swapaxes(0, 1)),
    ],
)
def test_a_turned_video_stands_upright(tmp_path: Path, matrix: tuple[int, ...], upright: Any) -> None:
    made = first(made_of(turned(clip(tmp_path / "clip.mp4"), *matrix)))
    assert made.shape == (WIDTH, HEIGHT, 3)
    assert np.abs(made - upright(pixels(0))).mean() < 6


def test_pixels_that_are_not_square_keep_the_pictures_shape(tmp_path: Path) -> None:
    wide = clip(tmp_path / "wide.mp4", aspect=Fraction(4, 3))
    with av.open(str(made_of(wide))) as made:
        assert made.streams.video[0].display_aspect_ratio == Fraction(16, 9)
    with av.open(
        str(made_of(turned(clip(tmp_path / "tall.mp4", aspect=Fraction(4, 3)), 0, 1, -1, 0)))
    ) as made:
        assert made.streams.video[0].display_aspect_ratio == Fraction(9, 16)


@pytest.mark.parametrize("tags", [(1, 1, 1, 1), (6, 6, 6, 1), (1, 1, 1, 2), (5, 5, 6, 1)])
def test_colours_are_the_sources_and_tagged(tmp_path: Path, tags: tuple[int, int, int, int]) -> None:
    (frame, *_) = frames(made_of(clip(tmp_path / "clip.mp4", tags=tags)))
    assert (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range) == (*tags[:3], 1)
    assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - pixels(0)).mean() < 6


def test_a_video_without_tags_gets_the_matrix_that_players_take(tmp_path: Path) -> None:
    untagged = (2, 2, 2, 0)
    small = frames(made_of(clip(tmp_path / "small.mp4", tags=untagged)))[0]
    large = frames(made_of(clip(tmp_path / "large.mp4", tags=untagged, size=(1280, 64), sounds=[])))[0]
    assert (small.colorspace, large.colorspace) == (6, 1)


def test_wide_colours_are_converted(tmp_path: Path) -> None:
    source = clip(tmp_path / "p3.mp4", tags=(1, 12, 1, 1))
    (frame, *_) = frames(made_of(source))
    assert (frame.colorspace, frame.color_primaries, frame.color_trc) == (1, 1, 1)
    expected = colour.to_srgb(pixels(0), colour.of_code_points(12, 1)).astype(int)
    assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - expected).mean() < 6


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_refused_by_name(tmp_path: Path, transfer: int, name: str) -> None:
    source = clip(tmp_path / "hdr.mp4", tags=(1, 9, transfer, 1))
    assert f"hdr.mp4: is an HDR video, {name}" in refusal(source)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_frames_at_uneven_times_stay_there(tmp_path: Path, suffix: str) -> None:
    times = [0, 40, 50, 400, 410, 420, 900, 1300, 1310, 2000, 2040, 3000]
    made = frames(made_of(clip(tmp_path / f"uneven.{suffix}", times=times)))
    assert [frame.time for frame in made] == pytest.approx([time / 1000 for time in times], abs=2e-3)


def test_every_sound_track_is_kept_with_its_language(tmp_path: Path) -> None:
    source = clip(tmp_path / "two.mp4", sounds=["aac", "aac"])
    with av.open(str(target := made_of(source))) as made:
        assert [track.language for track in made.streams.audio] == ["eng", "deu"]
    assert [packets(target, n) for n in (0, 1)] == [packets(source, n) for n in (0, 1)]


def remuxed(path: Path, clips: Sequence[Path], **options: str) -> Path:
    """One file of all tracks of several."""
    with av.open(str(path), "w", options=options) as made:
        opened = [av.open(str(each)) for each in clips]
        tracks = [{s.index: made.add_stream_from_template(s) for s in each.streams} for each in opened]
        for each, track in zip(opened, tracks, strict=True):
            for packet in each.demux():
                if packet.dts is not None:
                    packet.stream = track[packet.stream.index]
                    made.mux(packet)
            each.close()
    return path


def test_subtitles_are_kept(tmp_path: Path) -> None:
    (tmp_path / "words.srt").write_text("1\n00:00:00,100 --> 00:00:00,900\nGood morning\n\n")
    source = remuxed(tmp_path / "told.mkv", [clip(tmp_path / "clip.mp4"), tmp_path / "words.srt"])
    with av.open(str(made_of(source))) as made:
        texts = [bytes(packet) for packet in made.demux(made.streams.subtitles[0]) if packet.size]
    assert texts == [b"Good morning"]


def test_chapters_are_kept(tmp_path: Path) -> None:
    source = tmp_path / "told.mkv"
    with av.open(str(source), "w") as made, av.open(str(clip(tmp_path / "clip.mp4", sounds=[]))) as opened:
        track = made.add_stream_from_template(opened.streams.video[0])
        chapter: Any = {
            "id": 1,
            "start": 200,
            "end": 900,
            "time_base": Fraction(1, 1000),
            "metadata": {"title": "Sea"},
        }
        made.set_chapters([chapter])
        for packet in opened.demux(video=0):
            if packet.dts is not None:
                packet.stream = track
                made.mux(packet)
    with av.open(str(made_of(source))) as copy:
        (kept,) = copy.chapters()
        times = [kept[name] * kept["time_base"] for name in ("start", "end")]
        assert ([float(time) for time in times], kept["metadata"]["title"]) == ([0.2, 0.9], "Sea")


def test_sound_that_matroska_does_not_take_becomes_flac(tmp_path: Path, caplog) -> None:
    source = clip(tmp_path / "old.mov", sounds=["pcm_mulaw"])
    target = made_of(source)
    samples = []
    for path in (source, target):
        with av.open(str(path)) as opened:
            (stream,) = opened.streams.audio
            resampler = av.AudioResampler("s16", "mono", 48000)
            heard = [
                part.to_ndarray()[0] for frame in opened.decode(stream) for part in resampler.resample(frame)
            ]
            samples.append((stream.codec_context.name, np.concatenate(heard)))
    (_, old), (name, new) = samples
    assert (target.suffix, name) == (".mkv", "flac")
    assert np.array_equal(old, new)
    assert not caplog.text


def test_an_empty_packet_shows_the_frame_before_again(tmp_path: Path, caplog) -> None:
    """As Theora writes a picture that does not change."""
    source = tmp_path / "still.nut"
    with av.open(str(source), "w") as made:
        video: Any = made.add_stream("ffv1", rate=RATE)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for packet in video.encode(av.VideoFrame.from_ndarray(pixels(0), format="rgb24")):
            made.mux(packet)
        for number in (1, 2):
            empty = av.Packet(b"")
            empty.stream, empty.time_base = video, Fraction(1, RATE)
            empty.pts = empty.dts = number
            made.mux(empty)
        made.mux(video.encode())
    assert [frame.time for frame in frames(made_of(source))] == pytest.approx([0, 0.1, 0.2], abs=2e-3)
    assert not caplog.text


def test_half_pictures_are_made_into_whole_ones(tmp_path: Path, caplog) -> None:
    source = tmp_path / "woven.mkv"
    with av.open(str(source), "w") as made:
        video: Any = made.add_stream(
            "libx264", rate=RATE, options={"flags": "+ildct+ilme", "x264-params": "tff=1"}
        )
        context: Any = video.codec_context
        context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(FRAMES):
            # A bright bar that moves 8 pixels from one half picture to the next.
            woven = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            for field in (0, 1):
                left = 4 * number + 8 * field
                woven[field::2, left : left + 8] = 255
            frame = av.VideoFrame.from_ndarray(woven, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            made.mux(video.encode(frame))
        made.mux(video.encode())

    def teeth(path: Path) -> list[float]:
        rows = [frame.to_ndarray(format="gray").astype(int) for frame in frames(path)]
        return [float(np.abs(each[:-2] - 2 * each[1:-1] + each[2:]).mean()) for each in rows]

    before, after = teeth(source), teeth(made_of(source))
    assert len(after) == FRAMES
    assert np.mean(after) < np.mean(before) / 3
    assert "is interlaced" in caplog.text


def test_colours_that_cannot_be_converted_are_refused_by_name(tmp_path: Path) -> None:
    source = clip(tmp_path / "clip.mkv", pix_fmt="yuv444p", tags=(8, 2, 2, 1), sounds=[])
    assert "has colours by YCgCo" in refusal(source)


def test_a_bare_stream_of_frames_keeps_its_pace(tmp_path: Path) -> None:
    source = tmp_path / "bare.h264"
    with av.open(str(source), "w") as made:
        video = made.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(FRAMES):
            made.mux(video.encode(av.VideoFrame.from_ndarray(pixels(number), format="rgb24")))
        made.mux(video.encode())
    assert [frame.time for frame in frames(made_of(source))] == pytest.approx(
        [n / RATE for n in range(FRAMES)], abs=2e-3
    )


def test_frames_before_an_edit_list_are_not_called_missing(tmp_path: Path, caplog) -> None:
    source = clip(tmp_path / "clip.mp4", sounds=[])
    data = bytearray(source.read_bytes())
    place = data.index(b"elst") + 12  # version, count; then duration and the first time (ISO 14496-12, 8.6.6)
    length, start = struct.unpack(">Ii", data[place : place + 8])
    with av.open(str(source)) as opened:
        ticks = int(Fraction(4, RATE) / (opened.streams.video[0].time_base or 1))
    data[place : place + 8] = struct.pack(">Ii", length - 400, start + ticks)
    source.write_bytes(data)
    assert len(frames(made_of(source))) == FRAMES - 4
    assert not caplog.text


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "an empty file"),
        (b"<!doctype html><title>404</title>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a Git LFS pointer"),
        (bytes(4000), "only zero bytes"),
    ],
)
def test_what_is_only_called_a_video_is_called_what_it_is(tmp_path: Path, data: bytes, name: str) -> None:
    (tmp_path / "clip.mp4").write_bytes(data)
    assert f"clip.mp4: is no video ({name}" in refusal(tmp_path / "clip.mp4")


def test_an_animation_is_sent_to_the_way_of_videos(tmp_path: Path) -> None:
    one, two = Image.new("RGB", (32, 32), "red"), Image.new("RGB", (32, 32), "blue")
    one.save(tmp_path / "wave.gif", save_all=True, append_images=[two])
    assert refusal(tmp_path / "wave.gif").endswith("as a PNG, or an animation as an MP4 video")


def test_odd_sides_lose_a_row_and_a_column(tmp_path: Path) -> None:
    source = clip(tmp_path / "odd.mkv", size=(33, 21), pix_fmt="yuv444p", sounds=[])
    assert first(made_of(source)).shape == (20, 32, 3)


def test_what_holds_no_video_is_refused_for_that(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "song.m4a"), "w") as made:
        track = made.add_stream("aac", rate=48000, layout="mono")
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        tone.sample_rate = 48000
        made.mux(track.encode(tone))
        made.mux(track.encode())
    assert "song.m4a: has no video" in refusal(tmp_path / "song.m4a")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nclip.mp4\n")
    assert "not a picture" in refusal(tmp_path / "list.m3u8")


def test_a_video_cut_short_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    source = clip(tmp_path / "clip.mp4")
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])  # its index was at the end
    assert "clip.mp4: cannot be read or written as a video" in refusal(source)


def test_a_video_that_ends_early_is_said_to(tmp_path: Path, caplog) -> None:
    source = remuxed(tmp_path / "web.mp4", [clip(tmp_path / "clip.mp4", sounds=[])], movflags="faststart")
    data = source.read_bytes()
    source.write_bytes(data[: len(data) - 150])
    assert 0 < len(frames(made_of(source))) < FRAMES
    assert "web.mp4: is " in caplog.text
