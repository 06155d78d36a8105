"""The pages of pictures, plans and image sets, and the way from them to a study."""

from __future__ import annotations

import io
import random
import re
import tomllib
import zipfile
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.staticfiles import finders
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from generator.files import bounded
from generator.models import Cell, ImageSet, PlanRun, Source, Upload
from generator.nst.recipes.coefficients import TERMS
from generator.nst.recipes.presets import PRESETS as ALL_PRESETS
from generator.nst.recipes.presets import preset
from generator.plans.document import shipped_plans
from generator.queue import runs, worker
from generator.sets import uploads
from generator.sets.estimate import plan_among
from survey.desk.forms.methods import WORDS, methods
from survey.desk.forms.plan_factors import FACTORS, SIZE, numbers_in, suggestions
from survey.desk.forms.plan_form import PlanForm
from survey.desk.loss_curve import TERM_LOOKS
from survey.models import AuditEntry, Study
from survey.study.publish import publish_image_set
from tests.survey.desk.conftest import client_of
from tests.survey.desk.sets import finished_set, planned
from tests.survey.factories import png

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def started(monkeypatch) -> list[str]:
    """The queues whose worker would have been started."""
    started: list[str] = []
    monkeypatch.setattr(worker, "_start", lambda name, lock: started.append(name))
    return started


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """Decode pictures in this process: starting another takes longer than most of these tests."""
    monkeypatch.setattr(bounded, "decode", bounded.decode_here)


@pytest.fixture
def owner(db) -> User:
    user = User.objects.create_user("owner")
    user.groups.add(Group.objects.get(name="Researchers"))
    return user


@pytest.fixture
def grid(owner) -> ImageSet:
    return finished_set(owner)


def pictures(owner: User, *names: str) -> None:
    for colour, name in enumerate(names):
        uploads.keep(owner, SimpleUploadedFile(name, png(colour)))


FREE = {"status": "waiting", "claim_token": "", "claim_host": "", "claimed_at": None}


def claim(cell: Cell) -> None:
    """Have a run at work on a cell, on another machine."""
    Cell.objects.filter(pk=cell.pk).update(
        status="running", claim_token="x", claim_host="elsewhere", claimed_at=timezone.now()
    )


def ticked(html: str) -> set[tuple[str, str]]:
    """Return name and value of each box and button of a page that is ticked."""
    boxes = re.findall(r'<input type="(?:checkbox|radio)" name="(\w+)" value="([^"]*)"[^>]*? checked', html)
    return {(name, unescape(value)) for name, value in boxes}


def page(client: Client, name: str, *arguments: object, **query: Any) -> str:
    response = client.get(reverse(name, args=arguments), query)
    assert response.status_code == 200
    return response.content.decode()


class TestSets:
    def test_the_list_is_empty_with_the_next_step(self, desk):
        html = page(desk, "image_sets")
        assert "No image sets yet" in html
        assert reverse("pictures") in html

    def test_the_list_shows_sets_and_plans(self, desk, owner, grid):
        run = planned(owner)
        html = page(desk, "image_sets")
        assert reverse("image_set", args=["grid"]) in html
        assert reverse("plan", args=[run.pk]) in html

    def test_the_newest_set_is_first(self, desk, owner, grid):
        ImageSet.objects.create(slug="newer", title="Newer", owner=owner, plan="")
        html = page(desk, "image_sets")
        assert html.index(reverse("image_set", args=["newer"])) < html.index(
            reverse("image_set", args=["grid"])
        )

    def test_the_grid_links_each_image(self, desk, grid):
        html = page(desk, "image_set", "grid")
        for index in range(3):
            assert reverse("cell", args=["grid", index]) in html
            assert reverse("cell_thumbnail", args=["grid", index]) in html

    def test_images_that_no_two_factors_cross_are_listed_unless_a_table_is_asked_for(self, desk, owner):
        image_set = finished_set(owner, "pairs", "abcd")
        for cell in image_set.cells.all():
            cell.factors = {"content": f"c{cell.index}", "style": f"s{cell.index}"}
            cell.save()
        html = page(desk, "image_set", "pairs")
        assert "<table" not in html
        assert html.count("<img") == 4
        assert "<table" in page(desk, "image_set", "pairs", rows="content", columns="style")

    def test_failures_and_look_alikes_are_listed(self, desk, owner):
        image_set = finished_set(owner, failed="b")
        last = image_set.cells.get(index=2)
        last.covariates = {"near_duplicate_of": 0}
        last.save()
        html = page(desk, "image_set", "grid")
        assert "the loss is not finite" in html
        assert "Try the failed images again" in html
        assert "Images that look alike" in html

    def test_a_page_bears_thousands_of_cells(self, desk, grid, monkeypatch, django_assert_max_num_queries):
        monkeypatch.setattr("survey.desk.pages.image_sets.image_sets.MAX_ON_A_PAGE", 2)
        with django_assert_max_num_queries(25):
            html = page(desk, "image_set", "grid")
        assert "too many for one page" in html
        assert "<img" not in html

    def test_the_contact_sheet_is_the_plane_of_the_page(self, desk, grid):
        response = desk.get(reverse("set_sheet", args=["grid"]), {"rows": "content", "columns": "ratio"})
        sheet = Image.open(io.BytesIO(response.content))
        assert sheet.width > 3 * 48 > sheet.height
        assert 'filename="grid_content_by_ratio.png"' in response["Content-Disposition"]

    def test_a_sheet_that_cannot_be_drawn_says_why(self, desk, owner):
        finished_set(owner, "twins", "ab").cells.update(factors={"content": "a", "style": "b"})
        response = desk.get(reverse("set_sheet", args=["twins"]))
        assert response.status_code == 422
        assert b"several images" in response.content

    def test_progress_is_sent_again_only_when_it_changed(self, desk, grid):
        address = reverse("set_progress", args=["grid"])
        first = desk.get(address)
        assert first.json()["done"] == 3
        again = desk.get(address, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        Cell.objects.filter(index=0).update(status="failed", reason="a test", image="", sha256="")
        assert desk.get(address, headers={"If-None-Match": first["ETag"]}).json()["failed"] == 1

    def test_progress_is_cheap(self, desk, grid, django_assert_max_num_queries):
        with django_assert_max_num_queries(16):
            desk.get(reverse("set_progress", args=["grid"]))

    def test_a_set_is_stopped_resumed_and_tried_again_and_the_log_knows(self, desk, owner):
        image_set = finished_set(owner, failed="b")
        desk.post(reverse("retry_set", args=["grid"]))
        assert image_set.runs.get().retries_failed
        assert "Waiting" in page(desk, "image_set", "grid")
        desk.post(reverse("stop_set", args=["grid"]))
        assert image_set.runs.get().state == "stopped"
        response = desk.post(reverse("resume_set", args=["grid"]), follow=True)
        assert "Every image of this set is made already." in response.content.decode()
        assert set(AuditEntry.objects.values_list("act", "who")) == {
            ("images.resume", "owner"),
            ("images.stop", "owner"),
        }


class TestStop:
    def test_a_stop_is_told_at_once_and_then_what_is_kept(self, desk, owner):
        image_set = finished_set(owner, failed="bc")
        image_set.cells.filter(label__in="bc").update(status="waiting", reason="")
        run = runs.take_up(image_set, owner)
        PlanRun.objects.filter(pk=run.pk).update(state="running")
        claim(image_set.cells.get(label="b"))
        answer = desk.post(reverse("stop_set", args=["grid"]), follow=True).content.decode()
        assert "Stopping</strong>: the image at work is left unfinished" in answer
        assert desk.get(reverse("set_progress", args=["grid"])).json()["state"] == "stopping"
        image_set.cells.filter(label="b").update(**FREE)
        image_set.refresh_from_db()
        answer = page(desk, "image_set", "grid")
        assert f"{image_set.stopped_at:%H:%M} UTC</time></strong>. 1 of 3 images are kept." in answer
        assert reverse("study_from_set", args=["grid"]) in answer
        desk.post(reverse("resume_set", args=["grid"]))
        image_set.refresh_from_db()
        assert image_set.stopped_at is None

    def test_a_run_on_a_terminal_long_after_a_stop_is_no_stop(self, desk, grid):
        grid.cells.filter(label="b").update(status="waiting", image="", sha256="")
        claim(grid.cells.get(label="b"))
        ImageSet.objects.update(stopped_at=timezone.now() - timedelta(hours=1))
        assert "Making images" in page(desk, "image_set", "grid")


class TestRenameAndDelete:
    def test_a_renamed_set_keeps_its_address_and_the_log_knows_both_names(self, desk, grid):
        desk.post(reverse("rename_set", args=["grid"]), {"title": " Waves  at three ratios "})
        grid.refresh_from_db()
        assert (grid.title, grid.slug) == ("Waves at three ratios", "grid")
        entry = AuditEntry.objects.get(act="images.rename")
        assert (entry.who, entry.detail["after"]) == ("owner", "Waves at three ratios")

    @pytest.mark.parametrize(
        ("title", "told"), [(" ", "Give the set a name"), ("x" * 201, "This name has 201")]
    )
    def test_a_name_that_cannot_be_is_refused_and_kept_in_the_field(self, desk, grid, title, told):
        response = desk.post(reverse("rename_set", args=["grid"]), {"title": title})
        assert response.status_code == 422
        assert told in response.content.decode()
        assert f'value="{title}"' in response.content.decode()
        assert not AuditEntry.objects.exists()

    def test_a_deleted_set_takes_along_the_files_that_nothing_else_has(
        self, desk, owner, django_capture_on_commit_callbacks
    ):
        grid, twin = finished_set(owner), finished_set(owner, "twin", "ab")
        own = str(grid.cells.get(label="c").image)
        shared = str(twin.cells.get(label="a").image)
        assert grid.cells.get(label="a").image == shared
        source = str(Source.objects.get().file)
        with django_capture_on_commit_callbacks(execute=True):
            desk.post(reverse("delete_set", args=["grid"]))
        assert list(ImageSet.objects.values_list("slug", flat=True)) == ["twin"]
        assert not default_storage.exists(own)
        assert default_storage.exists(shared)
        assert default_storage.exists(source)
        with django_capture_on_commit_callbacks(execute=True):
            desk.post(reverse("delete_set", args=["twin"]))
        assert not default_storage.exists(shared)
        assert not Source.objects.exists()
        assert AuditEntry.objects.filter(act="images.delete", who="owner").count() == 2

    def test_the_source_that_is_still_uploaded_stays(self, desk, owner, grid):
        pictures(owner, "cat.png")
        Cell.objects.update(content=Upload.objects.get().source)
        desk.post(reverse("delete_set", args=["grid"]))
        assert Source.objects.get().uploads.exists()

    @pytest.mark.parametrize("whose", ["owner", "other"])
    def test_a_set_that_a_study_uses_stays_and_the_page_says_so(self, desk, owner, grid, whose):
        who = owner if whose == "owner" else User.objects.create_user("other")
        publish_image_set(grid, "theirs", owner=who)
        html = desk.post(reverse("delete_set", args=["grid"]), follow=True).content.decode()
        assert "A study uses its images. Delete that study first." in html
        assert (reverse("setup", args=["theirs"]) in html) == (whose == "owner")
        assert ImageSet.objects.exists()

    def test_a_set_that_is_being_made_stays(self, desk, owner):
        runs.take_up(finished_set(owner, failed="b"), owner, retry_failed=True)
        assert "Stop that first" in page(desk, "delete_set", "grid")
        desk.post(reverse("delete_set", args=["grid"]))
        assert ImageSet.objects.exists()


def test_all_images_come_as_a_zip_under_readable_names_with_their_factors(desk, grid):
    grid.cells.filter(index=0).update(label="cat × wave, ratio 0.1")
    response = desk.get(reverse("set_archive", args=["grid"]))
    archive = zipfile.ZipFile(io.BytesIO(response.getvalue()))
    assert archive.namelist() == ["images.csv", "cat-wave-ratio-0.1.png", "b.png", "c.png"]
    assert archive.read("images.csv").decode().startswith("file,content,style,condition,ratio\ncat-wave")
    assert Image.open(archive.open("b.png")).size == (48, 32)


@pytest.mark.parametrize(
    ("address", "args"),
    [("set_archive", []), ("set_sheet", []), ("cell_image", [1]), ("cell_thumbnail", [1])],
)
def test_an_image_that_goes_while_it_is_asked_for_is_not_found(desk, grid, address: str, args: list[int]):
    stored = grid.cells.get(index=1).image
    stored.storage.delete(stored.name)
    assert desk.get(reverse(address, args=["grid", *args])).status_code == 404


class TestCell:
    def test_the_page_shows_all_that_is_known(self, desk, grid):
        Cell.objects.filter(index=1).update(
            recipe={"ratio": 0.1, "content_layers": ["conv3_1"]}, covariates={"ssim": 0.25}
        )
        html = page(desk, "cell", "grid", 1)
        for known in ("conv3_1", "0.25", reverse("cell_curve", args=["grid", 1]), "device.type", "cat"):
            assert known in html
        assert reverse("cell", args=["grid", 0]) in html
        assert reverse("cell", args=["grid", 2]) in html

    def test_a_failure_shows_its_reason(self, desk, owner):
        finished_set(owner, failed="b")
        assert "the loss is not finite" in page(desk, "cell", "grid", 1)
        assert desk.get(reverse("cell_image", args=["grid", 1])).status_code == 404

    def test_the_curve_is_drawn_on_the_server(self, desk, grid):
        response = desk.get(reverse("cell_curve", args=["grid", 0]))
        assert response["Content-Type"] == "image/svg+xml"
        assert b"evaluation" in response.content

    def test_every_term_of_a_loss_has_its_name_and_colour(self):
        assert set(TERM_LOOKS) == set(TERMS)

    def test_a_cell_or_reference_that_is_not_there_is_not_found(self, desk, grid):
        assert desk.get(reverse("cell", args=["grid", 9])).status_code == 404
        assert desk.get(reverse("cell_reference", args=["grid", 0, 9])).status_code == 404


class TestWhoSeesWhat:
    def test_the_owner_of_a_study_sees_the_set_of_its_images_but_does_not_stop_it(self, grid):
        other = User.objects.create_user("other")
        assert client_of(other).get(reverse("image_set", args=["grid"])).status_code == 404
        publish_image_set(grid, "theirs", owner=other)
        assert client_of(other).get(reverse("image_set", args=["grid"])).status_code == 200
        assert client_of(other).post(reverse("stop_set", args=["grid"])).status_code == 404

    def test_a_set_made_by_command_is_seen_by_staff_and_changed_by_admins(self):
        finished_set(None)
        staff = client_of(User.objects.create_user("staff", is_staff=True))
        assert staff.get(reverse("image_set", args=["grid"])).status_code == 200
        assert staff.post(reverse("stop_set", args=["grid"])).status_code == 404
        admin = client_of(User.objects.create_superuser("admin"))
        assert admin.post(reverse("stop_set", args=["grid"])).status_code == 302

    def test_pictures_of_others_are_not_seen(self, desk, owner):
        stranger = User.objects.create_user("stranger")
        stranger.groups.add(Group.objects.get(name="Researchers"))
        pictures(stranger, "secret.png")
        assert "secret.png" not in page(desk, "pictures")
        assert desk.get(reverse("upload_thumbnail", args=[Upload.objects.get().pk])).status_code == 404


class TestPlans:
    @pytest.fixture(autouse=True)
    def _pictures(self, owner) -> None:
        pictures(owner, "cat.png", "wave.png")

    FORM = {
        "title": 'A "plan"',
        "content": ["cat.png"],
        "style": ["wave.png"],
        "preset": "modern",
        "vary_size": ["64"],
        "vary_ratio": ["0.01"],
        "vary_ratio_other": "0.1",
        "vary_pooling": ["average", "max"],
    }
    PLAN = {
        "title": 'A "plan"',
        "preset": "modern",
        "images": {"content": ["cat.png"], "style": ["wave.png"]},
        "recipe": {"size": 64},
        "factors": {"ratio": [0.01, 0.1], "pooling": ["max", "average"]},
    }

    def test_the_form_writes_a_plan_with_one_value_for_all_and_several_to_compare(self, desk):
        response = desk.post(reverse("new_plan"), self.FORM)
        run = PlanRun.objects.get()
        assert response["Location"] == reverse("plan", args=[run.pk])
        assert run.slug == "a-plan"
        assert tomllib.loads(run.plan) == self.PLAN

    def test_choices_survive_the_way_to_the_file_and_back(self, desk, owner):
        html = desk.post(reverse("new_plan"), {**self.FORM, "edit": "1"}).content.decode()
        assert "pooling = [&quot;max&quot;, &quot;average&quot;]" in html
        text = unescape(html.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0])
        html = desk.post(reverse("new_plan"), {"text": text, "form": "1"}).content.decode()
        assert ticked(html) == {
            ("content", "cat.png"),
            ("style", "wave.png"),
            ("preset", "modern"),
            ("vary_size", "64"),
            ("vary_ratio", "0.01"),
            ("vary_ratio", "0.1"),
            ("vary_pooling", "max"),
            ("vary_pooling", "average"),
        }
        assert not PlanRun.objects.exists()

    def test_a_file_that_says_more_than_the_form_stays_a_file(self, desk):
        text = '[images]\ncontent = ["cat.png"]\nstyle = ["wave.png"]\n[[anchors]]\nratio = 1\n'
        html = desk.post(reverse("new_plan"), {"text": text, "form": "1"}).content.decode()
        assert "The form cannot show everything" in html
        assert "[[anchors]]" in html

    def test_a_changed_plan_takes_the_place_of_the_one_before(self, desk):
        desk.post(reverse("new_plan"), self.FORM)
        first = PlanRun.objects.get()
        PlanRun.objects.update(state="planned")
        html = page(desk, "new_plan", **{"from": first.pk})
        assert ("vary_ratio", "0.1") in ticked(html)
        assert f'name="replaces" value="{first.pk}"' in html
        desk.post(reverse("new_plan"), {**self.FORM, "title": "Another", "replaces": first.pk})
        assert PlanRun.objects.get().title == "Another"

    def test_a_plan_that_was_started_stays_beside_the_changed_one(self, desk, owner):
        desk.post(reverse("new_plan"), self.FORM)
        PlanRun.objects.update(state="queued")
        desk.post(reverse("new_plan"), {**self.FORM, "replaces": PlanRun.objects.get().pk})
        assert PlanRun.objects.count() == 2

    @pytest.mark.parametrize(
        ("change", "field", "told"),
        [
            ({"title": ""}, "id_title", "Give the set a name"),
            ({"content": []}, "id_content_0", "Choose at least one photograph"),
            ({"style": []}, "id_style_0", "Choose at least one style"),
            ({"content": ["other.png"]}, "id_content_0", "“other.png” is not there any more"),
            ({"vary_ratio_other": "0.5;x"}, "id_vary_ratio_other", "“0.5;x” is not a list of numbers"),
            ({"vary_ratio_other": "0,05"}, "id_vary_ratio_other", "may be one number or two"),
            ({"vary_ratio_other": "-1"}, "id_vary_ratio_other", "-1 is not between 1e-09 and 1,000,000,000"),
            ({"vary_size_other": "9000"}, "id_vary_size_other", "9000 is not between 16 and 8,192"),
            ({"vary_size_other": "64.5"}, "id_vary_size_other", "64.5 is not a whole number"),
            ({"vary_content_layer": ["conv5_4"]}, "id_vary_content_layer", "conv5_4 is not in VGG-16"),
            ({"vary_pooling": ["min"]}, "id_vary_pooling", "“min” is none of the choices"),
            ({"vary_preset": ["modern"]}, "id_vary_preset", "Choose at least two methods"),
            ({"vary_preset": ["modern", "gatys2016"]}, "id_vary_preset", "weights for Gatys 2016 are not"),
            ({"preset": "gatys2016"}, "id_preset_0", "Gatys 2016 needs the weights of VGG-19"),
            ({"vary_repeats_other": "3"}, "id_vary_repeats_other", "the image starts from the photograph"),
            (
                {"preset": "patel2019", "vary_style_scale": ["1", "2"]},
                "id_vary_style_scale_other",
                "a square",
            ),
            (
                {"preset": "nnst-quick", "vary_ratio_other": "", "vary_tv_weight": ["0", "1"]},
                "id_vary_tv_weight_other",
                "because this method does not use it",
            ),
            (
                {
                    "vary_colour": ["none", "luminance"],
                    "vary_init": ["noise", "mix"],
                    "vary_size": ["64", "32"],
                },
                "id_vary_colour",
                "At most 4 things may vary at once. Here are 5",
            ),
        ],
    )
    def test_a_mistake_is_told_above_and_beside_its_field_and_all_else_stays(self, desk, change, field, told):
        sent = {**self.FORM, **change}
        response = desk.post(reverse("new_plan"), sent)
        html = unescape(response.content.decode())
        assert response.status_code == 422
        assert "<title>Error: New image set</title>" in html
        assert re.search(f'<a href="#{field}">[^<]*{re.escape(told)}', html)
        assert f'id="{field}"' in html
        assert html.count(told) >= 2
        kept = {name: sent.get(name) for name in ("title", "vary_ratio_other", "vary_size_other")}
        for name, value in kept.items():
            assert f'name="{name}" value="{value or ""}"' in html
        possible = {"other.png", "min", "conv5_4"}
        expected = {
            (name, value)
            for name, values in sent.items()
            if isinstance(values, list)
            for value in values
            if value not in possible
        }
        assert expected <= ticked(html)
        assert not PlanRun.objects.exists()

    def test_a_layer_of_another_network_stays_ticked_until_it_is_changed(self, desk):
        html = desk.post(
            reverse("new_plan"), {**self.FORM, "vary_content_layer": ["conv5_4"]}
        ).content.decode()
        assert ("vary_content_layer", "conv5_4") in ticked(html)

    def test_another_method_brings_its_own_layers_and_numbers_and_takes_nothing(
        self, desk, settings, tmp_path
    ):
        settings.WEIGHTS_DIR = tmp_path
        (tmp_path / "vgg19.safetensors").touch()
        sent = {**self.FORM, "preset": "neural-style", "title": "", "look": "1"}
        response = desk.post(reverse("new_plan"), sent)
        html = response.content.decode()
        assert response.status_code == 200
        assert 'value="conv5_4"' in html
        assert "There is a problem" not in html
        assert {("vary_ratio", "0.01"), ("vary_pooling", "max"), ("preset", "neural-style")} <= ticked(html)

    @pytest.mark.parametrize(
        ("method", "factor", "told"),
        [
            ("nnst-quick", "vary_colour", "Quick NNST’s own: Those of the image made"),
            ("nnst-quick", "vary_ratio", "Quick NNST’s own: 0.75"),
            ("nnst-quick", "vary_tv_weight", "no effect with Quick NNST"),
            ("strotss", "vary_content_layer", "no effect with STROTSS 2019"),
            ("keras2016", "vary_style_scale", "no effect with Keras 2016"),
            ("modern", "vary_init", "Modern’s own: From the photograph"),
            ("modern", "vary_optimiser", "Modern’s own: L-BFGS-B"),
        ],
    )
    def test_each_factor_says_the_methods_own_value_in_words_or_that_it_has_no_effect(
        self, desk, method, factor, told
    ):
        html = desk.post(
            reverse("new_plan"), {**self.FORM, "preset": method, "title": "", "look": "1"}
        ).content
        (shown,) = re.findall(rf'data-factor="{factor}".*?data-values>(.*?)</span>', html.decode(), re.DOTALL)
        assert shown == told

    def test_the_cards_say_which_weights_are_there(self, desk, settings, tmp_path):
        settings.WEIGHTS_DIR = tmp_path
        html = page(desk, "new_plan")
        assert "Needs VGG-19: not installed" in html
        assert re.search('value="gatys2016" disabled', html)
        (tmp_path / "vgg19.safetensors").touch()
        html = page(desk, "new_plan")
        assert "not installed" not in html
        settings.GENERATOR_EXECUTOR = "procrastinate"
        assert ": installed" not in page(desk, "new_plan")

    def test_every_method_has_a_card_with_a_picture_and_a_line(self):
        assert sorted(WORDS) == sorted([*ALL_PRESETS, *shipped_plans()])
        for method in methods():
            assert finders.find(method.picture), method.name
            assert method.line.endswith(".")

    def test_the_numbers_that_are_offered_are_possible_with_each_method(self):
        for name in ALL_PRESETS:
            recipe = preset(name)
            for factor in (SIZE, *FACTORS):
                if factor.kind == "numbers":
                    for value in suggestions(factor, recipe):
                        recipe.replace(**{factor.key: value})

    def test_a_mistake_in_the_file_is_told_and_nothing_typed_is_lost(self, desk):
        response = desk.post(reverse("new_plan"), {"text": "[imges]\n"})
        assert response.status_code == 422
        assert "did you mean &#x27;images&#x27;" in response.content.decode()
        assert "[imges]" in response.content.decode()

    def test_the_dry_run_is_shown_before_go(self, desk, owner, django_capture_on_commit_callbacks, started):
        run = planned(owner)
        html = page(desk, "plan", run.pk)
        for known in (
            "1,234 at most",
            "about 85 s on cpu",
            "2 images, about 85 s.",
            "0.8 GB",
            "2.0 MB",
            "a note",
            "cat, ratio 0.1",
        ):
            assert known in html
        with django_capture_on_commit_callbacks(execute=True):
            desk.post(reverse("go", args=[run.pk]))
        assert started == ["sets"]
        assert "Waiting" in page(desk, "plan", run.pk)
        assert "can be started" in desk.post(reverse("go", args=[run.pk]), follow=True).content.decode()

    def test_a_refused_plan_says_why_and_can_be_changed(self, desk, owner):
        run = planned(owner)
        PlanRun.objects.update(state="refused", problem="no such layer")
        assert "no such layer" in page(desk, "plan", run.pk)
        assert "title = &quot;A plan&quot;" in page(desk, "new_plan", **{"as": "file", "from": run.pk})
        assert 'value="A plan"' in page(desk, "new_plan", **{"from": run.pk})

    def test_a_plan_with_images_leads_to_its_set(self, desk, owner, grid):
        run = planned(owner)
        PlanRun.objects.update(image_set=grid, state="done")
        assert desk.get(reverse("plan", args=[run.pk]))["Location"] == reverse("image_set", args=["grid"])

    def test_a_discarded_plan_is_gone(self, desk, owner):
        desk.post(reverse("discard_plan", args=[planned(owner).pk]))
        assert not PlanRun.objects.exists()

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("[recipe]\nratoi = 1", "did you mean &#x27;ratio&#x27;?"),
            ('[factors]\ncontent_layer = ["conv4_2", "conv4_9"]', "vgg16 has no layer &#x27;conv4_9&#x27;"),
            ('[[cells]]\npreset = "modren"', "did you mean &#x27;modern&#x27;?"),
            ('[factors]\nnetwork = ["vgg16", "vgg61"]', "unknown network &#x27;vgg61&#x27;"),
        ],
    )
    def test_a_setting_that_no_recipe_takes_is_refused_at_once(self, desk, owner, line, reason):
        plan = f'title = "x"\n[images]\ncontent = ["a.png"]\nstyle = ["b.png"]\n{line}\n'
        answer = desk.post(reverse("new_plan"), {"text": plan})
        assert reason in answer.content.decode()
        assert not PlanRun.objects.exists()

    @pytest.mark.parametrize(
        ("typed", "numbers"),
        [
            ("0.5 1", [0.5, 1]),
            ("0.1, 0.3,", [0.1, 0.3]),
            ("1;2 ; 3", [1, 2, 3]),
            ("0.1,0.3", [0.1, 0.3]),
            ("1,2,3", [1, 2, 3]),
            ("1e-3", [0.001]),
            (" ", []),
        ],
    )
    def test_numbers_are_read_however_they_are_separated(self, typed, numbers):
        assert numbers_in(typed, FACTORS[0]) == numbers

    @pytest.mark.parametrize("typed", ["nan", "inf", "1_000", "0x10", "\u0663", "1.2.3"])
    def test_what_is_no_plain_number_is_refused(self, typed):
        with pytest.raises(ValidationError):
            numbers_in(typed, FACTORS[0])

    def test_a_name_with_quotes_stays_that_name_in_the_plan(self, owner):
        pictures(owner, 'a "b" \u00e4.png')
        form = PlanForm(
            {**self.FORM, "content": ['a "b" \u00e4.png']}, uploads=Upload.objects.filter(owner=owner)
        )
        assert form.is_valid(), form.errors
        assert tomllib.loads(form.plan())["images"]["content"] == ['a "b" \u00e4.png']


class TestCount:
    @pytest.fixture(autouse=True)
    def _pictures(self, owner) -> None:
        pictures(owner, "cat.png", "dog.png", "wave.png")

    def told(self, desk: Client, **choices: Any) -> dict[str, Any]:
        chosen = {"preset": "modern", "content": ["cat.png", "dog.png"], "style": ["wave.png"], **choices}
        response = desk.post(reverse("plan_count"), chosen)
        assert response.status_code == 200
        return dict(response.json())

    @pytest.mark.slow
    def test_the_count_is_that_of_the_plan_for_any_choices(self, desk):
        draw = random.Random(1)
        offered = {
            "vary_ratio": ["0.01", "0.1", "1"],
            "vary_content_layer": ["conv1_1", "conv3_2", "conv5_1"],
            "vary_size": ["64", "128"],
            "vary_colour": ["none", "histogram"],
        }
        pictures = dict.fromkeys(["cat.png", "dog.png", "wave.png"], (48, 32))
        for _ in range(20):
            chosen = {
                name: draw.sample(values, draw.randint(0, len(values))) for name, values in offered.items()
            }
            chosen |= {"content": draw.sample([*pictures], draw.randint(1, 3)), "style": ["wave.png"]}
            chosen["preset"] = [draw.choice(["modern", "keras2016", "patel2019-exp1", "patel2019-exp2"])]
            form = PlanForm(
                {"title": "x", **chosen, "preset": chosen["preset"][0]},
                uploads=Upload.objects.select_related("source"),
            )
            assert form.is_valid(), form.errors
            assert self.told(desk, **chosen)["images"] == len(plan_among(form.plan(), pictures).cells)

    def test_the_parts_say_what_multiplies(self, desk):
        told = self.told(desk, vary_ratio=["0.1", "1"], vary_repeats_other="3", vary_init=["noise"])
        assert told["images"] == 12
        assert told["parts"] == ["2 photographs", "1 style", "2 ratios", "3 versions"]

    def test_who_is_still_choosing_hears_only_of_impossible_values(self, desk):
        told = self.told(desk, content=[], vary_ratio_other="x")
        assert told["images"] is None
        assert told["errors"] == {"vary_ratio": "“x” is not a list of numbers"}

    def test_the_time_is_that_of_the_last_images_and_left_out_where_there_are_none(self, desk, owner):
        assert self.told(desk)["time"] == ""
        finished_set(owner)
        # 100 evaluations of 48 x 32 pixels in 2 s: 76,800 evaluations of a pixel a second.
        recipe = preset("modern").replace(size=48, pyramid_min=0, evaluations=100).to_dict()
        account = {
            "weights": {"network": "vgg16"},
            "device": {"name": "a CPU"},
            "evaluations": 100,
            "seconds": 2.0,
        }
        Source.objects.update(width=48, height=32)
        Cell.objects.update(recipe=recipe, provenance=account)
        told = self.told(desk, vary_size=["48"], vary_evaluations_other="200")
        assert told["time"] == "about 10 s"
        told = self.told(desk, vary_size=["1024"], vary_ratio=["0.1", "1"], vary_evaluations_other="2000")
        assert "At 256 px they would take" in told["notes"][1]

    def test_a_large_plan_is_counted_and_one_beyond_all_bounds_refused(self, desk):
        many = " ".join(str(number) for number in range(16, 66))
        assert self.told(desk, vary_size_other=many, vary_evaluations_other=many)["images"] == 5000
        beyond = {
            "vary_size_other": many,
            "vary_evaluations_other": many,
            "vary_style_scale_other": "1 2 3 4 5",
        }
        assert self.told(desk, **beyond)["images"] is None


class TestNewStudy:
    ASKED = {"title": "Which looks better?", "language": "en", "method": "acr", "make": "1"}

    def test_all_images_of_a_set_become_a_draft(self, desk, grid, owner):
        response = desk.post(reverse("study_from_set", args=["grid"]), self.ASKED)
        study = Study.objects.get()
        assert response["Location"] == reverse("setup", args=[study.slug])
        assert (study.slug, study.state, study.owner) == ("which-looks-better", "draft", owner)
        assert study.stimuli.count() == 3

    def test_only_the_ticked_images_are_taken(self, desk, grid):
        html = page(desk, "study_from_set", "grid", cell=[0, 2])
        assert 'name="cell" value="2"' in html
        desk.post(reverse("study_from_set", args=["grid"]), {**self.ASKED, "cell": [0, 2]})
        assert [stimulus.item for stimulus in Study.objects.get().stimuli.order_by("item")] == ["a", "c"]

    def test_references_come_only_for_the_contents_that_are_taken(self, desk, grid):
        grid.cells.filter(index=2).update(content_name="dog.jpg")
        desk.post(
            reverse("study_from_set", args=["grid"]), {**self.ASKED, "method": "acr-hr", "cell": [0, 1]}
        )
        items = Study.objects.get().stimuli.values_list("item", flat=True)
        assert set(items) == {"a", "b", "reference-cat"}

    def test_the_question_and_the_language_are_as_asked(self, desk, grid):
        asked = {**self.ASKED, "language": "de", "question": "Wie schön?", "slug": "schoen"}
        desk.post(reverse("study_from_set", args=["grid"]), asked)
        study = Study.objects.get(slug="schoen")
        assert study.questions.get().text == "Wie schön?"
        assert study.version.definition["languages"] == ["de"]

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"slug": "a b"}, "is part of the address"),
            ({"title": ""}, "required"),
            ({"method": "x"}, "valid choice"),
        ],
    )
    def test_a_mistake_is_told_at_its_place(self, desk, grid, change, told):
        response = desk.post(reverse("study_from_set", args=["grid"]), {**self.ASKED, **change})
        assert response.status_code == 422
        assert told in response.content.decode()
        assert not Study.objects.exists()

    def test_a_taken_name_gets_a_number(self, desk, grid):
        for _ in range(2):
            desk.post(reverse("study_from_set", args=["grid"]), self.ASKED)
        assert {study.slug for study in Study.objects.all()} == {"which-looks-better", "which-looks-better-2"}

    def test_uploaded_pictures_become_a_study(self, desk, owner):
        pictures(owner, "cat.png", "dog.png")
        files = [SimpleUploadedFile("owl.png", png(7))]
        desk.post(reverse("new_study"), {**self.ASKED, "picture": ["dog.png"], "files": files})
        assert {stimulus.item for stimulus in Study.objects.get().stimuli.all()} == {"dog", "owl"}

    def test_an_upload_keeps_what_was_typed_and_ticked(self, desk, owner):
        files = [SimpleUploadedFile("owl.png", png(7)), SimpleUploadedFile("notes.txt", b"hello")]
        asked = {"title": "Owls", "upload": "1", "files": files}
        html = desk.post(reverse("new_study"), asked).content.decode()
        assert 'value="Owls"' in html
        assert 'value="owl.png" checked' in html
        assert "notes.txt: not a picture" in html
        assert not Study.objects.exists()

    def test_a_study_of_nothing_is_refused(self, desk, owner):
        response = desk.post(reverse("new_study"), self.ASKED)
        assert response.status_code == 422
        assert "Tick the images" in response.content.decode()
