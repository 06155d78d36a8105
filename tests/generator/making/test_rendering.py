"""A plan's cells become images, each once, with its provenance; what cannot be made is kept apart."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from generator import nst
from generator.files import images, networks
from generator.files.images import ImageError
from generator.making import engine
from generator.making.render import Step, render
from generator.models import Cell, ImageSet, Source
from generator.plans.document import PlanError
from generator.plans.plan import load_plan
from generator.sets.create import image_set_from_plan
from nstsite import __version__
from survey.study.publish import publish_image_set
from tests.generator.conftest import PlanWriter

pytestmark = pytest.mark.django_db
GRID = '[factors]\ncontent_layer = ["conv1_1", "conv3_1"]\nratio = [0.01, 0.1]\n'
# Nothing to change: the content loss of the content itself is nought from the start.
HOPELESS = '[[cells]]\nlabel = "hopeless"\ninit = "content"\nbeta = 0.0\nalpha = 1.0\ntv_weight = 0.0\n'


def rows(path: Path) -> ImageSet:
    return image_set_from_plan(load_plan(path))


def states(image_set: ImageSet) -> list[str]:
    return [cell.status for cell in image_set.cells.all()]


def test_a_grid_goes_from_plan_to_images_with_their_provenance(write_plan: PlanWriter, media: Path) -> None:
    image_set = rows(write_plan(GRID))
    summary = render(image_set)
    assert (summary.done, summary.made, summary.failed, summary.waiting) == (4, 4, 0, 0)
    for cell in image_set.cells.all():
        path = media / str(cell.image.name)
        found = images.read_provenance(path)
        assert found == cell.provenance
        assert found["recipe"] == cell.recipe
        assert found["key"] == cell.key
        assert found["content"]["pixels"] == images.pixel_hash(images.read(media.parent / "plan" / "cat.png"))
        assert found["weights"]["sha256"] == networks.weights(cell.recipe["network"]).sha256
        assert found["image"]["pixels"] == images.pixel_hash(images.read(path))
        assert len(found["curve"]["content"]) == found["evaluations"] == 6
        assert (cell.width, cell.height) == Image.open(path).size == (32, 32)
        assert {"ssim", "content_loss", "style_loss", "near_duplicate_of"} <= cell.covariates.keys()
    assert len({cell.sha256 for cell in image_set.cells.all()}) == 4


@pytest.mark.slow
def test_images_of_nnst_and_strotss_say_by_which_method_and_weight_they_were_made(
    write_plan: PlanWriter,
) -> None:
    image_set = rows(write_plan('[factors]\nmethod = ["nnst", "strotss"]\nratio = [0.5]\n'))
    assert render(image_set).done == 2
    for cell in image_set.cells.all():
        method = cell.recipe["method"]
        weights = cell.provenance["coefficients"]["preset"]
        assert weights == {"convention": method, "alpha": 0.5 * weights["beta"], "beta": weights["beta"]}
        assert cell.provenance["algorithm"] == cell.algorithm == "kolkin-1"


def test_a_second_run_makes_nothing_again(write_plan: PlanWriter) -> None:
    path = write_plan(GRID)
    render(rows(path))
    before = list(Cell.objects.values("sha256", "made_at"))
    assert render(rows(path)).made == 0
    assert list(Cell.objects.values("sha256", "made_at")) == before


def test_images_that_another_set_has_are_taken_over(write_plan: PlanWriter) -> None:
    render(rows(write_plan("[factors]\nratio = [0.01, 0.1]\n")))
    wider = rows(write_plan("[factors]\nratio = [0.1, 0.01, 1.0]\n", name="wider.toml"))
    assert states(wider) == ["done", "done", "waiting"]
    assert render(wider).made == 1


def test_a_set_is_finished_from_the_kept_pixels_when_the_files_are_gone(write_plan: PlanWriter) -> None:
    path = write_plan()
    image_set = rows(path)
    shutil.rmtree(path.parent)
    assert render(image_set).done == 1


def test_an_interrupted_run_keeps_what_is_done_and_the_next_makes_the_rest(write_plan: PlanWriter) -> None:
    image_set = rows(write_plan(GRID))

    def interrupt(step: Step) -> None:
        if step.done == 1 and step.evaluation == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(image_set, progress=interrupt)
    assert states(image_set) == ["done", "waiting", "waiting", "waiting"]
    assert render(image_set).made == 3


def test_a_cell_that_cannot_be_made_is_kept_apart_with_the_reason(write_plan: PlanWriter) -> None:
    image_set = rows(write_plan(f"[factors]\nratio = [0.1]\n{HOPELESS}"))
    summary = render(image_set)
    assert (summary.done, summary.failed) == (1, 1)
    failed = image_set.cells.get(status=Cell.Status.FAILED)
    assert "never fell below its start" in failed.reason
    assert not failed.image
    assert render(image_set).failed == 1
    assert Cell.objects.get(pk=failed.pk).attempts == 1
    render(image_set, retry_failed=True)
    failed.refresh_from_db()
    assert failed.status == Cell.Status.FAILED


@pytest.mark.parametrize(
    ("wild", "reason"),
    [
        ("noise_scale = 255\nnoise_mean = 255\nevaluations = 1", "ran far beyond black or white"),
        ("optimiser = 'adam'\nlearning_rate = 1000\ninit = 'content'", "the loss"),
    ],
)
def test_what_ran_away_is_kept_apart_until_it_is_asked_for_again(
    write_plan: PlanWriter, wild: str, reason: str
) -> None:
    image_set = rows(write_plan(f'[factors]\nratio = [0.1]\n[[cells]]\nlabel = "wild"\n{wild}\n'))
    assert render(image_set).failed == 1
    failed = image_set.cells.get(label__startswith="wild")
    assert (failed.status, failed.image.name, failed.attempts) == (Cell.Status.FAILED, "", 1)
    assert reason in failed.reason
    assert render(image_set).made == 0
    render(image_set, retry_failed=True)
    failed.refresh_from_db()
    assert failed.attempts == 1  # counted anew
    assert failed.status == Cell.Status.FAILED


@pytest.mark.slow
@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("can't allocate memory")]
)
def test_a_batch_that_does_not_fit_is_halved_until_it_does(
    write_plan: PlanWriter, monkeypatch, error
) -> None:
    image_set = rows(write_plan(GRID))
    sizes, real = [], nst.transfer_batch

    def small_memory(jobs, **options):
        sizes.append(len(jobs))
        if len(jobs) > 1:
            raise error
        return real(jobs, **options)

    monkeypatch.setattr(nst, "transfer_batch", small_memory)
    monkeypatch.setattr(engine, "batch_size", lambda device, size: 4)
    assert render(image_set).done == 4
    assert sizes == [4, 2, 1, 1, 2, 1, 1]


def test_a_cell_too_large_for_the_memory_fails_with_the_mend(write_plan: PlanWriter, monkeypatch) -> None:
    def no_memory(jobs, **options):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(nst, "transfer_batch", no_memory)
    image_set = rows(write_plan())
    assert render(image_set).failed == 1
    assert image_set.cells.get().reason == "out of memory; make the image smaller"


def test_a_mistake_of_the_program_is_not_blamed_on_the_cells(write_plan: PlanWriter, monkeypatch) -> None:
    def broken(jobs, **options):
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr(nst, "transfer_batch", broken)
    image_set = rows(write_plan())
    with pytest.raises(RuntimeError, match="shape mismatch"):
        render(image_set)
    assert states(image_set) == ["waiting"]


def test_like_cells_run_as_one_batch_and_others_by_themselves(write_plan: PlanWriter, monkeypatch) -> None:
    sizes, real = [], nst.transfer_batch

    def note(jobs, **options):
        sizes.append(len(jobs))
        return real(jobs, **options)

    monkeypatch.setattr(nst, "transfer_batch", note)
    monkeypatch.setattr(engine, "batch_size", lambda device, size: 3)
    image_set = rows(write_plan("[factors]\nsize = [24, 32]\nratio = [0.01, 0.1, 0.5, 1.0]\n"))
    assert render(image_set).done == 8
    assert sorted(sizes) == [1, 1, 3, 3]


def test_progress_tells_cell_evaluation_loss_and_how_much_is_done(write_plan: PlanWriter) -> None:
    steps: list[Step] = []
    render(rows(write_plan("[factors]\nratio = [0.01, 0.1]\n")), progress=steps.append)
    running = [step for step in steps if step.evaluation]
    assert [step.evaluation for step in running] == [1, 2, 3, 4, 5, 6] * 2
    assert {step.evaluations for step in running} == {6}
    assert running[0].cells == ("cat × wave, ratio 0.01",)
    assert running[0].loss() > 0
    assert [step.done for step in steps if not step.evaluation] == [1, 2]
    assert sum(step.advanced for step in steps) == 12


def test_exact_runs_repeat_an_image_bit_by_bit(write_plan: PlanWriter) -> None:
    pixels = []
    for _ in range(2):
        image_set = rows(write_plan())
        render(image_set, exact=True)
        pixels.append(image_set.cells.get().provenance["image"]["pixels"])
        image_set.delete()
    assert pixels[0] == pixels[1]


def test_a_plan_that_asks_for_other_images_than_its_set_holds_is_refused(write_plan: PlanWriter) -> None:
    rows(write_plan("[factors]\nratio = [0.01]\n"))
    with pytest.raises(PlanError, match=r'"grid" has other images .*; write slug = "grid-2"'):
        rows(write_plan("[factors]\nratio = [0.02]\n"))
    assert Cell.objects.count() == 1


def test_a_study_published_before_the_images_were_measured_gets_their_covariates(
    write_plan: PlanWriter, monkeypatch
) -> None:
    image_set = rows(write_plan())
    with monkeypatch.context() as patch:
        patch.setattr("generator.making.describe.describe", lambda *args: None)
        render(image_set)
    study = publish_image_set(image_set, "early")
    assert study.stimuli.get().covariates == {}
    render(image_set)
    assert "ssim" in study.stimuli.get().covariates


def test_a_plan_in_other_words_renames_its_cells(write_plan: PlanWriter) -> None:
    rows(write_plan("[factors]\nratio = [0.01]\n"))
    rows(write_plan('[[cells]]\nlabel = "D"\nratio = 0.01\n', head='title = "Better"'))
    assert ImageSet.objects.get().title == "Better"
    assert Cell.objects.get().label == "D: cat × wave"


def test_an_image_too_small_for_its_layers_is_refused_with_the_least_size(write_plan: PlanWriter) -> None:
    path = write_plan(recipe='shape = "aspect"')
    Image.new("RGB", (1, 1)).save(path.parent / "cat.png")
    with pytest.raises(
        ImageError, match=r"cat\.png: 1 × 1 pixels, .*; relu5_1 needs at least 16 on each side"
    ):
        rows(path)
    Image.new("RGB", (3000, 20)).save(path.parent / "cat.png")
    with pytest.raises(ImageError, match=r"cat\.png: 3000 × 20 pixels, 32 × 1 once scaled; relu5_1"):
        rows(path)
    assert not Cell.objects.exists()
    assert not Source.objects.exists()


def test_a_licence_and_the_version_are_written_into_the_image(write_plan: PlanWriter) -> None:
    image_set = rows(write_plan('[images.licences]\n"cat.png" = "CC0, its author"\n'))
    render(image_set)
    provenance = image_set.cells.get().provenance
    assert provenance["content"]["licence"] == "CC0, its author"
    assert provenance["versions"]["nstsite"] == __version__


def test_anything_that_decides_the_image_changes_its_key(write_plan: PlanWriter) -> None:
    keys = set()
    for number, recipe in enumerate(["", "ratio = 0.3", "seed = 2", "precision = 'fp32'", "tv_form = 'l1'"]):
        keys.add(rows(write_plan(recipe=recipe, name=f"p{number}.toml")).cells.get().key)
    path = write_plan(name="other.toml")
    Image.new("RGB", (48, 40), "red").save(path.parent / "wave.png")
    keys.add(rows(path).cells.get().key)
    assert len(keys) == 6
    assert rows(write_plan(name="same.toml")).cells.get().key in keys
