"""The images that a plan names: files and globs in its folder -> pairs of content and style."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from generator.nst.recipes.errors import did_you_mean
from generator.plans.document import Blend, Images, PlanError


@dataclass(frozen=True)
class StyleFile:
    """One style image of a pair.

    Attributes:
        weight: Its share of the style loss.
        where, part: Masks over the content image and over the style image.
        map: Its semantic map, for the patch loss.
    """

    path: Path
    weight: float = 1.0
    where: Path | None = None
    part: Path | None = None
    map: Path | None = None

    @property
    def in_words(self) -> str:
        """The share, file and guides, such as "0.7 of wave.jpg where sea.png"."""
        guides = {"where": self.where, "from part": self.part, "map": self.map}
        return " ".join(
            [
                f"{self.weight:g} of {self.path.name}",
                *(f"{word} {path.name}" for word, path in guides.items() if path),
            ]
        )


@dataclass(frozen=True)
class Pair:
    """A content image and its style images, with their names in tables: stems, or longer names if stems collide."""

    content: Path
    styles: tuple[StyleFile, ...]
    content_name: str
    style_name: str
    content_map: Path | None = None

    @property
    def style(self) -> Path:
        """The first style image's file."""
        return self.styles[0].path

    @property
    def is_plain(self) -> bool:
        """Return whether it has only one style image, without guides."""
        return self.content_map is None and self.styles == (StyleFile(self.style),)

    @property
    def has_masks(self) -> bool:
        return any(style.where or style.part for style in self.styles)

    @property
    def guides(self) -> list[tuple[Path, Path]]:
        """Every mask and map, with its image."""
        found: list[tuple[Path | None, Path]] = [(self.content_map, self.content)]
        for style in self.styles:
            found += [(style.where, self.content), (style.part, style.path), (style.map, style.path)]
        return [(guide, image) for guide, image in found if guide is not None]

    @property
    def files(self) -> list[Path]:
        """Every file: content, styles, masks and maps."""
        return [self.content, *(style.path for style in self.styles), *(guide for guide, _ in self.guides)]

    @property
    def in_words(self) -> str:
        """Every style image with its share and its guides."""
        styles = ", ".join(style.in_words for style in self.styles)
        return f"{styles}; content map {self.content_map.name}" if self.content_map else styles

    def without_maps(self) -> Pair:
        """Return the pair for a recipe that uses no maps."""
        return replace(
            self, content_map=None, styles=tuple(replace(style, map=None) for style in self.styles)
        )

    def name(self, role: str) -> str:
        """Return the name of the "content" or the "style"."""
        return self.content_name if role == "content" else self.style_name

    def matches(self, role: str, wanted: object) -> bool:
        """Return whether `wanted` is the name or the file name of the "content" or the "style" image."""
        if role == "style" and len(self.styles) > 1:
            return wanted == self.style_name
        path = self.content if role == "content" else self.style
        if not isinstance(wanted, str):
            return False
        name = unicodedata.normalize("NFC", wanted).replace("\\", "/")
        return name in (self.name(role), unicodedata.normalize("NFC", path.name)) or (
            "/" in name
            and unicodedata.normalize("NFC", path.as_posix()).endswith(f"/{name.removeprefix('./')}")
        )

    def resembles(self, role: str, wanted: object) -> bool:
        """Return whether `wanted` is such a name, ignoring case."""
        path = self.content if role == "content" else self.style
        return isinstance(wanted, str) and folded(wanted) in (folded(self.name(role)), folded(path.name))


def find_pairs(images: Images, folder: Path, blends: Sequence[Blend] = ()) -> list[Pair]:
    """Return the listed pairs, or every content image with every style image.

    Raises:
        PlanError: If a file does not exist, or a name is wrong.
    """
    if images.pairs and (images.content or images.style):
        raise PlanError("[images]: give either pairs, or content and style")
    known = _blends(blends, folder)
    chosen: list[tuple[Path, Path | str]] = []
    if images.pairs:
        for number, (content, style) in enumerate(images.pairs, start=1):
            place = f"images.pairs number {number}"
            chosen.append(
                (_one(content, folder, place), style if style in known else _one(style, folder, place))
            )
    else:
        contents = _files(images.content, folder, "content")
        styles = [name for name in images.style if name in known]
        patterns = [name for name in images.style if name not in known]
        every: list[Path | str] = [
            *(_files(patterns, folder, "style") if patterns or not styles else []),
            *styles,
        ]
        chosen = [(content, style) for content in contents for style in every]
    if unused := known.keys() - {style for _, style in chosen}:
        raise PlanError(f"[[blends]] {min(unused)!r}: no style of [images] has this name")
    return _mapped(chosen, known, images, folder)


def _mapped(
    chosen: list[tuple[Path, Path | str]],
    blends: dict[str, tuple[StyleFile, ...]],
    images: Images,
    folder: Path,
) -> list[Pair]:
    """Return the pairs with their names and their maps."""
    maps = {file_named(name, folder): _one(file, folder, "images.maps") for name, file in images.maps.items()}
    names = _names([path for pair in chosen for path in pair if isinstance(path, Path)], folder)
    if clash := blends.keys() & set(names.values()):
        raise PlanError(f"[[blends]] {min(clash)!r}: an image has this name; choose another")

    used = [*names, *(file.path for files in blends.values() for file in files)]
    if unknown := [path.name for path in maps if path not in {each.resolve() for each in used}]:
        raise PlanError(
            f"[images.maps]: the plan uses no {did_you_mean(unknown[0], [path.name for path in used])}"
        )

    def pair(content: Path, style: Path | str) -> Pair:
        files = (StyleFile(style),) if isinstance(style, Path) else blends[style]
        return Pair(
            content,
            tuple(replace(file, map=maps.get(file.path.resolve())) for file in files),
            names[content],
            names[style] if isinstance(style, Path) else style,
            maps.get(content.resolve()),
        )

    return [pair(content, style) for content, style in chosen]


def _blends(blends: Sequence[Blend], folder: Path) -> dict[str, tuple[StyleFile, ...]]:
    """Return each blend's style images, their weights as shares of 1."""
    found: dict[str, tuple[StyleFile, ...]] = {}
    for blend in blends:
        place = f"[[blends]] {blend.name!r}"
        if blend.name in found:
            raise PlanError(f"{place}: appears twice; remove one")
        total = sum(style.weight for style in blend.styles)
        found[blend.name] = tuple(
            StyleFile(
                _one(style.file, folder, place),
                # A share, so that 7 and 3 are the same image as 0.7 and 0.3.
                float(f"{style.weight / total:.12g}"),
                _one(style.where, folder, place) if style.where else None,
                _one(style.part, folder, place) if style.part else None,
            )
            for style in blend.styles
        )
    return found


def _files(patterns: list[str], folder: Path, role: str) -> list[Path]:
    if not patterns:
        raise PlanError(f'[images]: names no {role} image; write {role} = ["file.jpg"], or pairs')
    found = [path for pattern in patterns for path in matching_files(pattern, folder, f"images.{role}")]
    return list(dict.fromkeys(found))


def _one(name: str, folder: Path, place: str) -> Path:
    found = matching_files(name, folder, place)
    if len(found) > 1:
        raise PlanError(f'{place}: "{name}" matches {len(found)} files; a pair takes one')
    return found[0]


def matching_files(pattern: str, folder: Path, place: str) -> list[Path]:
    """Return the files that match a name or glob, sorted. A file with exactly that name comes first.

    Backslashes count as slashes. If only one file differs in case or Unicode normal form, it is found, too.

    Args:
        pattern: The name or glob.
        folder: Folder of the plan.
        place: The location in the plan, for messages.

    Raises:
        PlanError: If no file matches, or several could be meant.
    """
    if not pattern:
        raise PlanError(f"{place}: has an empty name")
    literal = folder / pattern
    if literal.is_file():
        return [literal]
    written = pattern.replace("\\", "/")
    is_glob = any(sign in written for sign in "*?[")
    base, relative = (Path("/"), written.lstrip("/")) if Path(written).is_absolute() else (folder, written)
    found = {path for path in base.glob(relative) if _is_visible(path)} if is_glob else set()
    if "**" not in relative:
        # Cameras write .JPG: a pattern finds both. A name finds another case only where its own is not there.
        found |= {path for path in _alike(base, Path(relative).parts) if _is_visible(path)}
    if not found:
        _check_place(base / relative, pattern, place)
        there = (
            [path.name for path in literal.parent.glob("[!.]*") if path.is_file()]
            if literal.parent.is_dir()
            else []
        )
        raise PlanError(f"{place}: no file in {folder} is called {did_you_mean(pattern, there[:1000])}")
    listed = sorted(found)
    if len(listed) > 1 and not is_glob:
        names = " or ".join(repr(str(path.relative_to(base))) for path in listed[:3])
        raise PlanError(f"{place}: {pattern!r} may be {names}; write the exact name")
    return listed


def _check_place(path: Path, pattern: str, place: str) -> None:
    """Raise PlanError if there is something at a path that is no file."""
    if path.is_dir():
        raise PlanError(
            f'{place}: {pattern!r} is a folder; name its pictures, such as "{pattern.rstrip("/")}/*.jpg"'
        )
    if path.is_symlink():
        raise PlanError(f"{place}: {pattern!r} is a link to a file that is not there")


def file_named(name: str, folder: Path) -> Path:
    """Return the resolved path of one file named in the plan, found as by `matching_files`."""
    try:
        return matching_files(name, folder, "")[0].resolve()
    except PlanError:
        return (folder / name).resolve()


def _is_visible(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")


def _alike(base: Path, parts: Sequence[str]) -> list[Path]:
    """Return the paths below a folder with these names, ignoring case and Unicode normal form."""
    if not parts:
        return [base]
    wanted, *rest = parts
    if wanted in (".", ".."):
        return _alike(base / wanted, rest)
    if not base.is_dir():
        return []
    try:
        children = sorted(base.iterdir())
    except OSError:  # a folder on the way that may be passed through, but not listed
        children = [base / wanted] if (base / wanted).exists() else []
    found = [child for child in children if child.name == wanted] or [
        child
        for child in children
        if folded(child.name) == folded(wanted) or fnmatchcase(folded(child.name), folded(wanted))
    ]
    return [path for child in found for path in _alike(child, rest)]


def folded(name: str) -> str:
    """Return a name for comparison without regard to case and Unicode normal form."""
    return unicodedata.normalize("NFC", name).casefold()


def _names(paths: Iterable[Path], folder: Path) -> dict[Path, str]:
    """Name each file by its stem; by its file name if stems collide; by its path if file names collide, too."""
    unique = list(dict.fromkeys(paths))
    stems, names = Counter(path.stem for path in unique), Counter(path.name for path in unique)

    def name(path: Path) -> str:
        if stems[path.stem] == 1:
            return path.stem
        if names[path.name] == 1:
            return path.name
        return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)

    return {path: unicodedata.normalize("NFC", name(path)) for path in unique}
