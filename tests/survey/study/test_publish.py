"""Images become a study: copied without metadata under opaque names, all of them or none."""

from __future__ import annotations

import datetime as dt
import hashlib
import io

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from generator.files import images
from generator.files.images import ImageError, encode_png
from generator.models import Cell, ImageSet, Source
from generator.signals import described
from survey.models import Stimulus, Study
from survey.session.starting import start
from survey.study.definition import Definition
from survey.study.erasure import purge
from survey.study.lifecycle import copy
from survey.study.pictures import PublishError
from survey.study.publish import publish_folder, publish_image_set
from survey.study.revise import revise
from survey.study.study_file import parse
from tests.survey.factories import definition, folder_of_pictures, make_study, picture

pytestmark = pytest.mark.django_db


def image_set(count: int = 2) -> ImageSet:
    """Return a set with finished cells whose files carry their provenance, and one that failed."""
    made = ImageSet.objects.create(slug="grid", title="A grid", plan="", plan_sha256="0" * 64)
    source = Source(pixels="1" * 64, name="cat.jpg", width=48, height=32)
    source.file.save("cat.png", ContentFile(encode_png(picture(9))))
    for index in range(count):
        data = encode_png(picture(index), {"recipe": "a secret of the setting"})
        cell = Cell(
            image_set=made,
            index=index,
            key=str(index) * 64,
            label=f"cat wave ratio {index}",
            factors={"content": "cat", "style": "wave", "ratio": index / 10},
            recipe={},
            seed=1,
            content=source,
            style=source,
            content_name="cat.jpg",
            style_name="wave.jpg",
            weights="2" * 64,
            algorithm="1",
            status=Cell.Status.DONE,
            width=48,
            height=32,
            sha256=hashlib.sha256(data).hexdigest(),
            made_at="2026-01-01T00:00Z",
            covariates={"ssim": 0.5 + index, "note": "text"},
        )
        cell.image.save("cell.png", ContentFile(data), save=True)
    failed = Cell.objects.get(index=0)
    failed.pk, failed.index, failed.key = None, 99, "f" * 64
    failed.status, failed.reason, failed.image = Cell.Status.FAILED, "NaN", ""
    failed.save()
    return made


def stored() -> set[str]:
    try:
        return set(default_storage.listdir("stimuli")[1])
    except FileNotFoundError:
        return set()


def test_covariates_measured_after_publishing_reach_the_study():
    made = image_set()
    Cell.objects.update(covariates={})
    study = publish_image_set(made, "grid")
    copied = copy(study, "again", None)
    assert {str(row.covariates) for row in study.stimuli.all()} == {"{}"}
    Cell.objects.filter(status=Cell.Status.DONE).update(covariates={"ssim": 0.25, "note": "text"})
    described.send(sender=ImageSet, image_set=made)
    for each in (study, copied):
        assert [row.covariates for row in each.stimuli.all()] == [{"ssim": 0.25}] * 2


def test_covariates_that_a_study_has_stay_as_they_are():
    made = image_set()
    study = publish_image_set(made, "grid")
    Cell.objects.update(covariates={"ssim": 9})
    described.send(sender=ImageSet, image_set=made)
    assert sorted(row.covariates["ssim"] for row in study.stimuli.all()) == [0.5, 1.5]


def test_an_image_set_becomes_a_study_with_its_factors():
    study = publish_image_set(image_set(), "grid")
    first, second = study.stimuli.order_by("item")
    assert study.state == Study.State.OPEN
    assert (first.content, first.style, first.condition) == ("cat", "wave", "ratio 0.0")
    assert (second.factors, second.covariates) == ({"ratio": 0.1}, {"ssim": 1.5})
    assert second.cell.label == "cat wave ratio 1"


def test_a_list_of_layers_is_one_level_by_its_names():
    made = image_set()
    made.cells.update(factors={"content": "cat", "style": "wave", "style_layers": ["conv1_1", "conv2_1"]})
    stimulus = publish_image_set(made, "study").stimuli.first()
    assert stimulus.factors == {"style_layers": "conv1_1+conv2_1"}
    assert stimulus.condition == "style_layers conv1_1+conv2_1"


def test_a_set_without_a_finished_image_is_refused():
    ImageSet.objects.create(slug="empty", title="Empty", plan="", plan_sha256="0" * 64)
    with pytest.raises(PublishError, match="no finished image"):
        publish_image_set(ImageSet.objects.get(), "empty")


def test_the_content_images_are_the_references_where_the_method_needs_them():
    study = publish_image_set(image_set(), "grid", definition=definition('method = "dcr"'))
    reference = study.stimuli.get(role=Stimulus.Role.REFERENCE)
    assert (reference.item, reference.content, reference.width) == ("reference-cat", "cat", 48)


def test_no_metadata_is_left_in_the_bytes(tmp_path):
    """A prompt or a camera's position in the file would break the blinding, or a person's privacy."""
    info = PngInfo()
    info.add_text("prompt", "a secret of the setting")
    exif = Image.Exif()
    exif[0x010E] = "a secret of the setting"
    picture(1).save(tmp_path / "a.png", pnginfo=info, exif=exif)
    picture(2).save(tmp_path / "b.jpg", exif=exif)
    study = publish_folder(tmp_path, "folder")
    publish_image_set(image_set(), "grid")
    for stimulus in Stimulus.objects.all():
        with default_storage.open(str(stimulus.image.name)) as file:
            data = file.read()
        assert b"secret" not in data
        with Image.open(io.BytesIO(data)) as image:
            assert not image.getexif()
            assert "prompt" not in image.info
        assert stimulus.sha256 == hashlib.sha256(data).hexdigest()
    assert study.stimuli.count() == 2


def test_names_are_opaque():
    study = make_study()
    for stimulus in study.stimuli.all():
        assert stimulus.content not in str(stimulus.image.name)
        assert len(stimulus.name) == 22


def test_a_folder_says_more_in_items_csv(tmp_path):
    folder_of_pictures(tmp_path, ["a.png", "b.png"])
    (tmp_path / "items.csv").write_text(
        "file,content,condition,ratio,note\na.png,cat,weak,0.5,x\n", encoding="utf-8"
    )
    study = publish_folder(tmp_path, "folder")
    a = study.stimuli.get(item="a")
    assert (a.content, a.condition, a.factors) == ("cat", "weak", {"ratio": 0.5, "note": "x"})
    assert study.stimuli.get(item="b").factors == {}


def test_what_macos_puts_beside_a_picture_is_no_picture(tmp_path):
    folder_of_pictures(tmp_path, ["a.png"])
    (tmp_path / "._a.png").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
    assert [stimulus.item for stimulus in publish_folder(tmp_path, "folder").stimuli.all()] == ["a"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("file,content\nc.png,cat\n", "no image 'c.png'"),
        ("file,content\na.png,cat,extra\n", "not as many values"),
        ("file,content\na.png\n", "not as many values"),
        ("content\ncat\n", "no image ''"),
    ],
)
def test_a_mistake_in_items_csv_names_the_line(tmp_path, text, complaint):
    folder_of_pictures(tmp_path, ["a.png"])
    (tmp_path / "items.csv").write_text(text, encoding="utf-8")
    with pytest.raises(PublishError, match=f"line 2: {complaint}"):
        publish_folder(tmp_path, "folder")


def test_one_bad_image_publishes_nothing_and_leaves_no_file(tmp_path):
    folder_of_pictures(tmp_path, ["a.png", "b.png"])
    whole = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[:-30])
    before = stored()
    with pytest.raises(ImageError, match=r"b\.png"):
        publish_folder(tmp_path, "folder")
    assert not Study.objects.exists()
    assert stored() == before


def test_a_taken_name_is_refused_and_the_study_stays():
    study = make_study()
    with pytest.raises(PublishError, match="exists already"):
        make_study()
    assert list(Study.objects.all()) == [study]


@pytest.mark.parametrize("slug", ["", "a b", "ä", "../x", "x" * 51])
def test_a_name_that_fits_no_address_is_refused(slug):
    with pytest.raises(PublishError, match="study"):
        make_study(slug=slug)


def test_roles_are_given_by_name():
    study = make_study(
        '[images]\npractice = ["owl-*"]\ntrap = 4\n[[images.gold]]\nitem = "dog-weak"\nanswer = 1\n'
    )
    roles = dict(study.stimuli.values_list("item", "role"))
    assert roles == {
        "cat-weak": "main",
        "cat-strong": "main",
        "dog-weak": "gold",
        "dog-strong": "main",
        "owl-weak": "practice",
        "owl-strong": "practice",
        "trap-en": "trap",
    }
    assert study.stimuli.get(item="dog-weak").expected == 1


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ('[images]\npractice = ["lynx-*"]', "images.practice: 'lynx-\\*' fits no image"),
        ('[images]\npractice = ["*"]', "no image is left to rate"),
        ('method = "dcr"\n[images]\nreferences = ["cat-weak"]', "content 'dog' has none"),
        ('method = "acr-hr"\n[images]\nreferences = ["*-weak", "cat-strong"]', "more than one reference"),
        ('method = "pair"\n[images]\npractice = ["*-weak"]', "no content here has two"),
        ('files = ["*.nothing"]', "fits no image"),
    ],
)
def test_a_role_that_fits_nothing_is_refused(toml, complaint):
    with pytest.raises(PublishError, match=complaint):
        make_study(toml)
    assert not Study.objects.exists()


def test_images_of_one_name_are_numbered(tmp_path):
    folder_of_pictures(tmp_path, ["a.png"])
    picture(5).save(tmp_path / "a.jpg")
    study = publish_folder(tmp_path, "folder")
    assert list(study.stimuli.values_list("item", flat=True)) == ["a #1", "a #2"]


def test_the_command_publishes_a_folder_by_a_study_file(tmp_path, capsys):
    folder_of_pictures(tmp_path / "images", ["a.png", "b.png"])
    folder_of_pictures(tmp_path, ["warm.png"])
    file = tmp_path / "study.toml"
    file.write_text('title = "T"\nfiles = ["warm.png"]\n[images]\npractice = ["warm"]\n', encoding="utf-8")
    call_command("create_study", "made", "--images", str(tmp_path / "images"), "--from", str(file))
    assert "3 images at http://127.0.0.1:8000/s/made/" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--set", "gird"], "no image set 'gird'.*did you mean 'grid'.*there are: grid"),
        (["--images", "/nowhere"], "/nowhere: no such folder"),
        (["--set", "grid", "--from", "/nowhere.toml"], "/nowhere.toml: No such file"),
    ],
)
def test_the_command_answers_bad_input_in_one_line_with_exit_2(arguments, complaint):
    image_set()
    with pytest.raises(CommandError, match=complaint) as caught:
        call_command("create_study", "made", *arguments)
    assert caught.value.returncode == 2
    assert "\n" not in str(caught.value)


@pytest.mark.django_db(transaction=True)
def test_images_are_prepared_before_the_database_is_locked(monkeypatch):
    """On SQLite a transaction that lasts as long as a hundred images keeps every rating out."""
    locked = []
    encode = images.encode_png

    def note(image):
        locked.append(connection.in_atomic_block)
        return encode(image)

    monkeypatch.setattr(images, "encode_png", note)
    make_study()
    assert locked == [False] * 6


@pytest.mark.parametrize("day", ["2020-01-01", "today"])
def test_a_purge_date_that_has_come_is_refused(day):
    day = timezone.localdate().isoformat() if day == "today" else day
    with pytest.raises(PublishError, match=r"purge_on: .* give a day to come"):
        make_study(f"purge_on = {day}\n")
    assert not Study.objects.exists()
    study = make_study()
    with pytest.raises(PublishError, match="purge_on"):
        revise(study, definition(f"purge_on = {day}\n"))


def test_a_study_past_its_purge_date_can_still_be_revised_and_copied():
    study = make_study("purge_on = 2099-01-01\n")
    version = study.version
    version.definition["purge_on"] = "2020-01-01"
    version.sha256 = Definition.model_validate(version.definition).sha256
    version.save()
    revise(study, parse('title = "Another"\npurge_on = 2020-01-01\n', "a"))
    made = copy(study, "copied", User.objects.create_user("owner"))
    assert made.purge_on is None


@pytest.mark.parametrize("later", ["purge_on = 2099-04-01\n", ""])
def test_a_purge_date_that_people_were_told_comes_no_later_until_it_was_kept(later):
    study = make_study("purge_on = 2099-01-01\n")
    start(study, preview_by=User.objects.create_user("reader"))
    revise(study, definition("purge_on = 2099-03-01\n"))
    start(study)
    with pytest.raises(PublishError, match="people were told that their data are deleted on 2099-03-01"):
        revise(study, definition(later))
    assert Study.objects.get().purge_on == dt.date(2099, 3, 1)
    revise(study, definition("purge_on = 2099-01-01\n"))
    with pytest.raises(PublishError, match="people were told"):
        revise(study, definition("purge_on = 2099-03-01\n"))
    purge(study, None)
    revise(study, definition(later))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("file;condition;ratio\n001.png;NA;0,5\n01.png;high;007\n", "utf-8"),
        ("Datei\tCondition\tratio\n001.png\tNA\t0.5\n01.png\thigh\t007\n", "utf-16"),
        ("sep=;\r\nImage_Name;CONDITION;ratio\r\n001.png;NA;0,5\r\n01;high;007\r\n", "utf-8-sig"),
        ("# made by hand\n\nitem,condition,ratio\n001,NA,0.5\n01,high,007\n", "utf-8"),
    ],
)
def test_items_csv_is_read_as_ratings_are(tmp_path, text, encoding):
    folder_of_pictures(tmp_path, ["001.png", "01.png"])
    (tmp_path / "items.csv").write_text(text, encoding=encoding, newline="")
    study = publish_folder(tmp_path, "folder")
    assert {s.item: (s.condition, s.factors) for s in study.stimuli.all()} == {
        "001": ("NA", {"ratio": 0.5}),
        "01": ("high", {"ratio": "007"}),
    }


def test_a_name_in_another_unicode_form_is_the_same_image(tmp_path):
    folder_of_pictures(tmp_path, ["Ba\u0308r.png"])
    (tmp_path / "items.csv").write_text("file,condition\nB\u00e4r.png,low\n", encoding="utf-8")
    assert publish_folder(tmp_path, "folder").stimuli.get().condition == "low"
