"""The images that a plan names: files and globs in its folder -> pairs of content and style."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from generator.plan_file import Images, PlanError, did_you_mean


@dataclass(frozen=True)
class Pair:
    """A content and a style image, each with the name that tables show: its stem, or more where stems collide."""

    content: Path
    style: Path
    content_name: str
    style_name: str

    def name(self, role: str) -> str:
        """Return the name of the "content" or the "style"."""
        return self.content_name if role == "content" else self.style_name

    def matches(self, role: str, wanted: object) -> bool:
        """Say whether `wanted` is the name or the file name of the "content" or the "style"."""
        path = self.content if role == "content" else self.style
        return wanted in (self.name(role), path.name)


def find_pairs(images: Images, folder: Path) -> list[Pair]:
    """Return the pairs as given, or every content with every style. Raises PlanError for files that are not there."""
    if images.pairs and (images.content or images.style):
        raise PlanError("[images]: give either pairs, or content and style")
    if images.pairs:
        files = [
            (
                _one(content, folder, f"images.pairs number {number}"),
                _one(style, folder, f"images.pairs number {number}"),
            )
            for number, (content, style) in enumerate(images.pairs, start=1)
        ]
    else:
        contents = _files(images.content, folder, "content")
        styles = _files(images.style, folder, "style")
        files = [(content, style) for content in contents for style in styles]
    names = _names([path for pair in files for path in pair], folder)
    return [Pair(content, style, names[content], names[style]) for content, style in files]


def _files(patterns: list[str], folder: Path, role: str) -> list[Path]:
    if not patterns:
        raise PlanError(f'[images]: names no {role} image; write {role} = ["file.jpg"], or pairs')
    found = [path for pattern in patterns for path in _matches(pattern, folder, f"images.{role}")]
    return list(dict.fromkeys(found))


def _one(name: str, folder: Path, place: str) -> Path:
    found = _matches(name, folder, place)
    if len(found) > 1:
        raise PlanError(f'{place}: "{name}" matches {len(found)} files; a pair takes one')
    return found[0]


def _matches(pattern: str, folder: Path, place: str) -> list[Path]:
    """Return the files of a name or glob, sorted; a file that bears the very name comes first."""
    if not pattern:
        raise PlanError(f"{place}: holds an empty name")
    literal = folder / pattern
    if literal.is_file():
        return [literal]
    found: Iterable[Path] = []
    if any(sign in pattern for sign in "*?["):
        base, relative = (
            (Path("/"), pattern.lstrip("/")) if Path(pattern).is_absolute() else (folder, pattern)
        )
        found = sorted(
            path for path in base.glob(relative) if path.is_file() and not path.name.startswith(".")
        )
    if not found:
        there = (
            [path.name for path in literal.parent.glob("*") if path.is_file()]
            if literal.parent.is_dir()
            else []
        )
        raise PlanError(f"{place}: no file in {folder} is called {did_you_mean(pattern, there[:1000])}")
    return list(found)


def _names(paths: Iterable[Path], folder: Path) -> dict[Path, str]:
    """Name each file by its stem, by its file name where stems collide, by its path where those do too."""
    unique = list(dict.fromkeys(paths))
    stems, names = Counter(path.stem for path in unique), Counter(path.name for path in unique)

    def name(path: Path) -> str:
        if stems[path.stem] == 1:
            return path.stem
        if names[path.name] == 1:
            return path.name
        return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)

    return {path: name(path) for path in unique}
