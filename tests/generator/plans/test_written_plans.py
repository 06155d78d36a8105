"""Plans as people's programs write them: other encodings, other spellings of names, numbers beyond sense."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image

from generator.plans.document import PlanError
from generator.plans.plan import load_plan

HEAD = '[images]\ncontent = ["cat.png"]\nstyle = ["wave.png"]\n'
SMALL = f"{HEAD}[recipe]\nsize = 64\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pics").mkdir()
    names = ("cat.png", "wave.png", "pics/cat.png", f"pics/{unicodedata.normalize('NFD', 'Blüte.png')}")
    for name in names:
        Image.new("RGB", (80, 64), "red").save(tmp_path / name)
    return tmp_path


def load(folder: Path, text: str | bytes):
    path = folder / "grid.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_plan(path)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(PlanError) as caught:
        load(folder, text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-le", "utf-16-be", "utf-32"]
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_plan_may_begin_with_a_mark_and_end_its_lines_as_windows_does(
    folder: Path, encoding: str, ending: str
) -> None:
    text = SMALL.replace("\n", ending)
    data = b"\xff\xfe" + text.encode("utf-16-le") if encoding == "utf-16-le-bom" else text.encode(encoding)
    plan = load(folder, data)
    assert len(plan.cells) == 1
    assert plan.text == SMALL


@pytest.mark.parametrize(
    "name", ["pics\\\\cat.png", "Pics/CAT.png", "pics/Cat.PNG", "PICS\\\\c*.png", "./pics/cat.png"]
)
def test_backslashes_and_case_do_not_hide_a_file(folder: Path, name: str) -> None:
    (cell,) = load(folder, f'[images]\ncontent = ["{name}"]\nstyle = ["wave.png"]\n').cells
    assert cell.pair.content.resolve() == folder / "pics" / "cat.png"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_may_be_written_in_either_form(folder: Path, form: Literal["NFC", "NFD"]) -> None:
    name = unicodedata.normalize(form, "Blüte")
    text = f'[images]\ncontent = ["pics/{name}.png", "cat.png"]\nstyle = ["wave.png"]\n'
    text += f'[images.licences]\n"pics/{name}.png" = "CC0"\n[[cells]]\ncontent = "{name}"\n'
    plan = load(folder, text)
    assert [cell.factors["content"] for cell in plan.cells] == [unicodedata.normalize("NFC", name)]
    assert list(plan.licences.values()) == ["CC0"]


def test_a_pattern_finds_endings_in_either_case(folder: Path) -> None:
    Image.new("RGB", (80, 64)).save(folder / "DSC_1.JPG")
    Image.new("RGB", (80, 64)).save(folder / "dog.jpg")
    found = load(folder, '[images]\ncontent = ["*.jpg"]\nstyle = ["wave.png"]\n').cells
    assert [cell.factors["content"] for cell in found] == ["DSC_1", "dog"]


def test_a_folder_and_a_dead_link_are_named(folder: Path) -> None:
    assert "'pics' is a folder; name its pictures, such as \"pics/*.jpg\"" in refusal(
        folder, HEAD.replace("cat.png", "pics")
    )
    (folder / "dead.png").symlink_to("nowhere.png")
    assert "'dead.png' is a link to a file that is not there" in refusal(
        folder, HEAD.replace("cat.png", "dead.png")
    )


def test_a_cell_may_name_its_image_as_the_images_do(folder: Path) -> None:
    text = '[images]\ncontent = ["pics/cat.png", "dog.png"]\nstyle = ["wave.png"]\n'
    Image.new("RGB", (80, 64)).save(folder / "dog.png")
    for name in ("pics/cat.png", "pics\\\\cat.png", "./pics/cat.png"):
        (cell,) = load(folder, f'{text}[[cells]]\ncontent = "{name}"\n').cells
        assert cell.factors["content"] == "cat"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size = 300\n" + HEAD, "size stands above the tables; put it below [recipe]"),
        (HEAD + "[recipe]\niterations = 5\n", "'iterations': it is called evaluations here"),
        (HEAD + "[recipe]\nstyle_weight = 5\n", "'style_weight': it is called beta here"),
        (HEAD + '[factors]\ncontent_layer = ["conv4_2", "block4_conv2"]\n', "both names mean the same layer"),
        (HEAD + "[[cells]]\npair = true\n", "pair = True, but [images] gives pairs 1 to 1"),
    ],
)
def test_what_was_meant_is_said(folder: Path, text: str, message: str) -> None:
    assert message in refusal(folder, text)


def test_two_files_that_differ_by_case_are_told_apart(folder: Path) -> None:
    Image.new("RGB", (80, 64)).save(folder / "CAT.png")
    assert load(folder, HEAD).cells[0].pair.content.name == "cat.png"
    assert "may be 'CAT.png' or 'cat.png'" in refusal(folder, HEAD.replace("cat.png", "Cat.png"))


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        ("seed = 9223372036854775808\n", "a whole number has more than 64 bits"),
        (f"ratio = 1{'0' * 400}\n", "a whole number has more than 64 bits"),
        (f"evaluations = 1{'0' * 400}\n", "a whole number has more than 64 bits"),
        ("ratio = 1e300\n", "should be from 0 to 1e+12"),
        ("evaluations = 9223372036854775807\n", "should be from 1 to 100000"),
        ("beta = 0\nratio = 0.1\n", "ratio = 0.1: needs beta > 0"),
        ("ratio = 1e999\n", "ratio = inf should be a number"),
    ],
)
def test_numbers_beyond_sense_are_refused(folder: Path, tail: str, message: str) -> None:
    assert message in refusal(folder, SMALL + tail)


def test_repeats_do_not_run_past_the_last_seed(folder: Path) -> None:
    text = f'repeats = 3\n{SMALL}init = "noise"\nseed = 9223372036854775806\n'
    assert "seed = 9223372036854775808 should be" in refusal(folder, text)


def test_repeats_that_would_be_equal_are_refused(folder: Path) -> None:
    message = refusal(folder, f"repeats = 3\n{SMALL}")
    assert 'the seed has no effect if init = "content"; leave out repeats' in message
    assert len(load(folder, f'repeats = 3\n{SMALL}init = "noise"\n').cells) == 3


@pytest.mark.parametrize(
    ("factors", "reason"),
    [
        ("seed = [1, 2]", 'seed has no effect if init = "content"'),
        ("noise_scale = [10, 100]", 'noise_scale has no effect if init = "content"'),
        ("learning_rate = [1, 2]", 'learning_rate has no effect if optimiser = "lbfgs-b"'),
        ('content_layer = ["conv3_1", "relu3_1"]', "both names mean the same layer"),
        ("pyramid_min = [70, 80]", "pyramid_min has no effect if size = 64 is made in one level"),
        ("pyramid_min = [30, 31]", "both have the same levels"),
    ],
)
def test_levels_that_change_nothing_are_refused_with_the_reason(
    folder: Path, factors: str, reason: str
) -> None:
    message = refusal(folder, f"{SMALL}[factors]\n{factors}\n")
    assert "asks twice for the same image: 'cat × wave, " in message
    assert reason in message


def test_a_setting_for_all_that_changes_nothing_is_said(folder: Path) -> None:
    assert load(folder, f"{SMALL}noise_scale = 10\n").warnings == [
        '[recipe] noise_scale has no effect if init = "content"'
    ]
    assert load(folder, f'{SMALL}noise_scale = 10\ninit = "noise"\n').warnings == []
