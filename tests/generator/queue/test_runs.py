"""A plan given in the browser: looked through, started, stopped, taken up; what dies is noticed and lost nothing."""

from __future__ import annotations

import functools
import io
import os
import subprocess
import sys
import zlib
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model, QuerySet
from django.utils import timezone
from PIL import Image

from generator.files import bounded
from generator.files.images import ImageError
from generator.making import render
from generator.models import Cell, ImageSet, PlanRun, Source, Upload
from generator.plans.document import PlanError
from generator.queue import process, runs, worker
from generator.queue.runs import RunError
from generator.sets import uploads
from generator.sets.progress import progress
from tests.generator.nst.tiny import tiny_weights
from tests.generator.rows import make_set, mark_done

pytestmark = pytest.mark.django_db(transaction=True)

START = worker._start
PLAN = """
title = "Two ratios"
preset = "patel2019"
[images]
content = ["cat.png"]
style = ["wave.png"]
[recipe]
size = 32
evaluations = 3
[factors]
ratio = [0.01, 0.1]
"""


def picture(seed: int = 0, size: tuple[int, int] = (48, 40)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize(size).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def started(monkeypatch, settings, tmp_path: Path, media: Path) -> list[str]:
    """A data folder of its own, a network of a few channels, and no real worker: the names of the queues whose worker would start."""
    settings.DATA_DIR = tmp_path / "data"
    started: list[str] = []
    monkeypatch.setattr(worker, "_start", lambda name, lock: started.append(name))
    weights = tiny_weights()
    monkeypatch.setattr("generator.files.networks.weights", lambda network: weights)
    monkeypatch.setattr("generator.making.covariates.SIZE", 48)
    return started


@functools.cache
def decoded(seed: int) -> bounded.Decoded:
    """A picture read in a process with limits, once for all tests: its start takes longer than the rest of a test."""
    return bounded.decode(picture(seed), "picture.png")


@pytest.fixture
def ada(started, monkeypatch) -> User:
    user = User.objects.create_user("ada")
    for seed, name in enumerate(("cat.png", "wave.png")):
        once = decoded(seed)
        with monkeypatch.context() as patched:
            patched.setattr(bounded, "decode", lambda data, name, once=once: once)
            uploads.keep(user, SimpleUploadedFile(name, picture(seed)))
    return user


def planned(owner: User, plan: str = PLAN) -> PlanRun:
    run = runs.submit(owner, plan)
    worker.work("plans")
    run.refresh_from_db()
    return run


def made(owner: User) -> PlanRun:
    run = planned(owner)
    runs.go(run)
    worker.work("sets")
    run.refresh_from_db()
    return run


def set_of(run: PlanRun) -> ImageSet:
    assert run.image_set is not None
    return run.image_set


@pytest.mark.slow
def test_a_plan_is_looked_through_before_anything_is_made(ada, started):
    run = planned(ada)
    assert run.state == "planned"
    assert run.dry_run["factors"][-1] == ["ratio", ["0.01", "0.1"]]
    assert (run.dry_run["to_make"], run.dry_run["evaluations"]) == (2, 6)
    assert run.dry_run["seconds"] > 0
    assert not ImageSet.objects.exists()
    assert started == ["plans"]


def test_after_go_its_images_are_made_for_its_owner(ada, started):
    run = made(ada)
    assert run.state == "done"
    assert run.image_set.owner == ada
    assert run.image_set.slug == "two-ratios"
    assert [cell.status for cell in run.image_set.cells.all()] == ["done", "done"]
    assert started == ["plans", "sets"]


def test_go_counts_once_and_only_for_a_plan_that_was_looked_through(ada):
    run = planned(ada)
    runs.go(run)
    with pytest.raises(RunError):
        runs.go(run)
    with pytest.raises(RunError):
        runs.go(runs.submit(ada, PLAN))


@pytest.mark.parametrize(
    "mistake",
    [
        ("ratio = [0.01, 0.1]", "ratio = [0.01, 0.1]\n[[exclude]]\nratio = 9", "matches no cell"),
        ("cat.png", "cta.png", "no file in your pictures is called 'cta.png' (did you mean 'cat.png'?)"),
    ],
)
def test_a_mistake_is_told_in_one_line_that_shows_no_folder_of_the_server(ada, settings, mistake):
    old, new, told = mistake
    run = planned(ada, PLAN.replace(old, new))
    assert run.state == "refused"
    assert told in run.problem
    assert str(settings.DATA_DIR) not in run.problem
    assert "\n" not in run.problem


def test_a_setting_that_no_recipe_takes_is_refused_before_it_is_kept(ada):
    with pytest.raises(PlanError, match="did you mean 'ratio'"):
        runs.submit(ada, PLAN.replace("ratio = [0.01, 0.1]", "ratoi = [0.01]"))
    assert not PlanRun.objects.exists()


@pytest.mark.parametrize("name", ["/etc/passwd", "../cat.png", "**/*.png", "a\\\\b.png", "a\\u0000.png"])
def test_a_plan_reads_no_file_but_its_owners_pictures(ada, name):
    for place in ('content = ["cat.png"]', 'style = ["wave.png"]'):
        role = place.partition(" ")[0]
        with pytest.raises(PlanError, match="leads to another folder"):
            runs.submit(ada, PLAN.replace(place, f'{role} = ["{name}"]'))
    allowed = PLAN.replace('content = ["cat.png"]', f'content = ["{name}"]').replace(
        "[recipe]", f'[images.licences]\n"wave.png" = "{name}"\n[recipe]'
    )
    with pytest.raises(PlanError, match="leads to another folder"):
        runs.submit(ada, allowed)
    with pytest.raises(PlanError, match="leads to another folder"):
        runs.submit(ada, PLAN.replace("size = 32", f'size = 32\nnetwork = "{name}"'))
    assert not PlanRun.objects.exists()


def test_words_that_name_no_file_may_have_slashes(ada):
    run = planned(
        ada,
        PLAN.replace("Two ratios", "Half/half")
        + '[[anchors]]\nlabel = "worst/best"\nevaluations = 1\n[images.licences]\n"cat.png" = "CC/BY"\n',
    )
    assert run.state == "planned", run.problem


def test_a_plan_does_not_see_the_pictures_of_others(ada):
    run = planned(User.objects.create_user("eve"))
    assert run.state == "refused"
    assert "cat.png" in run.problem


@pytest.mark.slow
def test_a_plan_cannot_take_the_name_of_somebody_elses_set(ada):
    made(ada)
    eve = User.objects.create_user("eve")
    for seed, name in enumerate(("cat.png", "wave.png")):
        uploads.keep(eve, SimpleUploadedFile(name, picture(seed)))
    run = planned(eve, f'slug = "two-ratios"\n{PLAN}')
    assert run.state == "refused"
    assert 'image set "two-ratios" is not yours; write slug = "two-ratios-2"' in run.problem


@pytest.mark.slow
def test_plans_of_one_title_get_names_of_their_own(ada):
    first = made(ada)
    assert [runs.submit(ada, PLAN).slug, runs.submit(ada, PLAN).slug] == ["two-ratios-2", "two-ratios-3"]
    assert first.slug == "two-ratios"


def test_one_set_is_made_at_a_time_and_the_rest_waits(ada, monkeypatch):
    order = []
    monkeypatch.setattr(
        "generator.making.render.render", lambda image_set, **rest: order.append(image_set.slug)
    )
    sets = [make_set(slug, keys) for slug, keys in (("one", "ab"), ("two", "cd"))]
    waiting = [runs.take_up(image_set, ada) for image_set in sets]
    assert [run.ahead for run in waiting] == [0, 1]
    assert progress(sets[1]).state == "queued"
    worker.work("sets")
    assert order == ["one", "two"]


def test_a_second_process_leaves_the_work_to_the_first(ada, started):
    planned(ada)
    lock = process.acquire("sets")
    assert lock is not None
    try:
        runs.take_up(make_set(), ada)
        worker.work("sets")
        assert PlanRun.objects.filter(state="queued").count() == 1
        assert "sets" not in started
    finally:
        os.close(lock)


def test_a_dead_process_is_noticed_and_its_set_taken_up_again(ada, started):
    run = made(ada)
    Cell.objects.filter(index=1).update(status="waiting", image="", sha256="")
    PlanRun.objects.filter(pk=run.pk).update(state="running")
    runs.tend()
    told = progress(set_of(run))
    assert told.state == "stopped"
    assert "ended early" in told.problem
    again = runs.take_up(set_of(run), ada)
    worker.work("sets")
    assert progress(set_of(run)).state == "done"
    again.refresh_from_db()
    assert again.state == "done"


def test_a_process_of_another_machine_is_given_up_when_it_is_silent_for_long(ada):
    image_set = make_set(keys="a")
    run = runs.take_up(image_set, ada)
    began = timezone.now() - 2 * worker.SILENCE
    PlanRun.objects.update(state="running", host="elsewhere", began=began)
    claim = {"claim_token": "x", "claim_host": "elsewhere", "claimed_at": timezone.now()}
    image_set.cells.update(status="running", **claim)
    runs.tend()
    run.refresh_from_db()
    assert run.state == "running"
    image_set.cells.update(claimed_at=began)
    runs.tend()
    runs.tend()
    run.refresh_from_db()
    assert run.state == "failed"
    assert progress(image_set).state == "stopped"


def test_the_dry_run_of_a_dead_process_is_noticed(ada):
    run = planned(ada)
    PlanRun.objects.filter(pk=run.pk).update(state="planning")
    runs.tend()
    run.refresh_from_db()
    assert run.state == "refused"


def test_what_waits_without_a_process_gets_one_at_the_next_look(ada, started):
    runs.take_up(make_set(), ada)
    started.clear()
    runs.tend()
    assert started == ["sets"]


def test_where_pytorch_is_missing_a_plan_is_refused_with_the_reason(ada, started, monkeypatch):
    monkeypatch.setattr(worker, "find_spec", lambda name: None)
    run = runs.submit(ada, PLAN)
    run.refresh_from_db()
    assert started == []
    assert run.state == PlanRun.State.REFUSED
    assert run.problem.startswith("this server makes no images: PyTorch is not installed on it")


def test_a_lane_has_one_process_until_that_ends_however_it_ends(ada, monkeypatch):
    """The process holds the queue's lock, which it was handed, from its first moment to its last."""
    children = []

    def sleeper(command: list[str], **options) -> None:
        assert command[2:4] == ["work", "sets"]
        sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
        children.append(subprocess_popen(sleep, pass_fds=options["pass_fds"]))

    subprocess_popen = subprocess.Popen
    monkeypatch.setattr(worker, "_start", START)
    monkeypatch.setattr("subprocess.Popen", sleeper)
    runs.take_up(make_set(), ada)
    runs.tend()
    assert len(children) == 1
    children[0].kill()
    children[0].wait()
    runs.tend()
    assert len(children) == 2
    children[1].kill()
    children[1].wait()


def test_where_there_is_a_queue_its_workers_make_the_set(ada, settings, monkeypatch):
    def enqueue(image_set: ImageSet) -> None:
        ImageSet.objects.filter(pk=image_set.pk).update(is_queued=True)

    settings.GENERATOR_EXECUTOR = "procrastinate"
    monkeypatch.setattr("generator.queue.distributed.enqueue", enqueue)
    run = made(ada)
    assert run.state == "done"
    assert {cell.status for cell in set_of(run).cells.all()} == {"waiting"}
    told = progress(set_of(run))
    assert (told.state, told.may_stop) == ("making", True)
    runs.stop_set(set_of(run))
    run.refresh_from_db()
    assert progress(ImageSet.objects.get()).state == "stopped"


@pytest.fixture
def stopping(ada, monkeypatch) -> PlanRun:
    """A run that somebody stops at its first evaluation."""
    monkeypatch.setattr(render, "_POLL", 0.0)
    run = planned(ada)
    runs.go(run)
    saved = render.while_wanted

    def stops(wanted: QuerySet[Model]):
        look = saved(wanted)

        def stop_then_look(step) -> None:
            runs.stop_set(set_of(PlanRun.objects.get(pk=run.pk)))
            look(step)

        return stop_then_look

    monkeypatch.setattr(render, "while_wanted", stops)
    worker.work("sets")
    run.refresh_from_db()
    return run


def test_a_stopped_set_frees_what_it_was_making(stopping):
    assert stopping.state == "stopped"
    assert {cell.status for cell in stopping.image_set.cells.all()} == {"waiting"}
    assert progress(set_of(stopping)).state == "stopped"


def test_a_set_is_taken_up_once_and_only_while_something_is_left(ada):
    image_set = make_set(keys="a")
    runs.take_up(image_set, ada)
    with pytest.raises(RunError, match="already"):
        runs.take_up(image_set, ada)
    runs.stop_set(image_set)
    mark_done(image_set.cells.get())
    with pytest.raises(RunError, match="is made already"):
        runs.take_up(image_set, ada)


@pytest.mark.slow
def test_failed_cells_are_tried_again_only_when_asked(ada):
    run = made(ada)
    Cell.objects.filter(index=0).update(status="failed", reason="diverged", image="", sha256="")
    with pytest.raises(RunError):
        runs.take_up(set_of(run), ada)
    runs.take_up(set_of(run), ada, retry_failed=True)
    worker.work("sets")
    assert {cell.status for cell in run.image_set.cells.all()} == {"done"}


@pytest.mark.slow
def test_a_plan_is_forgotten_until_its_images_are_begun(ada):
    run = planned(ada)
    runs.discard(run)
    assert not PlanRun.objects.exists()
    with pytest.raises(RunError):
        runs.discard(made(ada))


def test_a_fault_of_ours_ends_the_run_with_a_line_and_the_next_one_goes_on(ada, monkeypatch):
    def fails(*args, **rest):
        raise ZeroDivisionError

    run = planned(ada)
    monkeypatch.setattr("generator.making.dry_run.look_through", fails)
    other = runs.submit(ada, PLAN)
    worker.work("plans")
    other.refresh_from_db()
    assert other.state == "refused"
    assert "an error in the program" in other.problem
    assert run.state == "planned"


def test_the_time_left_follows_the_pace_of_the_last_images(ada):
    image_set = make_set(keys="abcdefgh")
    run = runs.take_up(image_set, ada)
    now = timezone.now()
    PlanRun.objects.filter(pk=run.pk).update(state="running", began=now - timedelta(seconds=40))
    for place, cell in enumerate(image_set.cells.all()[:4]):
        mark_done(cell)
        Cell.objects.filter(pk=cell.pk).update(made_at=now - timedelta(seconds=30 - 10 * place))
    told = progress(image_set)
    assert told.state == "making"
    assert told.images_per_hour == pytest.approx(360, rel=0.01)
    assert told.seconds_left == pytest.approx(40, abs=2)


def test_before_the_first_image_the_time_left_is_the_forecasts(ada):
    run = planned(ada)
    image_set = make_set()
    PlanRun.objects.filter(pk=run.pk).update(state="running", image_set=image_set, dry_run={"seconds": 100})
    told = progress(image_set)
    assert told.images_per_hour is None
    assert told.seconds_left == pytest.approx(100, abs=5)


class TestUploads:
    """What is kept of an uploaded file, and what is refused."""

    def test_a_photograph_loses_all_but_its_pixels(self, ada):
        exif = Image.Exif()
        exif[0x010E] = "at home"
        buffer = io.BytesIO()
        Image.new("RGB", (40, 30), "red").save(buffer, "JPEG", exif=exif)
        upload = uploads.keep(ada, SimpleUploadedFile("me.jpg", buffer.getvalue()))
        with upload.source.file.open() as file:
            stored = file.read()
        assert b"at home" not in stored
        assert Image.open(io.BytesIO(stored)).getexif() == {}

    def test_each_refused_file_has_its_line_and_the_others_are_kept(self, ada):
        files = {
            "notes.txt": (b"hello", "not a picture"),
            "pictures.zip": (b"PK\x03\x04 and so on", "not a picture"),
            "half.png": (picture(5)[:200], "broken or cut short"),
            "good.png": (picture(6), ""),
        }
        received = uploads.receive(ada, [SimpleUploadedFile(name, data) for name, (data, _) in files.items()])
        assert [upload.name for upload in received.kept] == ["good.png"]
        for line, (name, (_, told)) in zip(received.refused, files.items(), strict=False):
            assert line.startswith(name)
            assert told in line

    def test_a_decompression_bomb_is_refused_by_its_header(self, ada):
        bomb = bytearray(picture(0))
        bomb[16:24] = (60_000).to_bytes(4, "big") * 2
        bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
        with pytest.raises(ImageError, match="scale it down"):
            uploads.keep(ada, SimpleUploadedFile("bomb.png", bytes(bomb)))

    def test_a_file_of_too_many_bytes_is_not_read(self, ada, monkeypatch):
        monkeypatch.setattr(uploads, "MAX_PICTURE_BYTES", 100)
        with pytest.raises(ImageError, match=r"big\.png: has 0 MB; the limit is"):
            uploads.keep(ada, SimpleUploadedFile("big.png", picture(0)))

    @pytest.mark.parametrize("name", ["../../x.png", "a/b/x.png", "C:\\pictures\\x.png", "x\x00\n.png"])
    def test_a_name_leads_nowhere(self, name):
        assert uploads.plain_name(name) == "x.png"

    @pytest.mark.parametrize("name", ["", "..", "a/", "x" * 101])
    def test_a_name_that_is_none_is_refused(self, name):
        with pytest.raises(ImageError):
            uploads.plain_name(name)

    def test_the_same_picture_again_is_one_upload_and_another_of_its_name_is_refused(self, ada):
        uploads.keep(ada, SimpleUploadedFile("cat.png", picture(0)))
        assert Upload.objects.filter(owner=ada).count() == 2
        with pytest.raises(ImageError, match="another picture of this name"):
            uploads.keep(ada, SimpleUploadedFile("cat.png", picture(7)))

    def test_a_removed_upload_leaves_nothing_unless_an_image_was_made_of_it(self, ada, media):
        alone = uploads.keep(ada, SimpleUploadedFile("alone.png", picture(8)))
        path = media / alone.source.file.name
        uploads.remove(alone)
        assert not path.exists()
        made(ada)
        uploads.remove(Upload.objects.get(name="cat.png"))
        assert Source.objects.filter(name="cat.png").exists()
