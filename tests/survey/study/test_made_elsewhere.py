"""A PNG that another site made keeps its settings: the study says how each image was made, if its file does."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from generator.files.images import PROVENANCE_KEY, ImageError, encode_png, pixel_hash, read_provenance
from generator.models import SourceProvenance, Upload
from generator.nst.recipes.effects import idle
from generator.nst.recipes.presets import FORMER, PRESETS, preset
from generator.sets import uploads
from generator.sets.folder import factor_rows, factors_csv
from survey.exports.images import write_images
from survey.exports.making_words import making_words
from survey.models import Stimulus, StimulusProvenance, Study
from survey.results.settings import settings_table
from survey.results.tidy_table import column_names
from survey.study.lifecycle import copy
from survey.study.pictures import pictures_of_uploads
from survey.study.publish import publish, publish_folder
from survey.study.recast import recast
from survey.study.study_file import parse
from tests.generator.rows import make_set
from tests.survey.factories import picture

pytestmark = pytest.mark.django_db

RECIPE = preset("modern").replace(size=64, ratio=0.01, network="/home/ada/own.pth").to_dict()
STYLES = [
    {"name": "waves", "file": "/home/ada/waves.png", "pixels": "9" * 64, "weight": 0.75, "where": None, "part": None, "map": None},
    {"name": "grid", "file": "grid.png", "pixels": "7" * 64, "weight": 0.25, "part": None, "map": None}
    | {"where": {"name": "mask.png", "file": "mask.png", "pixels": "6" * 64}},
]  # fmt: skip


def account(image: Image.Image, **more: Any) -> dict[str, Any]:
    """Return a provenance as `generator.making.provenance` writes it, in the keys that tables show and a few others."""
    return {
        "format": 1,
        "key": "a" * 64,
        "image_set": "grid",
        "algorithm": "3",
        "recipe": RECIPE,
        "seed": 7,
        "content": {"name": "cat.jpg", "file": "/home/ada/cat.jpg", "pixels": "8" * 64, "licence": ""},
        "style": {"name": "waves.png", "file": "waves.png", "pixels": "9" * 64, "licence": ""},
        "weights": {"network": "/home/ada/own.pth", "sha256": "2" * 64, "origin": "a file"},
        "curve": {"content": [1.0, 0.5]},
        "image": {"width": image.width, "height": image.height, "pixels": pixel_hash(image)},
    } | more


def folder_of(folder: Path, *accounts: dict[str, Any]) -> Path:
    """Write one PNG for each provenance."""
    folder.mkdir(exist_ok=True)
    for number, told in enumerate(accounts):
        (folder / f"made-{number}.png").write_bytes(encode_png(picture(number), told))
    return folder


def row_of(study: Study, item: str = "made-0") -> dict[str, Any]:
    return dict(settings_table(study).set_index("item").loc[item])


def archive_of(study: Study) -> zipfile.ZipFile:
    target = io.BytesIO()
    write_images(study, target)
    return zipfile.ZipFile(target)


def test_the_settings_in_a_file_are_those_of_its_image(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "out", account(picture(0)))
    row = row_of(publish_folder(folder, "study"))
    assert (row["made"], row["image_set"]) == ("style transfer, as its file says", "grid")
    assert (row["preset"], row["network"], row["network_sha256"]) == ("modern", "own.pth", "2" * 64)
    assert (row["size"], row["seed"], row["algorithm"]) == (64, 7, "3")
    assert (row["cell_key"], row["ratio"]) == ("a" * 64, pytest.approx(0.01))
    assert (row["content_file"], row["content_pixels"]) == ("cat.jpg", "8" * 64)
    assert (row["style_file"], row["style_pixels"]) == ("waves.png", "9" * 64)
    assert row["image_sha256"] == hashlib.sha256((folder / "made-0.png").read_bytes()).hexdigest()
    assert json.loads(row["recipe"]) == RECIPE | {"network": "own.pth"}


def test_several_styles_and_guides_of_a_file_are_named(tmp_path: Path) -> None:
    told = account(picture(0), styles=STYLES, content_map=STYLES[1]["where"])
    row = row_of(publish_folder(folder_of(tmp_path / "out", told), "study"))
    assert (row["style_file"], row["style_shares"]) == ("waves.png; grid.png", "0.75; 0.25")
    assert row["guides"] == f"content map: mask.png ({'6' * 64}); style 2 where: mask.png ({'6' * 64})"


def test_content_and_style_come_from_the_file_where_no_table_names_them(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "out", account(picture(0)), account(picture(1)))
    (folder / "items.csv").write_text("file,content\nmade-1.png,dog\n")
    publish_folder(folder, "study")
    named = Stimulus.objects.order_by("item").values_list("content", "style")
    assert list(named) == [("cat", "waves"), ("dog", "waves")]


def test_the_images_of_the_study_come_with_the_provenance_of_their_files(tmp_path: Path) -> None:
    network = {"network": "vgg16", "sha256": "2" * 64}
    told = account(picture(0), recipe={"network": "vgg16"}, weights=network)
    folder = folder_of(tmp_path / "out", told)
    archive = archive_of(publish_folder(folder, "study"))
    assert archive.read("made-0.png") == (folder / "made-0.png").read_bytes()
    assert pd.read_csv(io.BytesIO(archive.read("images.csv")))["provenance"].tolist() == ["yes"]


def test_no_path_of_the_other_site_is_in_the_images(tmp_path: Path) -> None:
    archive = archive_of(publish_folder(folder_of(tmp_path / "out", account(picture(0))), "study"))
    archive.extractall(tmp_path / "zip")
    told = read_provenance(tmp_path / "zip/made-0.png")
    assert told["recipe"]["network"] == told["weights"]["network"] == "own.pth"


def test_participants_get_the_image_without_its_settings(tmp_path: Path) -> None:
    study = publish_folder(folder_of(tmp_path / "out", account(picture(0))), "study")
    with study.stimuli.get().image.open() as file:
        assert PROVENANCE_KEY.encode() not in file.read()


def test_a_picture_that_was_changed_afterwards_is_not_what_its_settings_made(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    study = publish_folder(folder_of(tmp_path / "out", account(picture(5))), "study")
    assert row_of(study)["made"] == "unknown"
    assert "made-0: was changed after it was made" in caplog.text
    assert not StimulusProvenance.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"recipe": "gone"},
        {"seed": "7"},
        {"seed": 2**63},
        {"recipe": RECIPE | {"alpha": "1"}},
        {"recipe": RECIPE | {"of_a_later_version": 1}},
        {"note": "\0"},
        {"note": "\ud800"},
        {"note": float("nan")},
        {"note": json.loads("[" * 30 + "]" * 30)},
        {"key": "short"},
        {"content": None},
        {"styles": [{}]},
        {"weights": {"network": "vgg16"}},
        {"image_set": "x" * 501},
    ],
)
def test_a_provenance_that_cannot_be_read_is_said_and_the_image_is_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, change: dict[str, Any]
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    chunks = PngInfo()
    chunks.add_itxt(PROVENANCE_KEY, json.dumps(account(picture(0), **change)))
    picture(0).save(folder / "made-0.png", pnginfo=chunks)
    study = publish_folder(folder, "study")
    assert row_of(study)["made"] == "unknown"
    assert "made-0.png: its provenance cannot be read" in caplog.text


@pytest.mark.parametrize("text", ["{", "[1]", "7", "[" * 100_000])
def test_a_text_that_is_no_provenance_harms_nothing(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    chunks = PngInfo()
    chunks.add_itxt(PROVENANCE_KEY, text)
    picture(0).save(folder / "made-0.png", pnginfo=chunks)
    assert row_of(publish_folder(folder, "study"))["made"] == "unknown"
    with pytest.raises(ImageError, match="its provenance cannot be read"):
        read_provenance(folder / "made-0.png")


def test_a_copy_of_the_study_and_a_new_cast_keep_the_settings(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "out", account(picture(0)), account(picture(1)))
    study = publish_folder(folder, "study")
    made = copy(study, "second", None)
    assert row_of(made) == row_of(study)
    recast(study, parse('title = "T"\n[images]\npractice = ["made-1"]\n', "study.toml"))
    assert set(settings_table(study)["made"]) == {"style transfer, as its file says"}


def uploaded(told: dict[str, Any]) -> tuple[uploads.Received, list[Upload]]:
    """Upload the picture 0 with a provenance."""
    ada = User.objects.create_user("ada")
    file = SimpleUploadedFile("made-0.png", encode_png(picture(0), told))
    return uploads.receive(ada, [file]), list(Upload.objects.filter(owner=ada))


def test_an_uploaded_picture_keeps_its_settings(tmp_path: Path) -> None:
    told = account(picture(0))
    received, kept = uploaded(told)
    assert not any("exports will not say" in line for line in received.doubtful)
    with kept[0].source.file.open() as file:
        assert PROVENANCE_KEY.encode() not in file.read()
    study = publish("uploaded", parse('title = "T"', "study.toml"), pictures_of_uploads(kept))
    assert study.stimuli.get().content == "cat"
    assert row_of(study) == row_of(publish_folder(folder_of(tmp_path / "out", told), "folder"))


@pytest.mark.parametrize(
    ("told", "why"),
    [(account(picture(5)), "was changed after it was made"), ({"format": 2}, "provenance cannot be read")],
)
def test_an_upload_whose_settings_do_not_count_says_so(told: dict[str, Any], why: str) -> None:
    received, kept = uploaded(told)
    assert why in received.doubtful[-1]
    study = publish("uploaded", parse('title = "T"', "study.toml"), pictures_of_uploads(kept))
    assert row_of(study)["made"] == "unknown"


def test_a_deleted_upload_takes_its_settings_along() -> None:
    (upload,) = uploaded(account(picture(0)))[1]
    assert SourceProvenance.objects.exists()
    uploads.remove(upload)
    assert not SourceProvenance.objects.exists()


def test_files_that_the_study_file_names_keep_theirs(tmp_path: Path) -> None:
    folder_of(tmp_path / "more", account(picture(0)))
    images = folder_of(tmp_path / "out")
    picture(8).save(images / "plain.png")
    definition = parse('title = "T"\nfiles = ["more/*.png"]\n', "study.toml")
    study = publish_folder(images, "study", definition=definition, base=tmp_path)
    assert dict(settings_table(study)[["item", "made"]].to_numpy()) == {
        "made-0": "style transfer, as its file says",
        "plain": "unknown",
    }


def test_the_methods_text_says_how_they_were_made(tmp_path: Path) -> None:
    study = publish_folder(folder_of(tmp_path / "out", account(picture(0))), "study")
    settings = settings_table(study)
    said = making_words(settings, settings.assign(role="main"))
    assert said.startswith("One image was made by neural style transfer")
    assert "All of them" not in said


def test_the_methods_text_can_be_written_for_every_preset(tmp_path: Path) -> None:
    names = [*PRESETS, *FORMER]
    told = [account(picture(number), recipe=preset(name).to_dict()) for number, name in enumerate(names)]
    settings = settings_table(publish_folder(folder_of(tmp_path / "out", *told), "study"))
    for number, name in enumerate(names):
        row = settings[settings["item"] == f"made-{number}"]
        said = making_words(row, row.assign(role="main"))
        assert f"preset “{name}”" in said
        assert ("seed 7" in said) == ("seed" not in idle(preset(name)))


def test_seeds_that_differ_are_listed(tmp_path: Path) -> None:
    recipe = preset("modern").replace(init="noise").to_dict()
    told = [account(picture(number), recipe=recipe, seed=number + 1) for number in range(3)]
    settings = settings_table(publish_folder(folder_of(tmp_path / "out", *told), "study"))
    assert "They differed in seed (1, 2, 3)." in making_words(settings, settings.assign(role="main"))


def test_what_was_measured_on_the_images_comes_along_as_covariates(tmp_path: Path) -> None:
    made = make_set(keys="ab")
    for number, cell in enumerate(made.cells.order_by("index")):
        cell.covariates = {"version": 1, "network": "vgg16", "ssim": 0.25 * number, "near_duplicate_of": None}
        cell.save()
    folder = folder_of(tmp_path / "out", account(picture(0)), account(picture(1)))
    named = zip(("made-0.png", "made-1.png"), made.cells.order_by("index"), strict=True)
    (folder / "items.csv").write_bytes(factors_csv(factor_rows(named)))
    study = publish_folder(folder, "study")
    told = list(study.stimuli.order_by("item").values_list("factors", "covariates"))
    assert told == [
        ({"ratio": 0}, {"version": 1, "ssim": 0.0}),
        ({"ratio": 1}, {"version": 1, "ssim": 0.25}),
    ]
    factors, covariates = column_names(study)
    assert (factors, covariates) == ({"ratio": "ratio"}, {"ssim": "ssim", "version": "covariate_version"})
