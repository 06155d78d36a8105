"""The generator's commands: what they print, what they refuse, and with which exit status."""

from __future__ import annotations

import io
import shlex
import shutil
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from PIL import Image

from generator.models import Cell, ImageSet, Source
from generator.plans.document import PlanError
from generator.plans.one_line import plan_of_words
from generator.sets.planes import plane
from survey.models import Study
from tests.generator.conftest import PlanWriter

pytestmark = pytest.mark.django_db
ROW = "[factors]\nratio = [0.01, 0.1]\n"
HOPELESS = '[[cells]]\nlabel = "hopeless"\ninit = "content"\nbeta = 0.0\nalpha = 1.0\ntv_weight = 0.0\n'


def run(*args: object) -> str:
    output = io.StringIO()
    call_command(*map(str, args), stdout=output, stderr=io.StringIO())
    return output.getvalue()


def refusal(*args: object, status: int = 2) -> str:
    with pytest.raises(CommandError) as caught:
        run(*args)
    assert caught.value.returncode == status
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_generate_makes_the_images_and_says_how_many(write_plan: PlanWriter) -> None:
    path = write_plan(ROW)
    assert run("generate", path).startswith("image set 'grid': 2 images, 2 of them made now\n")
    assert run("generate", path).startswith("image set 'grid': 2 images, 0 of them made now\n")


def test_generate_warns_of_images_that_nobody_can_tell_apart(write_plan: PlanWriter) -> None:
    """One evaluation changes nothing yet: both images are the noise that they start from."""
    path, told = write_plan(ROW), io.StringIO()
    path.write_text(path.read_text().replace("evaluations = 6", "evaluations = 1"))
    call_command("generate", str(path), stdout=io.StringIO(), stderr=told)
    assert "warning: 'cat × wave, ratio 0.1' looks the same as 'cat × wave, ratio 0.01'" in told.getvalue()


def test_workers_cannot_be_asked_without_a_queue(write_plan: PlanWriter) -> None:
    assert "GENERATOR_EXECUTOR=procrastinate" in refusal("generate", write_plan(ROW), "--distributed")


def test_generate_ends_with_the_place_of_the_images_and_commands_that_work(
    write_plan: PlanWriter, media: Path, tmp_path: Path, monkeypatch
) -> None:
    told = run("generate", write_plan(ROW, head='title = "Layer: by ratio"'))
    assert f"They are in {media / 'cells'}" in told
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line.split("manage.py")[1]) for line in told.splitlines() if "manage.py" in line]
    assert [words[0] for words in commands] == ["contact_sheet", "create_study"]
    for words in commands:
        run(*words)
    assert (tmp_path / "layer-by-ratio.png").exists()
    assert Study.objects.get().slug == "layer-by-ratio"


def test_a_set_is_named_after_the_title_and_numbered_where_another_has_the_name(
    write_plan: PlanWriter,
) -> None:
    first = write_plan("[factors]\nratio = [0.01]\n", name="a.toml", head='title = "Größe & Form"')
    second = write_plan("[factors]\nratio = [0.02]\n", name="b.toml", head='title = "Größe & Form"')
    for _ in range(2):
        for path in (first, second):
            run("generate", path)
    assert set(ImageSet.objects.values_list("slug", flat=True)) == {"grosse-form", "grosse-form-2"}
    assert "(grosse-form-2)" in run("generate", second, "--dry-run")


def test_a_set_that_was_named_after_the_file_is_found_once_the_plan_has_a_title(
    write_plan: PlanWriter,
) -> None:
    run("generate", write_plan(ROW, name="old.toml"))
    told = run("generate", write_plan(ROW, name="old.toml", head='title = "New name"'))
    assert told.startswith("image set 'old': 2 images, 0 of them made now")


def test_publishing_the_same_images_under_the_same_name_again_changes_nothing(write_plan: PlanWriter) -> None:
    path = write_plan(ROW)
    run("generate", path, "--publish", "taste")
    for command in (("generate", path, "--publish", "taste"), ("create_study", "taste", "--set", "grid")):
        assert "exists already with the same 2 images; nothing was changed. It is open" in run(*command)
    assert Study.objects.get().stimuli.count() == 2


def test_a_study_of_other_images_or_other_rules_keeps_its_name(
    write_plan: PlanWriter, tmp_path: Path
) -> None:
    run("generate", write_plan(ROW), "--publish", "taste")
    run("generate", write_plan(name="other.toml"))
    assert "exists already with other images" in refusal("create_study", "taste", "--set", "other")
    rules = tmp_path / "study.toml"
    rules.write_text('title = "Other rules"\n')
    message = refusal("create_study", "taste", "--set", "grid", "--from", rules)
    assert "other rules than the study file's" in message
    Study.objects.update(is_simulated=True)
    assert "is simulated" in refusal("create_study", "taste", "--set", "grid")


def test_output_holds_the_images_under_readable_names_with_a_table_that_create_study_reads(
    write_plan: PlanWriter, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run("generate", write_plan(ROW), "--output", out)
    assert sorted(path.name for path in out.iterdir()) == [
        "cat-wave-ratio-0.01.png",
        "cat-wave-ratio-0.1.png",
        "items.csv",
    ]
    run("create_study", "taste", "--images", out)
    assert [
        (row.content, row.style, row.condition, row.factors)
        for row in Study.objects.get().stimuli.order_by("item")
    ] == [("cat", "wave", f"ratio {ratio}", {"ratio": ratio}) for ratio in (0.01, 0.1)]


def test_output_leaves_other_files_alone_and_writes_the_same_set_once(
    write_plan: PlanWriter, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for recipe in ("", "seed = 2", ""):
        run("generate", write_plan(recipe=recipe, name=f"plan{recipe[-1:]}.toml"), "--output", out)
    assert sorted(path.name for path in out.iterdir()) == ["cat-wave-2.png", "cat-wave.png", "items.csv"]
    assert (out / "items.csv").read_text().count("\n") == 3
    (out / "items.csv").write_text("mine\n1\n")
    assert "was not written by `generate`" in refusal("generate", write_plan(), "--output", out)
    assert "is a file" in refusal("generate", write_plan(), "--output", out / "items.csv")


def test_images_and_a_preset_need_no_plan(write_plan: PlanWriter, tiny_network: Path, monkeypatch) -> None:
    monkeypatch.chdir(write_plan().parent)
    images = ("--content", "cat.png", "--style", "wave.png", "--style", "cat.png")
    small = ("--set", f"network={tiny_network}", "size=32", "evaluations=1", "style_layers=conv1_1,conv2_1")
    run("generate", *images, *small, "tv_form=l1", "--preset", "patel2019", "--output", "out")
    assert {path.name for path in Path("out").iterdir()} == {"cat-wave.png", "cat-cat.png", "items.csv"}
    recipe = Cell.objects.get(label="cat × wave").recipe
    assert (recipe["style_layers"], recipe["tv_form"], recipe["size"]) == (["conv1_1", "conv2_1"], "l1", 32)


def test_a_shipped_plan_takes_images_from_the_command_line(
    write_plan: PlanWriter, tiny_network: Path, monkeypatch
) -> None:
    monkeypatch.chdir(write_plan().parent)
    pair = ("--content", "cat.png", "--style", "wave.png", "--set", f"network={tiny_network}", "size=32")
    told = run("generate", "--preset", "patel2019-exp1", *pair, "--dry-run")
    assert "Patel 2019, experiment 1: content layer by ratio, cat × wave" in told
    assert "cells to make  25" in told


def test_a_shipped_plan_of_pairs_takes_the_images_in_order(write_plan: PlanWriter, monkeypatch) -> None:
    folder = write_plan().parent
    monkeypatch.chdir(folder)
    names = [f"{letter}.png" for letter in "abcdefg"]
    for name in names:
        shutil.copy("cat.png", name)
    cells = plan_of_words(names, ["wave.png"], "patel2019-exp3").cells
    assert [(cell.label[0], cell.pair.content.name) for cell in cells] == list(
        zip("ABCDEFG", names, strict=True)
    )
    with pytest.raises(PlanError, match="needs 7 pairs; give 7 files"):
        plan_of_words(names[:2], ["wave.png"], "patel2019-exp3")


def test_two_pairs_for_figure_6_2_are_taken_in_order(write_plan: PlanWriter, monkeypatch) -> None:
    folder = write_plan().parent
    monkeypatch.chdir(folder)
    for name in ("a.png", "b.png"):
        shutil.copy("cat.png", name)
    cells = plan_of_words(["a.png", "b.png"], ["wave.png", "cat.png"], "patel2019-exp2").cells
    named = [(cell.pair.content_name, cell.pair.style_name, cell.recipe.tv_weight) for cell in cells]
    assert named == [("a", "wave", 0), ("a", "wave", 1), ("b", "cat", 0), ("b", "cat", 1)]
    assert len(plan_of_words(["a.png"], ["wave.png"], "patel2019-exp2").cells) == 2
    assert len(plan_of_words(["a.png", "b.png"], ["wave.png"], "patel2019-exp2").cells) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name a PLAN.toml, or images: --content FILE --style FILE"),
        (("--content", "cat.png"), "--style: name at least one image file"),
        (
            ("--content", "cta.png", "--style", "wave.png"),
            "--content: no file in . is called 'cta.png' (did you mean",
        ),
        (
            ("--content", "cat.png", "--style", "wave.png", "--set", "rato=1"),
            "--set: unknown key 'rato' (did you",
        ),
        (("--content", "cat.png", "--style", "wave.png", "--set", "size"), "--set size: should be KEY=VALUE"),
        (
            ("--content", "cat.png", "--style", "wave.png", "--set", "seed=1", "seed=2"),
            "gives seed a second time",
        ),
        (
            ("--content", "cat.png", "--style", "wave.png", "--preset", "moden"),
            "--preset: unknown preset 'moden'",
        ),
        (("grid.toml", "--style", "wave.png"), "grid.toml: a plan has its own images"),
    ],
)
def test_words_that_make_no_plan_are_refused_with_their_option(
    write_plan: PlanWriter, monkeypatch, words: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(write_plan().parent)
    assert message in refusal("generate", *words)


@pytest.mark.slow
def test_a_dry_run_fetches_no_network(write_plan: PlanWriter, settings, tmp_path: Path, monkeypatch) -> None:
    settings.WEIGHTS_DIR = tmp_path / "weights"
    monkeypatch.setattr("generator.nst.weights.registry.fetch", lambda *args: pytest.fail("fetched"))
    monkeypatch.chdir(write_plan().parent)
    pair = ("--content", "cat.png", "--style", "wave.png")
    told = run("generate", *pair, "--set", "network=vgg19", "size=32", "evaluations=2", "--dry-run")
    assert "vgg19, 548 MB to download" in told
    assert not (tmp_path / "weights").exists()


def test_a_dry_run_says_what_it_takes_and_writes_nothing(write_plan: PlanWriter, media: Path) -> None:
    told = run("generate", write_plan(ROW), "--dry-run")
    for words in (
        "ratio    2       0.01, 0.1",
        "cells to make  2",
        "evaluations    12 at most",
        "time ",
        "memory ",
        "disk ",
    ):
        assert words in told
    assert [model.objects.count() for model in (Cell, ImageSet, Source)] == [0, 0, 0]
    assert not list(media.rglob("*.png"))


def test_a_dry_run_counts_only_what_is_not_made_yet(write_plan: PlanWriter) -> None:
    run("generate", write_plan("[factors]\nratio = [0.01]\n"))
    told = run("generate", write_plan(ROW, name="more.toml"), "--dry-run")
    assert "cells to make  1" in told
    assert "as fast as the last images on this device" in told
    run("generate", write_plan(ROW, name="more.toml"))
    assert "everything is made" in run("generate", write_plan(ROW, name="more.toml"), "--dry-run")


def test_the_pace_of_one_method_is_not_taken_for_that_of_another(write_plan: PlanWriter) -> None:
    run("generate", write_plan("[factors]\nratio = [0.01]\n"))
    other = write_plan('[factors]\nmethod = ["nnst"]\nratio = [0.5]\n', name="other.toml")
    assert "as fast as the last images" not in run("generate", other, "--dry-run")


def test_generate_publishes_the_images_as_a_study(write_plan: PlanWriter) -> None:
    told = run("generate", write_plan(ROW), "--publish", "taste")
    study = Study.objects.get(slug="taste")
    assert study.stimuli.count() == 2
    assert "study 'taste' is open with 2 images" in told


def test_generate_publishes_for_an_owner_who_is_named_before_the_work(write_plan: PlanWriter) -> None:
    owner = User.objects.create_superuser("ada")
    assert "no account 'adda'" in refusal(
        "generate", write_plan(ROW), "--publish", "taste", "--owner", "adda"
    )
    assert "give --publish SLUG too" in refusal("generate", write_plan(ROW), "--owner", "ada")
    assert not ImageSet.objects.exists()
    assert "ada sees its results." in run("generate", write_plan(ROW), "--publish", "taste", "--owner", "ada")
    assert Study.objects.get(slug="taste").owner == owner


def test_a_name_that_no_study_can_get_is_refused_before_the_work(write_plan: PlanWriter) -> None:
    path = write_plan(ROW)
    run("generate", path, "--publish", "taste")
    assert "exists already" in refusal("generate", write_plan(name="other.toml"), "--publish", "taste")
    assert "part of the address" in refusal("generate", path, "--publish", "a b")
    assert not ImageSet.objects.filter(slug="other").exists()


def test_failed_cells_are_told_with_exit_status_one_and_not_published(write_plan: PlanWriter) -> None:
    message = refusal("generate", write_plan(f"{ROW}{HOPELESS}"), "--publish", "taste", status=1)
    assert message.startswith("1 cell failed")
    assert "--retry-failed" in message
    assert not Study.objects.exists()


def test_bad_input_is_refused_in_one_line(write_plan: PlanWriter, tmp_path: Path) -> None:
    assert "no such plan" in refusal("generate", tmp_path / "none.toml")
    assert "--device tpu: should be auto, cpu, cuda" in refusal("generate", write_plan(), "--device", "tpu")
    assert "this machine has" in refusal("generate", write_plan(), "--device", "cuda:99")
    path = write_plan()
    (path.parent / "cat.png").write_bytes(b"no picture")
    assert "cat.png: not a picture" in refusal("generate", path)


def test_an_unknown_network_is_named_with_the_one_that_was_meant(
    write_plan: PlanWriter, tiny_network: Path
) -> None:
    path = write_plan()
    path.write_text(path.read_text().replace(str(tiny_network), "vgg166"))
    assert "did you mean 'vgg16'?" in refusal("generate", path)


@pytest.mark.parametrize("options", [["--dry-run"], []])
def test_a_ratio_across_presets_is_warned_of_before_and_while_it_is_made(
    write_plan: PlanWriter, options: list[str]
) -> None:
    path = write_plan('[factors]\nconvention = ["paper", "patel2019"]\nratio = [0.1]\n')
    told = io.StringIO()
    call_command("generate", str(path), *options, stdout=io.StringIO(), stderr=told)
    assert "warning: ratio by the conventions paper on tiny-vgg16, patel2019" in told.getvalue()


@pytest.mark.slow
def test_reproduce_makes_the_same_image_again(write_plan: PlanWriter, media: Path, tmp_path: Path) -> None:
    run("generate", write_plan(), "--exact")
    path = media / str(Cell.objects.get().image.name)
    copy = tmp_path / "again.png"
    assert run("reproduce", path, "--output", copy) == "largest difference 0 of 255, mean 0\n"
    assert Image.open(copy).tobytes() == Image.open(path).tobytes()


def test_reproduce_takes_the_reference_images_from_files_and_knows_them_by_their_pixels(
    write_plan: PlanWriter, media: Path
) -> None:
    plan = write_plan()
    run("generate", plan, "--exact")
    path = media / str(Cell.objects.get().image.name)
    Cell.objects.all().delete()
    Source.objects.all().delete()
    assert "cat.png: not in the media store; give it with --content" in refusal("reproduce", path)
    cat, wave = plan.parent / "cat.png", plan.parent / "wave.png"
    assert "is not the picture that was used" in refusal("reproduce", path, "--content", wave, "--style", cat)
    assert run("reproduce", path, "--content", cat, "--style", wave).startswith("largest difference 0 of 255")


def test_reproduce_refuses_a_file_that_generate_did_not_make(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Image.new("RGB", (8, 8)).save(path)
    assert "photo.png: has no provenance" in refusal("reproduce", path)
    assert "no such file" in refusal("reproduce", tmp_path / "none.png")


def test_contact_sheet_writes_a_labelled_plane(write_plan: PlanWriter, tmp_path: Path) -> None:
    run("generate", write_plan(ROW))
    sheet = tmp_path / "sheet.png"
    told = run(
        "contact_sheet", "grid", "--rows", "content", "--columns", "ratio", "--side", "32", "--output", sheet
    )
    assert told.startswith(f"{sheet}: ")
    with Image.open(sheet) as picture:
        assert picture.width > 2 * 32


def test_contact_sheet_shows_every_image_of_a_set(write_plan: PlanWriter, tmp_path: Path) -> None:
    """Rows and columns that are not said are those of the set's page; the other factors come in panels."""
    from generator.plans.plan import load_plan
    from generator.sets.create import image_set_from_plan

    factors = '[factors]\ncontent_layer = ["conv1_1", "conv2_1"]\nratio = [0.01, 0.1, 1.0]\nsize = [24, 32]\n'
    image_set = image_set_from_plan(load_plan(write_plan(factors)))
    page = plane(list(image_set.cells.all()))
    assert page.shown < image_set.cells.count()

    def drawn(*args: str) -> bytes:
        run("contact_sheet", "grid", *args, "--output", tmp_path / "sheet.png")
        return (tmp_path / "sheet.png").read_bytes()

    whole = drawn("--rows", page.rows, "--columns", page.columns)
    assert drawn() == drawn("--columns", page.columns) == drawn("--rows", page.rows) == whole
    turned = drawn("--rows", page.columns, "--columns", page.rows)
    assert drawn("--columns", page.rows) == drawn("--rows", page.columns) == turned != whole
    part = [f"{name}={level}" for name, level in page.fixed.items()]
    assert Image.open(io.BytesIO(drawn("--where", *part))).width < Image.open(io.BytesIO(whole)).width
    assert "unknown factor 'rato'" in refusal("contact_sheet", "grid", "--rows", "rato")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("gird", "--rows", "content", "--columns", "ratio"), "no image set 'gird' (did you mean 'grid'?)"),
        (("grid", "--rows", "content", "--columns", "rato"), "unknown factor 'rato' (did you mean 'ratio'?)"),
        (
            ("grid", "--rows", "content", "--columns", "ratio", "--where", "x"),
            "--where x: should be FACTOR=LEVEL",
        ),
        (
            ("grid", "--rows", "content", "--columns", "ratio", "--side", "0"),
            "images of 0 px are too small; give at least 16",
        ),
    ],
)
def test_contact_sheet_names_what_was_meant(
    write_plan: PlanWriter, args: tuple[str, ...], message: str
) -> None:
    from generator.plans.plan import load_plan
    from generator.sets.create import image_set_from_plan

    image_set_from_plan(load_plan(write_plan(ROW)))
    assert message in refusal("contact_sheet", *args)


def test_weights_lists_every_network_with_its_source_and_licence() -> None:
    told = run("weights", "list")
    for words in ("vgg16", "vgg19", "CC BY 4.0", "block 5 could not be compared"):
        assert words in " ".join(told.split())


def test_weights_refuses_a_network_that_it_does_not_know(settings, tmp_path: Path) -> None:
    settings.WEIGHTS_DIR = tmp_path
    assert "did you mean 'vgg16'?" in refusal("weights", "fetch", "vgg166")
    assert "no network is in the cache" in refusal("weights", "verify")


def test_reconstruct_draws_each_layers_share_of_both_images(
    write_plan: PlanWriter, tiny_network: Path, tmp_path: Path
) -> None:
    folder, sheet = write_plan().parent, tmp_path / "layers.png"
    options = [
        "--network",
        tiny_network,
        "--layers",
        "conv1_1",
        "conv2_1",
        "--size",
        "32",
        "--evaluations",
        "12",
    ]
    told = run("reconstruct", folder / "cat.png", folder / "wave.png", *options, "--output", sheet)
    assert told.startswith(f"{sheet}: ")
    cells = list(Cell.objects.order_by("index"))
    assert [(cell.factors["reconstructed"], cell.factors["layer"]) for cell in cells] == [
        ("content", "conv1_1"),
        ("content", "conv2_1"),
        ("style", "conv1_1"),
        ("style", "conv2_1"),
    ]
    assert {cell.status for cell in cells} == {Cell.Status.DONE}
    run("reconstruct", folder / "cat.png", folder / "wave.png", *options, "--output", sheet)
    assert ImageSet.objects.count() == 1


def test_reconstruct_names_the_layer_that_was_meant(write_plan: PlanWriter, tiny_network: Path) -> None:
    folder = write_plan().parent
    args = (
        folder / "cat.png",
        folder / "wave.png",
        "--network",
        tiny_network,
        "--layers",
        "conv1_1",
        "conv2_9",
    )
    assert "conv2_9" in refusal("reconstruct", *args)
    assert "dog.png: no such file" in refusal("reconstruct", folder / "dog.png", folder / "wave.png")
