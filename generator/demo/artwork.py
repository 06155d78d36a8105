"""Style images painted by code, so that the demonstration needs no file of unclear licence.

Each painter takes a size in pixels and a seed and returns an RGB picture, the same for the same arguments.
They are drawn at twice the size and reduced, which smooths every edge alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Colour = tuple[int, int, int]


def stained_glass(size: int = 512, seed: int = 1) -> Image.Image:
    """Paint a leaded window: the Voronoi diagram of relaxed points, jewel colours by angle and distance."""
    rng = np.random.default_rng(seed)
    side = 2 * size
    y, x = np.mgrid[0:side, 0:side].astype(float)
    pixels = np.column_stack([x.ravel(), y.ravel()])
    points = _relaxed_points(rng, 170, side)
    distances, nearest = (np.asarray(found) for found in cKDTree(points).query(pixels, k=2))
    gap = (distances[:, 1] - distances[:, 0]).reshape(side, side)

    centre = points - side / 2
    angle = np.arctan2(centre[:, 1], centre[:, 0])
    radius = np.hypot(centre[:, 0], centre[:, 1]) / side
    palette = np.array(
        [
            [176, 24, 40],
            [232, 160, 32],
            [28, 84, 168],
            [24, 128, 96],
            [120, 40, 136],
            [240, 208, 96],
            [40, 152, 200],
        ],
        dtype=float,
    )
    choice = np.floor(3 * angle / np.pi + 9 * radius + rng.uniform(0, 1.2, len(points))).astype(int) % len(
        palette
    )
    glass = palette[choice] * rng.uniform(0.75, 1.2, (len(points), 1))
    picture = glass[nearest[:, 0]].reshape(side, side, 3)

    ripple = 1 + 0.16 * _smooth_noise(rng, side, 10) + 0.10 * _smooth_noise(rng, side, 3)
    picture = picture * ripple[..., None] + 26 * np.clip(gap / side * 14, 0, 1)[..., None]
    lead = np.clip((gap - 0.006 * side) / 3, 0, 1)[..., None]
    return _reduced(picture * lead + np.array([18.0, 16, 20]) * (1 - lead), size)


def brush_strokes(size: int = 512, seed: int = 2) -> Image.Image:
    """Paint a swirling night in short strokes that follow a flow field, dark ground first, lights last."""
    rng = np.random.default_rng(seed)
    side = 2 * size
    potential = _smooth_noise(rng, side, side / 9) + 0.35 * _smooth_noise(rng, side, side / 28)
    dy, dx = np.gradient(potential)
    angle = np.arctan2(-dx, dy)
    tone = _smooth_noise(rng, side, side / 11)
    tone = np.argsort(np.argsort(tone, axis=None)).reshape(tone.shape) / tone.size
    palette = np.array(
        [
            [14, 24, 66],
            [24, 52, 118],
            [44, 92, 168],
            [92, 146, 196],
            [164, 196, 196],
            [236, 208, 104],
            [250, 236, 160],
        ],
        dtype=float,
    )
    image = Image.new("RGB", (side, side), (18, 32, 80))
    draw = ImageDraw.Draw(image)
    for width, count in ((side // 42, 2600), (side // 64, 7000), (side // 100, 9000)):
        for x, y in rng.uniform(0, side, (count, 2)):
            level = tone[int(y), int(x)] ** 1.3 * (len(palette) - 1) + rng.normal(0, 0.45)
            colour = _between(palette, level) * rng.uniform(0.86, 1.12)
            _stroke(draw, angle, x, y, length=int(side / 22), width=width, colour=colour)
    return _reduced(np.asarray(image, dtype=float), size)


def woodcut_waves(size: int = 512, seed: int = 3) -> Image.Image:
    """Paint rows of breaking waves as a colour woodcut: flat blues, lines along the crest, claws of foam."""
    rng = np.random.default_rng(seed)
    side = 2 * size
    image = Image.new("RGB", (side, side), (228, 212, 176))
    draw = ImageDraw.Draw(image)
    blues: list[Colour] = [(24, 46, 92), (52, 92, 140), (112, 150, 176), (36, 66, 116)]
    x = np.arange(-side // 10, side + side // 10, dtype=float)
    for row in range(9):
        period = side / rng.uniform(1.4, 2.6)
        phase = rng.uniform(0, 2 * np.pi)
        height = side * (0.045 + 0.008 * row)
        # The cube sharpens the crests and flattens the troughs, as in a trochoid.
        swell = ((1 + np.sin(2 * np.pi * x / period + phase)) / 2) ** 3
        crest = side * (0.16 + 0.1 * row) - height * 2.4 * swell
        _wave(draw, x, crest, blues, depth=int(side * 0.2), line=max(2, side // 160))
        _foam(draw, rng, x, crest, swell, radius=side / 90)
    grain = 1 + 0.05 * _smooth_noise(rng, side, 1.2)
    return _reduced(np.asarray(image, dtype=float) * grain[..., None], size)


def pop_print(size: int = 512, seed: int = 4) -> Image.Image:
    """Paint a screen print: four panels of the same flowers in flat clashing inks with halftone dots."""
    rng = np.random.default_rng(seed)
    side = 2 * size
    half = side // 2
    inks: list[tuple[Colour, Colour, Colour]] = [
        ((250, 208, 40), (226, 32, 92), (30, 60, 140)),
        ((20, 160, 170), (250, 120, 30), (110, 20, 90)),
        ((236, 70, 130), (250, 226, 60), (20, 110, 90)),
        ((90, 60, 160), (120, 210, 70), (240, 60, 50)),
    ]
    centres = _relaxed_points(rng, 6, half)
    flowers = [(centre, half * rng.uniform(0.15, 0.21), rng.uniform(0, np.pi)) for centre in centres]
    image = Image.new("RGB", (side, side))
    for index, (ground, petal, heart) in enumerate(inks):
        panel = Image.new("RGB", (half, half), ground)
        draw = ImageDraw.Draw(panel)
        _halftone(draw, half, petal, pitch=half / 30)
        for centre, radius, turn in flowers:
            _flower(draw, centre, radius, turn, petal, heart)
        image.paste(panel, ((index % 2) * half, (index // 2) * half))
    return _reduced(np.asarray(image, dtype=float), size)


PAINTERS: dict[str, Callable[[], Image.Image]] = {
    "stained-glass": stained_glass,
    "brush-strokes": brush_strokes,
    "woodcut-waves": woodcut_waves,
    "pop-print": pop_print,
}


def _relaxed_points(rng: np.random.Generator, count: int, side: int) -> Floats:
    """Return points spread evenly by Lloyd's relaxation on a coarse sample of the square."""
    points = rng.uniform(0, side, (count, 2))
    sample = rng.uniform(0, side, (40 * count, 2))
    for _ in range(3):
        _, owner = cKDTree(points).query(sample)
        weight = np.maximum(np.bincount(owner, minlength=count), 1)
        points = np.column_stack([np.bincount(owner, sample[:, axis], count) / weight for axis in (0, 1)])
    return points


def _smooth_noise(rng: np.random.Generator, side: int, scale: float) -> Floats:
    """Return Gaussian noise blurred to a scale in pixels, with mean 0 and standard deviation 1."""
    # A blur over hundreds of pixels is made on a smaller grid: the result holds nothing finer anyway.
    step = max(1, int(scale // 4))
    coarse = gaussian_filter(rng.normal(size=(side // step + 2, side // step + 2)), scale / step, mode="wrap")
    noise = np.asarray(
        Image.fromarray(coarse.astype(np.float32)).resize((side, side), Image.Resampling.BICUBIC)
    )
    return np.asarray((noise - noise.mean()) / noise.std(), dtype=float)


def _between(palette: Floats, level: float) -> Floats:
    low = int(_clipped(level, len(palette) - 1.001))
    share = _clipped(level - low, 1)
    return np.asarray(palette[low] * (1 - share) + palette[low + 1] * share)


def _ink(colour: Floats) -> Colour:
    red, green, blue = colour.tolist()
    return int(_clipped(red, 255)), int(_clipped(green, 255)), int(_clipped(blue, 255))


def _clipped(value: float, most: float) -> float:
    # Of single numbers np.clip takes longer than all else here.
    return float(min(max(value, 0.0), most))


def _stroke(
    draw: ImageDraw.ImageDraw, angle: Floats, x: float, y: float, *, length: int, width: int, colour: Floats
) -> None:
    """Draw one stroke along the flow, with a lighter and a darker bristle beside its middle."""
    side = angle.shape[0]
    path = [(x, y)]
    for _ in range(8):
        turn = angle[int(_clipped(y, side - 1)), int(_clipped(x, side - 1))]
        x, y = x + length / 8 * np.cos(turn), y + length / 8 * np.sin(turn)
        path.append((x, y))
    draw.line(path, fill=_ink(colour), width=width, joint="curve")
    for shift, shade in ((-width / 4, 1.18), (width / 4, 0.82)):
        bristle = [(px + shift, py + shift) for px, py in path[1:-1]]
        draw.line(bristle, fill=_ink(colour * shade), width=max(1, width // 6))


def _wave(
    draw: ImageDraw.ImageDraw, x: Floats, crest: Floats, blues: Sequence[Colour], *, depth: int, line: int
) -> None:
    """Fill the water under a crest with bands that follow it, each edged by a dark line."""
    bottom = float(crest.max()) + depth
    for band, offset in enumerate(np.linspace(0, depth, 8)):
        top = crest + offset * (1 + 0.35 * np.sin(x / depth))
        outline = [*zip(x.tolist(), top.tolist(), strict=True), (float(x[-1]), bottom), (float(x[0]), bottom)]
        draw.polygon(outline, fill=(232, 230, 214) if band == 1 else blues[band % len(blues)])
        draw.line(outline[: len(x)], fill=(14, 26, 56), width=line)


def _foam(
    draw: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    x: Floats,
    crest: Floats,
    swell: Floats,
    *,
    radius: float,
) -> None:
    """Set outlined flecks of foam on the crests, more and larger where they are high."""
    for index in rng.integers(0, len(x), 420):
        if swell[index] < 0.35:
            continue
        r = radius * rng.uniform(0.35, 1.0) * swell[index]
        cx, cy = x[index] + rng.normal(0, radius), crest[index] + rng.normal(0, radius)
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=(244, 240, 226), outline=(14, 26, 56), width=2)


def _halftone(draw: ImageDraw.ImageDraw, side: int, ink: Colour, *, pitch: float) -> None:
    """Print dots on a grid turned by 45 degrees, growing from the top to the bottom."""
    rows = int(side / pitch * 2) + 2
    for row in range(rows):
        for column in range(int(side / pitch) + 2):
            cx, cy = (column + row % 2 / 2) * pitch, row * pitch / 2
            r = pitch * (0.08 + 0.26 * row / rows)
            draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=ink)


def _flower(
    draw: ImageDraw.ImageDraw, centre: Floats, radius: float, turn: float, petal: Colour, heart: Colour
) -> None:
    """Draw five round petals with an outline, out of register as a screen print is, and a heart."""
    cx, cy = centre
    for shift, ink in ((radius * 0.07, (24, 20, 28)), (0.0, petal)):
        for k in range(5):
            px = cx + shift + 0.6 * radius * np.cos(turn + 2 * np.pi * k / 5)
            py = cy + shift + 0.6 * radius * np.sin(turn + 2 * np.pi * k / 5)
            r = 0.44 * radius
            draw.ellipse((px - r, py - r, px + r, py + r), fill=ink)
    r = 0.3 * radius
    draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=heart, outline=(24, 20, 28), width=4)


def _reduced(picture: Floats, size: int) -> Image.Image:
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    return image.resize((size, size), Image.Resampling.LANCZOS)
