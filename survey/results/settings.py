"""How each image of a study was made: what the image set that it comes from knows of it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from generator.models import Cell, CellStyle
from generator.nst.recipes.networks import is_file
from generator.nst.recipes.presets import described
from survey.models import Stimulus, StimulusProvenance, Study

MADE: Final = "style transfer"
MADE_ELSEWHERE: Final = "style transfer, as its file says"
SCALED: Final = "content image, scaled"
TRAP: Final = "attention check of the program"
UNKNOWN: Final = "unknown"

_WHOLE: Final = ("size", "evaluations", "seed")
_COLUMNS: Final = (
    "item",
    "made",
    "image_set",
    "cell_key",
    "image_sha256",
    "preset",
    "changed",
    "method",
    "network",
    "network_sha256",
    "size",
    "ratio",
    "evaluations",
    "seed",
    "algorithm",
    "content_file",
    "content_pixels",
    "style_file",
    "style_pixels",
    "style_shares",
    "guides",
    "recipe",
)
_OF_CELL: Final = (
    "key",
    "recipe",
    "seed",
    "weights",
    "algorithm",
    "sha256",
    "content_name",
    "image_set__slug",
    "content__name",
    "content__pixels",
    "style__name",
    "style__pixels",
    "content_map__name",
    "content_map__pixels",
)
_GUIDES: Final = ("where", "part", "map")


def settings_table(study: Study) -> pd.DataFrame:
    """Return one row a stimulus: how it was made, and of what. The codebook describes each column.

    What nothing is known of has "unknown" under `made`, and is empty otherwise. No path of a file is in it.
    """
    styles, elsewhere = _styles(study), _made_elsewhere(study)
    names = [f"cell__{name}" for name in _OF_CELL]
    rows: list[dict[str, Any]] = []
    images = study.stimuli.order_by("item")
    for pk, item, role, content, condition, cell, *values in images.values_list(
        "pk", "item", "role", "content", "condition", "cell", *names
    ):
        if cell is not None:
            known = dict(zip(_OF_CELL, values, strict=True))
            rows.append({"item": item, "made": MADE} | _of_cell(known, styles.get(cell, [])))
        elif pk in elsewhere:
            rows.append({"item": item, "made": MADE_ELSEWHERE} | elsewhere[pk])
        else:
            rows.append({"item": item, "content": content, "made": _untold(item, role, content, condition)})
    _tell_references(rows, study)
    table = pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)
    numbers: dict[str, Any] = {name: table[name].astype("Int64") for name in _WHOLE}
    return table.assign(**numbers, ratio=table["ratio"].astype("float64"))


def with_recipes(settings: pd.DataFrame) -> pd.DataFrame:
    """Return the table with each recipe as a table of its own, for JSON."""
    recipes = [None if pd.isna(text) else json.loads(text) for text in settings["recipe"]]
    return settings.assign(recipe=pd.Series(recipes, index=settings.index, dtype=object))


def _untold(item: str, role: str, content: str, condition: str) -> str:
    """Return how an image that is of no image set came to be."""
    if role == Stimulus.Role.TRAP:
        return TRAP
    is_reference = role == Stimulus.Role.REFERENCE and condition == "reference"
    return SCALED if is_reference and item == f"reference-{content}" else UNKNOWN


def _of_cell(known: Mapping[str, Any], styles: list[dict[str, Any]]) -> dict[str, Any]:
    recipe = without_folders(known["recipe"])
    beta = recipe.get("beta")
    own = [(known["style__name"], known["style__pixels"])]
    sources = [(one["source__name"], one["source__pixels"]) for one in styles] or own
    return {
        "image_set": known["image_set__slug"],
        "cell_key": known["key"],
        "image_sha256": known["sha256"],
        "preset": recipe.get("preset") or None,
        "changed": _changed(recipe),
        **{name: recipe.get(name) for name in ("method", "network", "size", "evaluations")},
        "network_sha256": known["weights"],
        "ratio": recipe["alpha"] / beta if beta and "alpha" in recipe else None,
        "seed": known["seed"],
        "algorithm": known["algorithm"],
        "content_file": base_name(known["content__name"]),
        "content_pixels": known["content__pixels"],
        "style_file": "; ".join(base_name(name) for name, _ in sources),
        "style_pixels": "; ".join(pixels for _, pixels in sources),
        "style_shares": "; ".join(f"{one['weight']:g}" for one in styles) if len(styles) > 1 else None,
        "guides": "; ".join(_guides(known, styles)) or None,
        "recipe": json.dumps(recipe, sort_keys=True, ensure_ascii=False),
    }


def _made_elsewhere(study: Study) -> dict[int, dict[str, Any]]:
    """Return {stimulus: its row}, of images whose files say how they were made."""
    told = StimulusProvenance.objects.filter(stimulus__study=study).values_list(
        "stimulus", "account", "sha256"
    )
    return {pk: _of_account(account, sha256) for pk, account, sha256 in told.iterator()}


def _of_account(account: Mapping[str, Any], sha256: str) -> dict[str, Any]:
    """Return the row of an image by its provenance, as a cell's columns would give it."""
    known = {name: account[name] for name in ("key", "recipe", "seed", "algorithm")}
    known |= {"weights": account["weights"]["sha256"], "sha256": sha256}
    known["image_set__slug"] = account["image_set"]
    known |= _named(account, ("content", "style", "content_map"))
    styles = [
        {"weight": one["weight"], "source__name": one["file"], "source__pixels": one["pixels"]}
        | _named(one, _GUIDES)
        for one in account.get("styles", [])
    ]
    return _of_cell(known, styles)


def _named(account: Mapping[str, Any], roles: Iterable[str]) -> dict[str, Any]:
    """Return {"content__name": its file, "content__pixels": its hash} and so on, None for what there is not."""
    found = ((role, account.get(role) or {}) for role in roles)
    return {
        f"{role}__{to}": one.get(key)
        for role, one in found
        for to, key in (("name", "file"), ("pixels", "pixels"))
    }


def _guides(known: Mapping[str, Any], styles: list[dict[str, Any]]) -> list[str]:
    """Return each mask and map with what it guides and the hash of its pixels."""
    said = []
    if known["content_map__name"]:
        said.append(f"content map: {base_name(known['content_map__name'])} ({known['content_map__pixels']})")
    for place, one in enumerate(styles, 1):
        said += [
            f"style {place} {guide}: {base_name(one[f'{guide}__name'])} ({one[f'{guide}__pixels']})"
            for guide in _GUIDES
            if one[f"{guide}__name"]
        ]
    return said


def _styles(study: Study) -> dict[int, list[dict[str, Any]]]:
    """Return {cell: its style images in order}, of cells with several or with guides."""
    of_sources = [f"{role}__{name}" for role in ("source", *_GUIDES) for name in ("name", "pixels")]
    rows = CellStyle.objects.filter(cell__in=study.stimuli.exclude(cell=None).values("cell"))
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.order_by("cell", "place").values("cell", "weight", *of_sources):
        found[row["cell"]].append(row)
    return found


def _tell_references(rows: list[dict[str, Any]], study: Study) -> None:
    """Name the content image of each reference that was made from one."""
    if not any(row["made"] == SCALED for row in rows):
        return
    cells = Cell.objects.filter(pk__in=study.stimuli.exclude(cell=None).values("cell"))
    known: dict[str, tuple[str, str, str]] = {}
    named = cells.order_by("image_set", "index")
    for name, *source in named.values_list(
        "content_name", "image_set__slug", "content__name", "content__pixels"
    ):
        known.setdefault(Path(name).stem, (source[0], source[1], source[2]))
    for row in rows:
        if row["made"] != SCALED:
            continue
        if row["content"] not in known:
            row["made"] = UNKNOWN
            continue
        image_set, file, pixels = known[row["content"]]
        row |= {"image_set": image_set, "content_file": base_name(file), "content_pixels": pixels}


def _changed(recipe: Mapping[str, Any]) -> str | None:
    """Return what a recipe changes in its preset, as "size = 64; evaluations = 10"; None where that is not known."""
    name = str(recipe.get("preset") or "")
    preset = described(name)
    if preset is None:
        return None
    base = preset.recipe.to_dict() | {"preset": name}
    # PostgreSQL keeps a recipe's keys in an order of its own.
    order = [*(key for key in base if key in recipe), *sorted(recipe.keys() - base.keys())]
    changes = (key for key in order if key not in base or base[key] != recipe[key])
    return "; ".join(f"{key} = {json.dumps(recipe[key], ensure_ascii=False)}" for key in changes)


def without_folders(value: Any) -> Any:
    """Return a recipe or a provenance whose networks, where they are files, are named without their folders."""
    if isinstance(value, list):
        return [without_folders(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: base_name(one)
        if key == "network" and isinstance(one, str) and is_file(one)
        else without_folders(one)
        for key, one in value.items()
    }


def base_name(path: str) -> str:
    """Return a file's name without its folders, of any system."""
    return re.split(r"[\\/]", path)[-1]
