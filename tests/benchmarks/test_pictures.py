"""The figures of pictures say what they name, and a file of trials becomes pictures, tables, sheets and a study."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from benchmarks import pictures
from benchmarks.picture_figures import Measure, fine_energy
from benchmarks.picture_sheets import details
from benchmarks.pictures import Pair, read, run, write_sheet, write_study
from survey.study.study_file import load
from tests.generator.nst.tiny import picture, tiny_weights

CONTENT, STYLE = picture(48, 48, 1), picture(48, 48, 2)
TRIALS = """
preset = "modern"
pairs = [{content = "a.png", style = "b.png"}]
[recipe]
size = 48
evaluations = 2
first_evaluations = 2
[[trials]]
name = "as-it-is"
[[trials]]
name = "other"
recipe = {tv_weight = 1}
pairs = {a-b = {first_evaluations = 3}}
"""


def measure() -> Measure:
    return Measure(CONTENT, STYLE, tiny_weights())


def checkered(image: Tensor, colours: tuple[float, float, float]) -> Tensor:
    rows, columns = torch.meshgrid(*(torch.arange(side) for side in image.shape[1:]), indexing="ij")
    return image + ((rows + columns) % 2 - 0.5) * torch.tensor(colours)[:, None, None]


def test_the_content_image_has_lost_nothing_and_the_style_image_lacks_nothing() -> None:
    content, style = measure()(CONTENT), measure()(STYLE)
    assert content.content == pytest.approx(0, abs=1e-6)
    assert max(abs(style.gram), abs(style.w2)) < 1e-3
    assert min(content.gram, content.w2, style.content) > 0.01
    assert style.luma == pytest.approx(1)


def test_clipping_counts_pixels_with_any_channel_at_an_end() -> None:
    clipped = CONTENT.clone() * 0.8 + 0.1
    assert measure()(clipped).clip == 0
    clipped[0, :12] = 1
    clipped[2, :24] = 0
    assert measure()(clipped).clip == 0.5


def test_a_lattice_of_dots_counts_as_fine_luma_and_coloured_flecks_as_fine_chroma() -> None:
    plain, dots, flecks = (
        fine_energy(checkered(CONTENT, colours))
        for colours in ((0, 0, 0), (0.1, 0.1, 0.1), (0.2, -0.0777, -0.1246))
    )
    assert dots[0] > 100 * plain[0]
    assert dots[1] < 2 * plain[1] + 1e-12
    assert flecks[1] > 100 * plain[1]
    assert flecks[0] < 0.01 * dots[0]


def test_details_show_the_flattest_and_the_busiest_place() -> None:
    values = np.full((100, 100), 128, dtype=np.uint8)
    values[60:, 60:] = np.random.default_rng(1).integers(0, 255, (40, 40))
    flat, busy = details(Image.fromarray(values))
    assert max(flat) < 0.6 <= min(busy) + 0.1


def test_trials_become_pictures_figures_a_sheet_and_a_study(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        values = (picture(48, 48, seed) * 255).byte().permute(1, 2, 0).numpy()
        Image.fromarray(values).save(tmp_path / f"{name}.png")
    (tmp_path / "trials.toml").write_text(TRIALS)
    pairs, trials = read(tmp_path / "trials.toml")
    assert pairs == [Pair("a.png", "b.png")]
    out = tmp_path / "out"
    (out / "a-b").mkdir(parents=True)
    Image.new("RGB", (48, 48), "grey").save(out / "a-b" / "other-program.png")
    run(pairs, trials, out, tmp_path, tiny_weights())
    with (out / "a-b.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["picture"] for row in rows] == ["as-it-is", "other", "other-program"]
    # The second trial has one more for this pair alone.
    assert [row["evaluations"] for row in rows] == ["2", "3", "nan"]
    assert Image.open(out / "a-b.png").width == 1500
    write_sheet(pairs, out, tmp_path, tmp_path / "sheet.jpg")
    assert Image.open(tmp_path / "sheet.jpg").width == 1500
    write_study(pairs, out, tmp_path / "study")
    table = (tmp_path / "study" / "items.csv").read_text().splitlines()
    assert table[0] == "file,content,style,condition"
    assert "a-b-other-program.png,a,b,other-program" in table
    assert len(list((tmp_path / "study").glob("*.png"))) == len(table) - 1 == 3


def test_a_picture_that_is_there_is_kept(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Image.new("RGB", (48, 48), "red").save(tmp_path / name)
    (tmp_path / "trials.toml").write_text(TRIALS)
    kept = tmp_path / "out" / "a-b" / "as-it-is.png"
    kept.parent.mkdir(parents=True)
    Image.new("RGB", (48, 48), "blue").save(kept)
    pairs, trials = read(tmp_path / "trials.toml")
    run(pairs, trials[:1], tmp_path / "out", tmp_path, tiny_weights())
    assert Image.open(kept).getpixel((0, 0)) == (0, 0, 255)


def test_a_trials_name_must_be_that_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "trials.toml").write_text(TRIALS.replace("as-it-is", "../up"))
    with pytest.raises(SystemExit, match=r"trials.toml: trial '../up'"):
        read(tmp_path / "trials.toml")


def test_the_trials_and_the_study_of_the_default_can_be_read() -> None:
    folder = Path(pictures.__file__).parent / "default"
    pairs, trials = read(folder / "trials.toml")
    assert len(pairs) == 7
    assert [trial.recipe.preset for trial in trials] == ["modern", "modern-2026-11-21"]
    assert {trial.recipe.size for trial in read(folder / "nnst.toml")[1]} == {384}
    assert load(folder / "study.toml").method == "pair"
