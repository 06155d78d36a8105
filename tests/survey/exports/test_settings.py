"""From the export alone each image is traced to its settings; nothing tells of the site's machine."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from functools import partial
from typing import Any

import pandas as pd
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from generator.files.images import encode_png, read_provenance
from generator.models import Cell, CellStyle, ImageSet, Source
from generator.nst.recipes.presets import preset
from survey.exports.files import csv_files, results_document
from survey.exports.images import write_images
from survey.exports.pairs import PAIR_FORMATS, collect_pairs
from survey.exports.tables import json_bytes
from survey.models import Study
from survey.results.collect import collect
from survey.results.settings import settings_table
from survey.session.starting import start
from survey.study.pictures import Picture, pictures_of_set
from survey.study.publish import publish
from survey.study.study_file import parse
from tests.survey.exports.studies import give_ratings
from tests.survey.factories import make_study, picture, rate_all

pytestmark = pytest.mark.django_db

FOLDER = "/home/ada/nets"


def source(name: str, colour: int) -> Source:
    made = Source(pixels=str(colour) * 64, name=name, width=48, height=32)
    made.file.save(name, ContentFile(encode_png(picture(colour))))
    return made


def image_set(**recipe: Any) -> ImageSet:
    """Return a set of two finished images, with their provenance in their files."""
    made = ImageSet.objects.create(slug="grid", title="A grid", plan="", plan_sha256="0" * 64)
    content, style = source("cat.jpg", 8), source("waves.png", 9)
    for index, ratio in enumerate((0.01, 0.1)):
        settings = preset("modern").replace(size=64, ratio=ratio).to_dict() | recipe
        account = {"recipe": settings, "weights": {"network": settings["network"], "sha256": "2" * 64}}
        data = encode_png(picture(index), account)
        cell = Cell(
            image_set=made,
            index=index,
            key=str(index) * 64,
            label=f"cat × waves, ratio {ratio}",
            factors={"content": "cat", "style": "waves", "ratio": ratio},
            # As PostgreSQL gives it: in another order than the preset's.
            recipe=dict(reversed(settings.items())),
            seed=7,
            content=content,
            style=style,
            content_name="cat",
            style_name="waves",
            weights="2" * 64,
            algorithm="3",
            status=Cell.Status.DONE,
            width=48,
            height=32,
            sha256=hashlib.sha256(data).hexdigest(),
            made_at="2026-01-01T00:00Z",
            provenance=account,
        )
        cell.image.save("cell.png", ContentFile(data), save=True)
    return made


def study_of(made: ImageSet, toml: str = "") -> Study:
    """Return a rated study of a set and of one image from elsewhere."""
    definition = parse(f'title = "A study"\n{toml}', "study.toml")
    pictures = [
        *pictures_of_set(made, definition),
        Picture("from elsewhere", partial(picture, 5), content="cat"),
    ]
    study = publish("study", definition, pictures)
    if study.method == Study.Method.PAIR:
        rate_all(start(study))
    else:
        give_ratings(study, 3)
    return study


def archive_of(study: Study) -> zipfile.ZipFile:
    target = io.BytesIO()
    write_images(study, target)
    return zipfile.ZipFile(target)


def test_each_image_is_traced_to_its_settings_by_the_table_alone():
    study = study_of(image_set())
    table = pd.read_csv(io.BytesIO(csv_files(collect(study))["settings.csv"])).set_index("item")
    row = table.loc["cat × waves, ratio 0.01"]
    assert (row["made"], row["image_set"], row["preset"], row["network"]) == (
        "style transfer",
        "grid",
        "modern",
        "vgg16",
    )
    assert (row["size"], row["seed"], row["algorithm"], row["network_sha256"]) == (64, 7, 3, int("2" * 64))
    assert row["ratio"] == pytest.approx(0.01)
    assert (row["content_file"], row["style_file"]) == ("cat.jpg", "waves.png")
    cell = Cell.objects.get(index=0)
    assert row["image_sha256"] == cell.sha256
    assert json.loads(str(row["recipe"])) == cell.recipe
    assert row["changed"].startswith("alpha = ")
    assert row["changed"].endswith("size = 64")


def test_json_holds_the_recipe_as_a_table():
    document = json.loads(json_bytes(results_document(collect(study_of(image_set())))))
    (row,) = (row for row in document["settings"] if row["item"] == "cat × waves, ratio 0.1")
    assert row["recipe"] == Cell.objects.get(index=1).recipe


def test_what_nothing_is_known_of_is_said_to_be_unknown():
    for study in (study_of(image_set()), make_study(slug="other")):
        table = settings_table(study).set_index("item")
        others = table[table["made"] != "style transfer"]
        assert set(others["made"]) == {"unknown"}
        assert others.drop(columns="made").isna().all(axis=None)


def test_references_and_attention_checks_say_what_they_are():
    table = settings_table(study_of(image_set(), 'method = "dcr"\n[images]\ntrap = 2\n')).set_index("item")
    assert table.loc["reference-cat", "made"] == "content image, scaled"
    assert table.loc["reference-cat", "content_file"] == "cat.jpg"
    assert table.loc["trap-en", "made"] == "attention check of the program"


def test_several_styles_and_masks_are_named_with_their_hashes():
    made = image_set()
    cell = Cell.objects.get(index=0)
    mask = source("mask.png", 6)
    for place, (one, weight) in enumerate([(cell.style, 0.75), (source("grid.png", 7), 0.25)]):
        CellStyle.objects.create(
            cell=cell, place=place, source=one, weight=weight, where=mask if place else None
        )
    row = settings_table(study_of(made)).set_index("item").loc[cell.label]
    assert (row["style_file"], row["style_shares"]) == ("waves.png; grid.png", "0.75; 0.25")
    assert row["style_pixels"] == f"{'9' * 64}; {'7' * 64}"
    assert row["guides"] == f"style 2 where: mask.png ({'6' * 64})"


def test_pair_studies_trace_their_images_too():
    export = collect_pairs(study_of(image_set(), 'method = "pair"\n'))
    assert "ratio 0.01" in PAIR_FORMATS["csv"](export)["settings.csv"].decode()
    document = json.loads(PAIR_FORMATS["json"](export)["results.json"])
    assert {row["made"] for row in document["settings"]} == {"style transfer", "unknown"}


def test_the_images_come_with_their_provenance_under_the_names_of_their_set(tmp_path):
    study = study_of(image_set())
    archive = archive_of(study)
    names = ["cat-waves-ratio-0.01.png", "cat-waves-ratio-0.1.png", "from-elsewhere.png"]
    assert archive.namelist() == [*names, "images.csv", "settings.csv", "README.txt"]
    archive.extractall(tmp_path)
    assert read_provenance(tmp_path / names[1])["recipe"] == Cell.objects.get(index=1).recipe
    table = pd.read_csv(tmp_path / "images.csv").set_index("file")
    assert table["provenance"].to_dict() == dict(zip(names, ("yes", "yes", "no"), strict=True))
    for name, row in table.iterrows():
        assert row["sha256"] == hashlib.sha256((tmp_path / str(name)).read_bytes()).hexdigest()
        assert row["shown_sha256"] == study.stimuli.get(item=row["item"]).sha256
    again = io.BytesIO()
    write_images(study, again)
    assert again.getvalue() == archive.fp.getvalue()


@pytest.mark.parametrize("fault", ["gone", "another"])
def test_a_file_that_is_gone_or_is_another_is_replaced_by_what_people_saw(fault):
    study = study_of(image_set())
    name = str(Cell.objects.get(index=0).image.name)
    default_storage.delete(name)
    if fault == "another":
        default_storage.save(name, ContentFile(encode_png(picture(77), {"recipe": {}})))
    data = archive_of(study).read("cat-waves-ratio-0.01.png")
    assert hashlib.sha256(data).hexdigest() == study.stimuli.get(item="cat × waves, ratio 0.01").sha256


def test_no_path_of_the_sites_machine_is_in_tables_or_images(tmp_path):
    study = study_of(image_set(network=f"{FOLDER}/own.pth"))
    export = collect(study)
    for data in (*csv_files(export).values(), json_bytes(results_document(export))):
        assert FOLDER.encode() not in data
    archive = archive_of(study)
    archive.extractall(tmp_path)
    assert all(b"/home/ada" not in archive.read(name) for name in archive.namelist())
    account = read_provenance(tmp_path / "cat-waves-ratio-0.1.png")
    assert account["recipe"]["network"] == account["weights"]["network"] == "own.pth"


def test_participants_get_no_settings():
    study = study_of(image_set())
    for stimulus in study.stimuli.all():
        with stimulus.image.open() as file:
            assert b"nstsite" not in file.read()
