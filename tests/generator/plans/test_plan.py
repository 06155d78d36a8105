"""A plan file becomes the cells that it asks for, or one clear line that says what is wrong and where."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from generator.nst import preset
from generator.nst.recipes.effects import fingerprint
from generator.nst.reconstruct import content_recipes, style_recipes
from generator.plans.document import PlanError, shipped_plans
from generator.plans.plan import Plan, load_plan

BLOCKS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
IMAGES = '[images]\ncontent = ["cat.jpg"]\nstyle = ["wave.jpg"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cat.jpg", "dog.jpg", "wave.jpg", "scream.jpg", "old/cat.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (32, 32)).save(path)
    return tmp_path


def load(folder: Path, text: str) -> Plan:
    path = folder / "grid.toml"
    path.write_text(text)
    return load_plan(path)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(PlanError) as caught:
        load(folder, text)
    message = str(caught.value)
    assert message.startswith(f"{folder / 'grid.toml'}: ")
    assert "\n" not in message
    return message.removeprefix(f"{folder / 'grid.toml'}: ")


def test_a_plan_of_two_images_asks_for_one_cell(folder: Path) -> None:
    plan = load(folder, f'title = "One"\npreset = "patel2019"\n{IMAGES}')
    assert (plan.slug, plan.file_slug, plan.title) == ("one", "grid", "One")
    (cell,) = plan.cells
    assert cell.factors == {"content": "cat", "style": "wave"}
    assert cell.pair.content == folder / "cat.jpg"
    assert (cell.seed, cell.label) == (1, "cat × wave")


def test_factors_are_crossed_in_the_order_of_the_plan(folder: Path) -> None:
    plan = load(
        folder,
        f'preset = "patel2019"\n{IMAGES}[factors]\ncontent_layer = ["conv1_1", "conv2_1"]\nratio = [0.1, 0.5]\n',
    )
    assert [(cell.factors["content_layer"], cell.factors["ratio"]) for cell in plan.cells] == [
        ("conv1_1", 0.1),
        ("conv1_1", 0.5),
        ("conv2_1", 0.1),
        ("conv2_1", 0.5),
    ]
    assert plan.cells[3].label == "cat × wave, content_layer conv2_1, ratio 0.5"
    assert len({cell.recipe for cell in plan.cells}) == 4


def test_all_cells_start_from_the_same_noise_unless_the_plan_varies_it(folder: Path) -> None:
    text = f'preset = "patel2019"\n{IMAGES}[recipe]\nseed = 7\n[factors]\nratio = [0.1, 0.5]\n'
    assert [cell.seed for cell in load(folder, text).cells] == [7, 7]
    varied = load(folder, f'preset = "patel2019"\n{IMAGES}[factors]\nseed = [1, 2]\n')
    assert [cell.factors["seed"] for cell in varied.cells] == [1, 2]


def test_repeats_ask_for_each_cell_again_with_the_next_seeds(folder: Path) -> None:
    plan = load(folder, f'preset = "patel2019"\nrepeats = 3\n{IMAGES}[recipe]\nseed = 5\n')
    assert [(cell.seed, cell.factors["repeat"]) for cell in plan.cells] == [(5, 1), (6, 2), (7, 3)]


def test_globs_are_relative_to_the_plan_and_crossed(folder: Path) -> None:
    plan = load(
        folder, 'preset = "patel2019"\n[images]\ncontent = ["*.jpg"]\nstyle = ["wa*.jpg", "scream.jpg"]\n'
    )
    assert len(plan.cells) == 4 * 2
    assert [cell.pair.content_name for cell in plan.cells[::2]] == ["cat", "dog", "scream", "wave"]


def test_images_that_share_a_stem_are_told_apart(folder: Path) -> None:
    plan = load(
        folder, 'preset = "patel2019"\n[images]\ncontent = ["cat.jpg", "old/cat.jpg"]\nstyle = ["wave.jpg"]\n'
    )
    assert [cell.factors["content"] for cell in plan.cells] == ["cat.jpg", "old/cat.jpg"]


def test_pairs_stand_instead_of_the_crossing(folder: Path) -> None:
    plan = load(
        folder,
        'preset = "patel2019"\n[images]\npairs = [["cat.jpg", "wave.jpg"], ["dog.jpg", "scream.jpg"]]\n',
    )
    assert [(cell.pair.content_name, cell.pair.style_name) for cell in plan.cells] == [
        ("cat", "wave"),
        ("dog", "scream"),
    ]


def test_excluded_combinations_are_left_out(folder: Path) -> None:
    plan = load(
        folder,
        f'preset = "patel2019"\n{IMAGES}[factors]\ncontent_layer = ["conv1_1", "conv2_1", "conv3_1"]\nratio = [0.1, 0.5]\n'
        '[[exclude]]\ncontent_layer = ["conv1_1", "conv3_1"]\nratio = 0.5\n',
    )
    left = [(cell.factors["content_layer"], cell.factors["ratio"]) for cell in plan.cells]
    assert left == [("conv1_1", 0.1), ("conv2_1", 0.1), ("conv2_1", 0.5), ("conv3_1", 0.1)]


def test_listed_cells_name_their_own_settings_images_and_label(folder: Path) -> None:
    plan = load(
        folder,
        'preset = "patel2019"\n[images]\ncontent = ["cat.jpg", "dog.jpg"]\nstyle = ["wave.jpg"]\n'
        '[[cells]]\nlabel = "D"\ncontent = "cat"\nratio = 0.05\n[[cells]]\nratio = 0.5\n',
    )
    assert [(cell.label, cell.factors["ratio"]) for cell in plan.cells] == [
        ("D: cat × wave", 0.05),
        ("cat × wave, ratio 0.5", 0.5),
        ("dog × wave, ratio 0.5", 0.5),
    ]


def test_anchors_are_marked_and_share_the_columns_of_the_grid(folder: Path) -> None:
    plan = load(
        folder,
        f'preset = "patel2019"\n{IMAGES}[factors]\nratio = [0.1, 0.5]\n[[anchors]]\nlabel = "low"\nratio = 50.0\n',
    )
    assert [cell.is_anchor for cell in plan.cells] == [False, False, True]
    assert plan.cells[2].factors == {"content": "cat", "style": "wave", "ratio": 50.0}


def test_a_factor_that_a_cell_does_not_set_shows_the_recipes_value(folder: Path) -> None:
    plan = load(
        folder,
        f'preset = "patel2019"\n{IMAGES}[recipe]\ntv_weight = 0.5\n[factors]\nratio = [0.1]\n[[cells]]\ntv_weight = 2.0\n',
    )
    assert [cell.factors["tv_weight"] for cell in plan.cells] == [0.5, 2.0]


def test_presets_can_be_compared_with_a_warning_that_their_ratios_cannot(folder: Path) -> None:
    presets = '[factors]\npreset = ["patel2019", "modern"]\n'
    plan = load(folder, f"{IMAGES}[recipe]\nsize = 64\n{presets}")
    assert [cell.factors["preset"] for cell in plan.cells] == ["patel2019", "modern"]
    assert [cell.recipe.init for cell in plan.cells] == [preset("patel2019").init, preset("modern").init]
    assert {cell.recipe.size for cell in plan.cells} == {64}
    assert plan.warnings == []
    crossed = load(folder, f'{IMAGES}[factors]\nconvention = ["paper", "keras"]\nratio = [0.1, 0.5]\n')
    (warning,) = crossed.warnings
    assert "ratio by the conventions keras on vgg16, paper on vgg16 cannot be compared" in warning


@pytest.mark.parametrize("table", ["[recipe]\nratio = 0.1\n", "[[cells]]\nratio = 0.1\n", ""])
def test_a_ratio_across_presets_gets_a_warning_wherever_it_stands(folder: Path, table: str) -> None:
    presets = '[factors]\npreset = ["patel2019", "neural-style"]\n'
    tables = f"{table}{presets}" if "recipe" in table else f"{presets}{table}"
    plan = load(folder, f'preset = "patel2019"\n{IMAGES}{tables}')
    wanted = ["ratio by the conventions neural-style on vgg19, patel2019 on vgg16 cannot be compared"]
    assert [warning.split(":")[0] for warning in plan.warnings] == (wanted if table else [])


def test_a_ratio_across_methods_gets_a_warning_too(folder: Path) -> None:
    plan = load(folder, f'{IMAGES}[factors]\npreset = ["nnst", "strotss"]\nratio = [0.5, 0.9]\n')
    (warning,) = plan.warnings
    assert "ratio by the conventions nnst on vgg16, strotss on vgg16 cannot be compared" in warning


def test_licences_go_with_their_files(folder: Path) -> None:
    plan = load(folder, f'preset = "patel2019"\n{IMAGES}[images.licences]\n"cat.jpg" = "CC0"\n')
    assert plan.licences == {(folder / "cat.jpg").resolve(): "CC0"}


def test_the_shipped_plans_are_the_reports_experiments(folder: Path) -> None:
    assert shipped_plans() == ["patel2019-exp1", "patel2019-exp2", "patel2019-exp3", "patel2019-fig5-2"]
    grid = load(folder, f'preset = "patel2019-exp1"\n{IMAGES}')
    assert len(grid.cells) == 25
    assert {cell.recipe.tv_weight for cell in grid.cells} == {0}
    assert {cell.factors["ratio"] for cell in grid.cells} == {0.001, 0.01, 0.1, 0.25, 0.5}
    switch = load(folder, f'preset = "patel2019-exp2"\n{IMAGES}')
    assert [cell.recipe.tv_weight for cell in switch.cells] == [0, 1]
    assert {(cell.recipe.content_layers, cell.recipe.ratio) for cell in switch.cells} == {
        (("conv2_2",), 0.01)
    }
    names = ["cat", "dog", "wave", "scream"]
    seven = [[f"{a}.jpg", f"{b}.jpg"] for a in names for b in names if a != b][:7]
    rated = load(folder, f'preset = "patel2019-exp3"\n[images]\npairs = {seven}\n')
    assert [cell.label[:2] for cell in rated.cells] == ["A:", "B:", "C:", "D:", "E:", "F:", "G:"]
    assert [cell.recipe.content_layers[0][4] for cell in rated.cells] == ["3", "2", "3", "3", "3", "2", "3"]


def test_figure_5_2_takes_the_content_from_each_layer_and_the_style_from_ever_more(folder: Path) -> None:
    cells = load(folder, f'preset = "patel2019-fig5-2"\n{IMAGES}').cells
    contents = [cell.recipe for cell in cells if not cell.recipe.beta]
    styles = [cell.recipe for cell in cells if not cell.recipe.alpha]
    assert len(contents) + len(styles) == len(cells)
    wanted = content_recipes(BLOCKS), style_recipes(BLOCKS)
    assert [fingerprint(recipe) for recipe in contents] == [fingerprint(recipe) for recipe in wanted[0]]
    assert [fingerprint(recipe) for recipe in styles] == [fingerprint(recipe) for recipe in wanted[1]]


def test_an_earlier_version_of_a_preset_is_taken_by_its_dated_name(folder: Path) -> None:
    (cell,) = load(folder, f'preset = "patel2019-2026-11-21"\n{IMAGES}').cells
    assert not cell.recipe.legacy_mean_order


def test_ones_own_settings_go_over_those_of_a_shipped_plan(folder: Path) -> None:
    plan = load(
        folder, f'preset = "patel2019-exp1"\n{IMAGES}[recipe]\nsize = 128\n[factors]\nratio = [0.01]\n'
    )
    assert len(plan.cells) == 5
    assert {(cell.recipe.size, cell.recipe.tv_weight) for cell in plan.cells} == {(128, 0)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = ", "not valid TOML"),
        (f'fators = 1\n{IMAGES}', "unknown key 'fators' (did you mean 'factors'?)"),
        ('[images]\ncontents = ["cat.jpg"]\n', "unknown key in [images] 'contents' (did you mean 'content'?)"),
        (f'preset = "patel2091"\n{IMAGES}', "did you mean 'patel2019'?"),
        (f"{IMAGES}[recipe]\npreset = 'modern'\n", "[recipe]: preset belongs above the tables"),
        (f"{IMAGES}[factors]\npreset = ['modern', 'patel2091']\n", "did you mean 'patel2019'?"),
        (f"preset = 3\n{IMAGES}", "preset: "),
        (f"repeats = 0\n{IMAGES}", "repeats: "),
        (f'slug = "A B"\n{IMAGES}', "slug: "),
        (f"{IMAGES}[recipe]\nconten_layer = 'conv3_1'\n", "content_layer"),
        (f"{IMAGES}[recipe]\nsize = 'large'\n", "[recipe]: "),
        (f"{IMAGES}[recipe]\nseed = -1\n", "[recipe]: seed = -1"),
        (f"{IMAGES}[recipe]\nseed = true\n", "[recipe]: seed = True"),
        (f"preset = 'patel2019'\n{IMAGES}[factors]\ncontent_layer = ['conv3_1', 'conv9_1']\n", "conv9_1"),
        (f"preset = 'patel2019'\n{IMAGES}[factors]\ncontent_layer = ['conv3_4']\n", "conv3_4"),
        (f"preset = 'patel2019'\n{IMAGES}[factors]\nrato = [0.1]\n", "did you mean 'ratio'?"),
        (f"{IMAGES}[factors]\nratio = 0.1\n", "factors.ratio: "),
        (f"{IMAGES}[factors]\nratio = []\n", "factors.ratio: "),
        (f"preset = 'patel2019'\n{IMAGES}[factors]\nratio = ['x']\n", "[factors]: "),
        (f"{IMAGES}[factors]\nratio = [0.1, 0.5, 0.1]\n", "factors.ratio: lists a level twice"),
        ("", "[images]: names no content image"),
        ('[images]\ncontent = ["cat.jpg"]\n', "[images]: names no style image"),
        ('[images]\ncontent = ["cta.jpg"]\nstyle = ["wave.jpg"]\n', "did you mean 'cat.jpg'?"),
        ('[images]\ncontent = ["*.png"]\nstyle = ["wave.jpg"]\n', "images.content: no file"),
        ('[images]\ncontent = [""]\nstyle = ["wave.jpg"]\n', "images.content: has an empty name"),
        ('[images]\npairs = [["cat.jpg"]]\n', "images.pairs.1: "),
        ('[images]\npairs = [["cat.jpg", "*.jpg"]]\n', "matches 4 files; a pair takes one"),
        ('[images]\npairs = [["cat.jpg", "wave.jpg"]]\ncontent = ["cat.jpg"]\n', "give either pairs, or content and style"),
        (f"{IMAGES}[images.licences]\n'dog.jpg' = 'CC0'\n", "[images.licences]: the plan uses no"),
        (f"preset = 'patel2019'\n{IMAGES}[[cells]]\ncontent = 'cta'\n", "[[cells]] number 1: no pair of [images] has content 'cta' (did you mean 'cat'?)"),
        (f"preset = 'patel2019'\n{IMAGES}[[cells]]\npair = 2\n", "[[cells]] number 1: pair = 2, but [images] gives pairs 1 to 1"),
        (f"preset = 'patel2019'\n{IMAGES}[factors]\nratio = [0.1]\n[[cells]]\nratio = 0.1\n", "asks twice for the same image"),
        (f"preset = 'patel2019'\n{IMAGES}[factors]\nratio = [0.1]\n[[exclude]]\nrato = 0.1\n", "[[exclude]] number 1: unknown factor 'rato' (did you mean 'ratio'?)"),
        (f"preset = 'patel2019'\n{IMAGES}[factors]\nratio = [0.1]\n[[exclude]]\nratio = 0.2\n", "[[exclude]] number 1: matches no cell"),
        (f"preset = 'patel2019'\n{IMAGES}[factors]\nratio = [0.1]\n[[exclude]]\nratio = 0.1\n", "[[exclude]] removes every cell"),
        (f"preset = 'patel2019'\n{IMAGES}[factors]\nseed = {list(range(200))}\nratio = {list(range(1, 200))}\n", "[factors] give 39800 cells"),
        (f"preset = 'patel2019'\nrepeats = 1000\n{IMAGES}[factors]\nseed = {list(range(0, 100_000, 1000))}\n", "has 100000 cells"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_its_mend(folder: Path, text: str, message: str) -> None:
    assert message in refusal(folder, text)


def test_a_plan_that_is_not_there_is_named_with_the_one_that_was_meant(folder: Path) -> None:
    (folder / "grid.toml").write_text(IMAGES)
    with pytest.raises(PlanError, match=r"gird\.toml: no such plan; did you mean .*grid\.toml"):
        load_plan(folder / "gird.toml")
    with pytest.raises(PlanError, match='write preset = "patel2019-exp1" into a plan'):
        load_plan(folder / "patel2019-exp1.toml")


def test_a_plan_that_is_no_text_or_no_file_is_refused(folder: Path) -> None:
    (folder / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanError, match=r"binary\.toml: is not UTF-8 text"):
        load_plan(folder / "binary.toml")
    with pytest.raises(PlanError, match="cannot be read"):
        load_plan(folder)


levels = st.lists(st.integers(1, 50), min_size=1, max_size=4, unique=True)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(ratios=levels, seeds=levels, tvs=levels)
def test_a_crossing_has_every_combination_once(folder: Path, ratios: list, seeds: list, tvs: list) -> None:
    factors = f"ratio = {ratios}\nseed = {seeds}\ntv_weight = {tvs}\n"
    plan = load(folder, f'preset = "patel2019"\n{IMAGES}[factors]\n{factors}')
    found = {(cell.factors["ratio"], cell.factors["seed"], cell.factors["tv_weight"]) for cell in plan.cells}
    assert len(found) == len(plan.cells) == math.prod(map(len, (ratios, seeds, tvs)))
