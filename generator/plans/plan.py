"""From a plan file (TOML) to its cells, without a database.

docs/reference/plans.md describes the format. Every mistake raises a `PlanError` with a one-line message that gives the
location.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generator.nst.recipes.conventions import CONVERTED
from generator.nst.recipes.effects import fingerprint, idle
from generator.nst.recipes.errors import RecipeError, did_you_mean
from generator.nst.recipes.networks import is_file
from generator.nst.recipes.options import KOLKIN, MASKED_LOSSES
from generator.nst.recipes.presets import FORMER, PRESETS, preset
from generator.nst.recipes.recipe import Recipe
from generator.plans.document import Document, PlanError, document_of, read_text, shipped_plans
from generator.plans.images import Pair, file_named, find_pairs

MAX_CELLS = 20_000
MAX_SEED = 2**63 - 1
# Keys of a plan that replace another key of the recipe.
_OWN_NAMES = {
    "content_layer": "content_layers",
    "style_layer": "style_layers",
    "ratio": "alpha",
    "repeat": "seed",
}
# Keys of a listed cell in addition to those of the recipe.
_OWN_KEYS = ("content", "style", "pair", "label", "seed")


@dataclass(frozen=True)
class PlannedCell:
    """One image to be made, by file names. `factors` are the columns for grouping in tables."""

    label: str
    factors: dict[str, Any]
    recipe: Recipe
    seed: int
    pair: Pair
    is_anchor: bool = False


@dataclass(frozen=True)
class Plan:
    """A plan, read and checked.

    Attributes:
        slug: the name of its image set. Where `slug_from_title`, a number is appended if another set has the name.
        file_slug: the name that older versions gave to its image set: that of the file; "" if there is none.
        licences: the licence that the plan states for an image, by the image's path.
    """

    slug: str
    title: str
    text: str
    cells: list[PlannedCell]
    factors: list[str]
    licences: dict[Path, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    slug_from_title: bool = False
    file_slug: str = ""

    @property
    def sha256(self) -> str:
        """Return the SHA-256 (hex) of the plan's text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class _Draft:
    """A cell before its recipe is built: its place in the file, its images and its settings."""

    place: str
    pair: Pair
    settings: Mapping[str, Any]
    label: str = ""
    is_anchor: bool = False
    repeat: int = 0


def load_plan(path: Path, slug: str = "") -> Plan:
    """Read a plan file.

    Args:
        path: The file.
        slug: Name of the image set, instead of the plan's own.

    Raises:
        PlanError: If the plan has a mistake; the message gives the file, the location and the fix.
    """
    return plan_of(
        read_text(path), str(path), path.parent, slug=slug, file_slug=slug_of(path.stem), stem=path.stem
    )


def plan_of(
    text: str, place: str, folder: Path, *, slug: str = "", file_slug: str = "", stem: str = ""
) -> Plan:
    """Return the plan in a text.

    Args:
        text: The text.
        place: Start of each error message, such as the file.
        folder: Folder that file names in the plan are relative to.
        slug: Name of the image set, instead of the plan's own.
        file_slug: Name made from the file's name; replaces a missing title.
        stem: The file's name without suffix; replaces a missing title.

    Raises:
        PlanError: If the plan has a mistake.
    """
    document = document_of(text, place)
    slug = slug or document.slug
    try:
        pairs = find_pairs(document.images, folder, document.blends)
        drafts = list(_repeated(_kept(document, _drafts(document, pairs)), document.repeats))
        if len(drafts) > MAX_CELLS:
            raise PlanError(f"has {len(drafts)} cells; the limit is {MAX_CELLS} in one plan")
        if not drafts:
            raise PlanError("[[exclude]] removes every cell; remove a rule")
        keys = _factor_keys(document)
        cells = _unique(list(_cells(document, drafts, keys, folder)), document.repeats)
        _check_maps(document, cells)
        licences = _licences(document, folder, pairs)
    except PlanError as error:
        raise PlanError(f"{place}: {error}") from error
    of_title = slug_of(document.title)
    return Plan(
        slug=slug or of_title or file_slug or "plan",
        title=document.title or stem or "Plan",
        text=text,
        cells=cells,
        factors=["content", "style", *keys],
        licences=licences,
        warnings=[*_warnings(cells, [*keys, *document.recipe]), *_idle_settings(cells, document.recipe)],
        slug_from_title=not slug and bool(of_title),
        file_slug=file_slug,
    )


def check_settings(document: Document) -> None:
    """Check keys, layers and presets of a plan before its images are read.

    Builds the recipe of each listed cell, and of each level with the other factors at their first level.

    Raises:
        PlanError: If one is unknown or invalid.
    """
    first = {key: levels[0] for key, levels in document.factors.items() if levels}
    tried = [("[factors]", first)]
    # A combination that [[exclude]] removes may be invalid.
    if not document.exclude:
        tried += [
            ("[factors]", {**first, key: level})
            for key, levels in document.factors.items()
            for level in levels[1:]
        ]
        tried += [
            (f"[[{name}]] number {number}", _settings(entry))
            for name, listed in (("cells", document.cells), ("anchors", document.anchors))
            for number, entry in enumerate(listed, start=1)
        ]
    for place, settings in tried:
        _recipe(document, settings, place)


def _licences(document: Document, folder: Path, pairs: list[Pair]) -> dict[Path, str]:
    known = {path.resolve(): path.name for pair in pairs for path in pair.files}
    licences = {file_named(name, folder): text for name, text in document.images.licences.items()}
    for path in licences:
        if path not in known:
            raise PlanError(f"[images.licences]: the plan uses no {did_you_mean(path.name, known.values())}")
    return licences


def _check_maps(document: Document, cells: list[PlannedCell]) -> None:
    """Refuse maps that no cell uses."""
    if document.images.maps and not any(cell.pair.content_map for cell in cells):
        raise PlanError(
            '[images.maps]: no cell uses them; set style_loss = "patches" or preset = "neural-doodle"'
        )


def slug_of(text: str) -> str:
    """Return a title or a file's stem as a name for commands and URLs, or "" without a Latin letter or digit."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:80].strip("-")


def _drafts(document: Document, pairs: list[Pair]) -> Iterator[_Draft]:
    """Yield all combinations of the factors, then the listed cells, then the anchors."""
    count = len(pairs) * math.prod(len(levels) for levels in document.factors.values())
    if count > MAX_CELLS:
        raise PlanError(f"[factors] give {count} cells; the limit is {MAX_CELLS} in one plan")
    if document.factors or not document.cells:
        for pair in pairs:
            for levels in itertools.product(*document.factors.values()):
                yield _Draft("[factors]", pair, dict(zip(document.factors, levels, strict=True)))
    for name, listed in (("cells", document.cells), ("anchors", document.anchors)):
        for number, entry in enumerate(listed, start=1):
            place = f"[[{name}]] number {number}"
            settings = _settings(entry)
            for pair in _pairs_of(entry, pairs, place):
                label = str(entry.get("label", ""))
                yield _Draft(place, pair, settings, label, is_anchor=name == "anchors")


def _settings(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a listed cell for its recipe and seed."""
    return {key: value for key, value in entry.items() if key == "seed" or key not in _OWN_KEYS}


def _pairs_of(entry: Mapping[str, Any], pairs: list[Pair], place: str) -> list[Pair]:
    """Return the pairs of a listed cell: by number, by names, or all."""
    if "pair" in entry:
        number = entry["pair"]
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= len(pairs):
            raise PlanError(f"{place}: pair = {number!r}, but [images] gives pairs 1 to {len(pairs)}")
        return [pairs[number - 1]]
    chosen = pairs
    for role in ("content", "style"):
        if role in entry:
            exact = [pair for pair in chosen if pair.matches(role, entry[role])]
            chosen = exact or [pair for pair in chosen if pair.resembles(role, entry[role])]
            if not chosen:
                known = {pair.name(role) for pair in pairs}
                raise PlanError(f"{place}: no pair of [images] has {role} {did_you_mean(entry[role], known)}")
    return chosen


def _kept(document: Document, drafts: Iterable[_Draft]) -> Iterator[_Draft]:
    """Remove the cells that [[exclude]] names. A rule that matches no cell is a mistake."""
    known = {"content", "style", *_factor_keys(document)}
    for number, rule in enumerate(document.exclude, start=1):
        for key in rule:
            if key not in known:
                raise PlanError(f"[[exclude]] number {number}: unknown factor {did_you_mean(key, known)}")
    hits = [0] * len(document.exclude)
    for draft in drafts:
        rules = [number for number, rule in enumerate(document.exclude) if _excludes(rule, draft)]
        for number in rules:
            hits[number] += 1
        if not rules:
            yield draft
    for number, hit in enumerate(hits, start=1):
        if not hit:
            raise PlanError(f"[[exclude]] number {number}: matches no cell; check its values")


def _excludes(rule: Mapping[str, Any], draft: _Draft) -> bool:
    def fits(key: str, wanted: Any) -> bool:
        if key in ("content", "style"):
            return draft.pair.matches(key, wanted)
        return key in draft.settings and bool(draft.settings[key] == wanted)

    return all(
        any(fits(key, wanted) for wanted in (value if isinstance(value, list) else [value]))
        for key, value in rule.items()
    )


def _repeated(drafts: Iterable[_Draft], repeats: int) -> Iterator[_Draft]:
    for draft in drafts:
        for repeat in range(1, repeats + 1):
            yield _Draft(
                draft.place,
                draft.pair,
                draft.settings,
                draft.label,
                draft.is_anchor,
                repeat if repeats > 1 else 0,
            )


def _factor_keys(document: Document) -> list[str]:
    """Return the keys that any cell sets, in order of first appearance."""
    entries = [document.factors, *document.cells, *document.anchors]
    named = (key for entry in entries for key in entry if key == "seed" or key not in _OWN_KEYS)
    return list(dict.fromkeys(named))


def _cells(document: Document, drafts: list[_Draft], keys: list[str], folder: Path) -> Iterator[PlannedCell]:
    for draft in drafts:
        recipe, seed = _recipe(document, draft.settings, draft.place)
        # One seed for all, so that only the factor varies along a row of the grid.
        seed = _seed(seed + max(0, draft.repeat - 1), draft.place)
        recipe = _located(recipe, folder, draft.place)
        pair = _guided(draft, recipe)
        factors: dict[str, Any] = {"content": draft.pair.content_name, "style": draft.pair.style_name}
        factors |= {
            key: seed if key == "seed" else draft.settings.get(key, _value(recipe, key)) for key in keys
        }
        if draft.repeat:
            factors["repeat"] = draft.repeat
        label = _label(draft, factors)
        yield PlannedCell(label, factors, recipe, seed, pair, draft.is_anchor)


def _recipe(document: Document, settings: Mapping[str, Any], place: str) -> tuple[Recipe, int]:
    """Return the recipe and the seed of a cell that sets `settings`. Raises PlanError."""
    common, own = dict(document.recipe), dict(settings)
    seed = _seed(own.pop("seed", _seed(common.pop("seed", 1), "[recipe]")), place)
    if "preset" in common:
        raise PlanError("[recipe]: preset belongs above the tables, or into [factors]")
    base = _base(document, own.pop("preset", document.preset), common)
    return _replaced(base, own, place), seed


def _base(document: Document, name: Any, common: Mapping[str, Any]) -> Recipe:
    """Return a preset's recipe with the plan's [recipe]; computed once for each plan."""
    recipe = document.bases.get(str(name))
    if recipe is None:
        recipe = document.bases[str(name)] = _replaced(_preset(name), common, "[recipe]")
    return recipe


def _guided(draft: _Draft, recipe: Recipe) -> Pair:
    """Return a cell's images with the guides that its recipe uses. Raises PlanError if it cannot use them."""
    pair, place = draft.pair, draft.place
    if recipe.method == "feedforward" and (len(pair.styles) > 1 or pair.has_masks):
        raise PlanError(f"{place}: a trained network has one style; it cannot make blend {pair.style_name!r}")
    if recipe.method in KOLKIN and (len(pair.styles) > 1 or pair.has_masks):
        raise PlanError(
            f'{place}: method = "{recipe.method}" has one style, without masks; it cannot make blend {pair.style_name!r}'
        )
    if recipe.method != "optimised" or recipe.style_loss != "patches":
        pair = pair.without_maps()
    if pair.has_masks and recipe.style_loss not in MASKED_LOSSES:
        raise PlanError(
            f"{place}: blend {pair.style_name!r} has masks, which style_loss = {recipe.style_loss!r} cannot use; "
            f'"gram" and "wasserstein" can'
        )
    maps = {pair.content: pair.content_map} | {style.path: style.map for style in pair.styles}
    lacking = [path.name for path, drawn in maps.items() if drawn is None]
    if 0 < len(lacking) < len(maps):
        raise PlanError(
            f"[images.maps]: {lacking[0]} has none; give the content and every style one, or none"
        )
    return pair


def _value(recipe: Recipe, key: str) -> Any:
    """Return a recipe's value for a key of a plan, including `ratio` and `content_layer`."""
    if key in ("content_layer", "style_layer"):
        return "+".join(getattr(recipe, f"{key}s"))
    if key == "ratio":
        return recipe.ratio if recipe.beta else None
    return recipe.to_dict().get(key)


def _label(draft: _Draft, factors: Mapping[str, Any]) -> str:
    pair = f"{draft.pair.content_name} × {draft.pair.style_name}"
    if draft.label:
        repeat = f", repeat {draft.repeat}" if draft.repeat else ""
        return f"{draft.label}: {pair}{repeat}"
    rest = ", ".join(
        f"{key} {_short(value)}" for key, value in factors.items() if key not in ("content", "style")
    )
    return f"{pair}, {rest}" if rest else pair


def _short(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _preset(name: Any) -> Recipe:
    if name not in PRESETS and name not in FORMER:
        raise PlanError(f"unknown preset {did_you_mean(name, [*PRESETS, *shipped_plans(), *FORMER])}")
    return preset(name)


def _warnings(cells: list[PlannedCell], keys: Iterable[str]) -> list[str]:
    """Return warnings about numbers that cannot be compared. keys: the keys that the plan sets."""
    balance = [key for key in ("ratio", *CONVERTED) if key in keys]
    kinds = {cell.recipe for cell in cells if cell.recipe.method != "feedforward"}
    weighed = sorted({f"{_units(recipe)} on {Path(recipe.network).stem}" for recipe in kinds})
    if len(weighed) < 2 or not balance:
        return []
    return [
        f"{', '.join(balance)} by the conventions {', '.join(weighed)} cannot be compared: the same number means another "
        f"balance in each; compare the coefficients in the images' provenance"
    ]


def _units(recipe: Recipe) -> str:
    return recipe.method if recipe.method in KOLKIN else recipe.convention


def _idle_settings(cells: list[PlannedCell], common: Mapping[str, Any]) -> list[str]:
    """Return one line for each key of [recipe] without an effect in any cell."""
    if not common:
        return []
    reasons = [idle(recipe) for recipe in dict.fromkeys(cell.recipe for cell in cells)]
    return [
        f"[recipe] {key} has no effect if {reasons[0][name]}"
        for key in common
        if all((name := _OWN_NAMES.get(key, key)) in reason for reason in reasons)
    ]


def _replaced(recipe: Recipe, settings: Mapping[str, Any], place: str) -> Recipe:
    try:
        return recipe.replace(**settings)
    except RecipeError as error:
        raise PlanError(f"{place}: {error}") from error


def _located(recipe: Recipe, folder: Path, place: str) -> Recipe:
    """Return a recipe whose network, if it is a file, is relative to the plan's folder."""
    if not is_file(recipe.network):
        return recipe
    return _replaced(recipe, {"network": str((folder / recipe.network).absolute())}, place)


def _seed(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEED:
        raise PlanError(f"{place}: seed = {value!r} should be a whole number from 0 to {MAX_SEED}")
    return value


def _unique(cells: list[PlannedCell], repeats: int) -> list[PlannedCell]:
    """Return the cells. Raises PlanError if two are the same image, with the setting that has no effect."""
    seen: dict[Any, PlannedCell] = {}
    kinds: dict[Recipe, tuple[Any, bool]] = {}
    for cell in cells:
        if cell.recipe not in kinds:
            kinds[cell.recipe] = fingerprint(cell.recipe), "seed" not in idle(cell.recipe)
        kind, draws = kinds[cell.recipe]
        identity = (kind, cell.seed if draws else None, cell.pair)
        if identity in seen:
            raise PlanError(_same_image(seen[identity], cell, repeats))
        seen[identity] = cell
    return cells


def _same_image(first: PlannedCell, second: PlannedCell, repeats: int) -> str:
    reasons = {**idle(first.recipe), **idle(second.recipe)}
    differing = [key for key, value in second.factors.items() if first.factors.get(key) != value]
    if differing == ["repeat"]:
        return (
            f"repeats = {repeats} would make equal images: the seed has no effect if {reasons['seed']}; "
            f'leave out repeats, or start from noise (init = "noise" or "mix")'
        )
    because = [
        f"{key} has no effect if {reasons[name]}"
        for key in differing
        if (name := _OWN_NAMES.get(key, key)) in reasons
    ]
    if not because and any(key.removesuffix("s") in ("content_layer", "style_layer") for key in differing):
        because = ["both names mean the same layer"]
    if not because and any(key.startswith("pyramid") for key in differing):
        because = ["both have the same levels"]
    if differing and not because:
        because = ["what differs has no effect in this recipe"]
    told = f" ({'; '.join(because)})" if because else ""
    return f"asks twice for the same image: {first.label!r} and {second.label!r}{told}"
