"""Creation of image sets: a plan becomes rows."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from PIL import Image

from generator.files import images, networks, store
from generator.files.images import ImageError
from generator.files.masks import check_mask
from generator.models import Cell, CellStyle, ImageSet, Source
from generator.nst.recipes.effects import effective_sha256, idle
from generator.nst.recipes.sizes import least_side
from generator.plans import sizes
from generator.plans.document import PlanError
from generator.plans.plan import Plan, PlannedCell
from generator.sets import claims

if TYPE_CHECKING:
    from generator.nst import Recipe

# The seed in the key of an image that depends on no seed: the default of a plan.
_ANY_SEED = 1
# A mask drawn at another size differs by at most one pixel.
_SHAPE_TOLERANCE = 0.02


@dataclass(frozen=True)
class Reference:
    """A reference image: its size (width, height) and the hash of its pixels. The pixels are read again if needed."""

    path: Path
    size: tuple[int, int]
    pixels: str

    def picture(self) -> Image.Image:
        """Read the pixels again.

        Raises:
            ImageError: If the file has changed.
        """
        picture = images.read(self.path, warn=lambda line: None)
        if images.pixel_hash(picture) != self.pixels:
            raise ImageError(f"{self.path}: has changed while the plan was read; try again")
        return picture


def image_set_from_plan(plan: Plan, owner: User | None = None) -> ImageSet:
    """Return the image set of a plan: an existing set of the same plan, or a new one with all its cells.

    Images that another set has made are copied. After an error no row is written.

    Args:
        plan: The plan.
        owner: Who asks in the browser; None for a command.

    Raises:
        PlanError: If two cells are the same image, or the slug belongs to a set of other images or, with
            an `owner`, to somebody else's set.
        ImageError: If an image cannot be read, or is too small for its layers.
        nst.WeightsError: If a network is missing.
    """
    references = read_references(plan)
    keys = cell_keys(plan, references)
    slug, found = find_set(plan, keys, owner)
    if found is None:
        files = {reference.pixels: _keep(reference) for reference in references.values()}
        try:
            with transaction.atomic():
                return _new_set(slug, plan, references, files, keys, owner)
        except IntegrityError:
            # Another process created the same set meanwhile.
            slug, found = find_set(plan, keys, owner)
            if found is None:
                raise
    _relabel(found, plan, keys)
    claims.adopt(found)
    return found


def read_references(plan: Plan) -> dict[Path, Reference]:
    """Read every image of the plan once.

    Raises:
        ImageError: If an image cannot be read or is too small.
    """
    paths = dict.fromkeys(path for cell in plan.cells for path in cell.pair.files)
    styles = {style for cell in plan.cells for style in cell.pair.styles}
    masks = {mask for style in styles for mask in (style.where, style.part) if mask}
    references = {path: _read(path, is_mask=path in masks) for path in paths}
    _check_guides(plan, references)
    checked: set[tuple[Recipe, tuple[Path, ...]]] = set()
    for cell in plan.cells:
        paths_of = (cell.pair.content, *(style.path for style in cell.pair.styles))
        if (cell.recipe, paths_of) not in checked:
            checked.add((cell.recipe, paths_of))
            _check_sizes(cell.recipe, *(references[path] for path in paths_of))
        if cell.recipe.method == "feedforward":
            _check_trained_style(cell, references[cell.pair.style])
    return references


def _read(path: Path, *, is_mask: bool) -> Reference:
    picture = images.read(path)
    if is_mask:
        check_mask(picture, str(path))
    return Reference(path, picture.size, images.pixel_hash(picture))


def _check_guides(plan: Plan, references: dict[Path, Reference]) -> None:
    """Refuse masks and maps of another shape than their image, and pictures that are no masks."""
    for guide, image in dict.fromkeys(found for cell in plan.cells for found in cell.pair.guides):
        (width, height), (own_width, own_height) = (references[path].size for path in (image, guide))
        if abs(width / height * own_height / own_width - 1) > _SHAPE_TOLERANCE:
            raise ImageError(
                f"{guide}: {own_width} × {own_height} pixels do not fit {image.name} of {width} × {height}; "
                f"give it the same shape"
            )


def _check_sizes(recipe: Recipe, content: Reference, *styles: Reference) -> None:
    """Refuse an image that is too small for the deepest layer, in its own size or at the last level."""
    least, layer = least_side(recipe)
    scaled = sizes.finest_sizes(recipe, content.size, *(style.size for style in styles))
    for reference, size in zip((content, *styles), scaled, strict=True):
        own = reference.size
        if min(*own, *size) < least:
            raise ImageError(
                f"{reference.path}: {own[0]} × {own[1]} pixels, {size[0]} × {size[1]} once scaled; "
                f"{layer} needs at least {least} on each side of the last level (size = {recipe.size})"
            )


def _check_trained_style(cell: PlannedCell, style: Reference) -> None:
    """Refuse a network trained on another style image than the cell's. A network without that record is accepted."""
    trained = networks.trained(cell.recipe.network).provenance.get("style", {})
    if trained.get("pixels", style.pixels) != style.pixels:
        raise ImageError(
            f"{style.path}: is not the style image that {cell.recipe.network} was trained on ({trained.get('file')})"
        )


def cell_keys(
    plan: Plan, references: dict[Path, Reference], weights_of: Callable[[Recipe], str] = networks.weights_hash
) -> list[str]:
    """Return each cell's key, in the order of the plan.

    Earlier releases put settings without an effect into the key, too. Images made by them keep their keys.

    Args:
        plan: The plan.
        references: Its images.
        weights_of: Returns the hash of a recipe's network.

    Raises:
        PlanError: If two keys are the same.
    """
    seen: dict[str, PlannedCell] = {}
    before: dict[str, str] = {}
    of_recipes: dict[Recipe, _RecipeKey] = {}
    for cell in plan.cells:
        if cell.recipe not in of_recipes:
            of_recipes[cell.recipe] = _recipe_key(cell.recipe, weights_of(cell.recipe))
        of_recipe = of_recipes[cell.recipe]
        pixels = {path: references[path].pixels for path in cell.pair.files}
        key = _key(cell, pixels, of_recipe, of_recipe.effective, cell.seed if of_recipe.draws else _ANY_SEED)
        if key in seen:
            raise PlanError(f"{plan.slug}: {_twice(seen[key], cell)}")
        seen[key] = cell
        whole = _key(cell, pixels, of_recipe, of_recipe.whole, cell.seed if of_recipe.is_optimised else 0)
        if whole != key:
            before[key] = whole
    kept = (
        set(Cell.objects.filter(key__in=before.values()).values_list("key", flat=True)) if before else set()
    )
    return [before[key] if before.get(key) in kept else key for key in seen]


def _twice(first: PlannedCell, second: PlannedCell) -> str:
    """Say which two cells are one image, and which files have the same pixels."""
    files = dict.fromkeys(zip(first.pair.files, second.pair.files, strict=False))
    alike = [f"{one} and {other} are the same picture: leave one out" for one, other in files if one != other]
    told = f" ({'; '.join(alike)})" if alike else ""
    return f"asks twice for the same image: {first.label!r} and {second.label!r}{told}"


@dataclass(frozen=True)
class _RecipeKey:
    """A recipe's part of a key. effective, whole: hashes of the settings with an effect, and of all settings."""

    effective: str
    whole: str
    draws: bool
    is_optimised: bool
    weights: str
    algorithm: str


def _recipe_key(recipe: Recipe, weights: str) -> _RecipeKey:
    return _RecipeKey(
        effective=effective_sha256(recipe),
        whole=recipe.sha256,
        draws="seed" not in idle(recipe),
        is_optimised=recipe.method != "feedforward",
        weights=weights,
        algorithm=networks.algorithm(recipe),
    )


def _key(cell: PlannedCell, pixels: Mapping[Path, str], of_recipe: _RecipeKey, recipe: str, seed: int) -> str:
    pair = cell.pair
    identity = {
        "recipe": recipe,
        # A trained network uses no random numbers.
        "seed": seed if of_recipe.is_optimised else 0,
        "content": pixels[pair.content],
        "style": pixels[pair.style],
        "weights": of_recipe.weights,
        "algorithm": of_recipe.algorithm,
    }
    if not pair.is_plain:
        files = [(style.weight, style.path, style.where, style.part, style.map) for style in pair.styles]
        identity["styles"] = [[share, *(file and pixels[file] for file in rest)] for share, *rest in files]
        identity["content_map"] = pair.content_map and pixels[pair.content_map]
    return hashlib.sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _keep(reference: Reference) -> str:
    """Store the pixels, so that the set can be finished without the file; return the stored name."""
    known = Source.objects.filter(pixels=reference.pixels).first()
    return (
        str(known.file.name)
        if known
        else store.put("sources", images.encode_png(reference.picture()), ".png")[0]
    )


def _new_set(
    slug: str,
    plan: Plan,
    references: dict[Path, Reference],
    files: dict[str, str],
    keys: list[str],
    owner: User | None,
) -> ImageSet:
    sources = {path: _source(reference, files, plan) for path, reference in references.items()}
    image_set = ImageSet.objects.create(
        slug=slug,
        title=plan.title,
        plan=plan.text,
        plan_sha256=plan.sha256,
        owner=owner,
    )
    rows = [
        _row(image_set, index, key, cell, sources)
        for index, (key, cell) in enumerate(zip(keys, plan.cells, strict=True))
    ]
    Cell.objects.bulk_create(rows, batch_size=500)
    CellStyle.objects.bulk_create(
        (
            style
            for row, cell in zip(rows, plan.cells, strict=True)
            for style in _style_rows(row, cell, sources)
        ),
        batch_size=500,
    )
    claims.adopt(image_set)
    return image_set


def _source(reference: Reference, files: dict[str, str], plan: Plan) -> Source:
    width, height = reference.size
    licence = plan.licences.get(reference.path.resolve(), "")
    source, _ = Source.objects.get_or_create(
        pixels=reference.pixels,
        defaults={
            "name": reference.path.name,
            "file": files[reference.pixels],
            "width": width,
            "height": height,
            "licence": licence,
        },
    )
    if licence and licence != source.licence:
        source.licence = licence
        source.save(update_fields=["licence"])
    return source


def _row(image_set: ImageSet, index: int, key: str, cell: PlannedCell, sources: dict[Path, Source]) -> Cell:
    return Cell(
        image_set=image_set,
        index=index,
        key=key,
        label=cell.label,
        is_anchor=cell.is_anchor,
        factors=cell.factors,
        recipe=cell.recipe.to_dict(),
        seed=cell.seed,
        content=sources[cell.pair.content],
        style=sources[cell.pair.style],
        content_map=sources[cell.pair.content_map] if cell.pair.content_map else None,
        content_name=cell.pair.content_name,
        style_name=cell.pair.style_name,
        weights=networks.weights_hash(cell.recipe),
        algorithm=networks.algorithm(cell.recipe),
    )


def _style_rows(row: Cell, cell: PlannedCell, sources: dict[Path, Source]) -> list[CellStyle]:
    """Return a row for each style image, or none if there is only one, without guides."""
    if cell.pair.is_plain:
        return []
    return [
        CellStyle(
            cell=row,
            place=place,
            source=sources[style.path],
            weight=style.weight,
            where=sources[style.where] if style.where else None,
            part=sources[style.part] if style.part else None,
            map=sources[style.map] if style.map else None,
        )
        for place, style in enumerate(cell.pair.styles)
    ]


def find_set(plan: Plan, keys: list[str], owner: User | None) -> tuple[str, ImageSet | None]:
    """Return the name of a plan's image set, and the set if it exists.

    A name made from the plan's title gets a number if a set of other images has it.

    Args:
        plan: The plan.
        keys: The keys of its cells.
        owner: Who asks in the browser; None for a command.

    Raises:
        PlanError: If the slug in the plan belongs to a set of other images or, with an `owner`, to somebody
            else's set.
    """
    of_file = ImageSet.objects.filter(slug=plan.file_slug).first() if plan.slug_from_title else None
    if of_file and _is_same(of_file, keys, owner):
        return of_file.slug, of_file
    if not plan.slug_from_title:
        found = ImageSet.objects.filter(slug=plan.slug).first()
        if found is not None:
            _check_same(found, plan, keys, owner)
        return plan.slug, found
    for found in ImageSet.objects.filter(slug__regex=rf"^{re.escape(plan.slug)}(-[0-9]+)?$").order_by("pk"):
        if _is_same(found, keys, owner):
            return found.slug, found
    return free_slug(plan.slug), None


def _is_same(found: ImageSet, keys: list[str], owner: User | None) -> bool:
    theirs = owner is not None and found.owner_id != owner.pk
    return not theirs and set(found.cells.values_list("key", flat=True)) == set(keys)


def _check_same(found: ImageSet, plan: Plan, keys: list[str], owner: User | None) -> None:
    """Refuse a plan whose slug belongs to a set of other images, or to somebody else's set."""
    if _is_same(found, keys, owner):
        return
    theirs = owner is not None and found.owner_id != owner.pk
    trouble = "is not yours" if theirs else "has other images than this plan"
    raise PlanError(
        f'image set "{plan.slug}" {trouble}; write slug = "{free_slug(plan.slug)}" '
        f"into the plan to make a new set (images in both are copied)"
    )


def free_slug(wanted: str, also: Iterable[str] = ()) -> str:
    """Return `wanted`, or `wanted-2`, `wanted-3` ... if image sets, or the names in `also`, have it already."""
    sets = ImageSet.objects.filter(slug__startswith=wanted[:90])
    taken = {*sets.values_list("slug", flat=True), *also}
    numbered = (f"{wanted[:90]}-{number}" for number in itertools.count(2))
    return next(slug for slug in itertools.chain([wanted], numbered) if slug not in taken)


def _relabel(found: ImageSet, plan: Plan, keys: list[str]) -> None:
    """Update title, labels and factors of a set from a plan for the same images."""
    if found.plan_sha256 == plan.sha256:
        return
    rows = {cell.key: cell for cell in found.cells.all()}
    for key, cell in zip(keys, plan.cells, strict=True):
        row = rows[key]
        row.label, row.factors, row.is_anchor = cell.label, cell.factors, cell.is_anchor
    with transaction.atomic():
        Cell.objects.bulk_update(rows.values(), ["label", "factors", "is_anchor"], batch_size=200)
        found.title, found.plan, found.plan_sha256 = plan.title, plan.text, plan.sha256
        found.save(update_fields=["title", "plan", "plan_sha256"])
