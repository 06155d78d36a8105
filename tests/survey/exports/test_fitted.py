"""Mixed models that a page does not wait for: fitted in the background, shown with their moment, in every export."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
from django.urls import reverse

from survey.exports import background
from survey.models import Stored
from survey.results.collect import collect
from survey.results.fitted import fitted_models, from_json, slow_models, to_json, with_fitted
from survey.results.panels import DEFAULT, Selection
from survey.study import stored
from tests.survey.exports.studies import TWO_QUESTIONS, rated_study

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def study(admin_user, monkeypatch):
    """A study whose models count as slow."""
    made = rated_study(TWO_QUESTIONS, people=16)
    made.owner = admin_user
    made.save()
    for stimulus in made.stimuli.all():
        stimulus.covariates = {"ssim": 0.1 * stimulus.pk + 0.01 * stimulus.pk**2}
        stimulus.save(update_fields=["covariates"])
    for module in ("effects.effects", "covariates.links"):
        monkeypatch.setattr(f"survey.analysis.{module}.MAX_WORK_ON_A_PAGE", 0)
    return made


@pytest.fixture
def idle(monkeypatch):
    """Let nothing start a process; tests do its work."""
    monkeypatch.setattr(background, "wake", lambda: None)


def page(client, study, name="results_conditions", **keys):
    return client.get(reverse(name, args=[study.slug]), keys).content.decode()


def test_models_are_read_back_as_they_were_written(study):
    fitted = fitted_models(study, DEFAULT)
    again = from_json(to_json(fitted))
    assert {key: set(part) for key, part in again.items()} == {
        key: {"factor_effects", "covariate_links"} for key in ("quality", "liking")
    }
    for key, part in fitted.items():
        for name, found in part.items():
            for field in dataclasses.fields(found):
                before, after = getattr(found, field.name), getattr(again[key][name], field.name)
                if isinstance(before, pd.DataFrame):
                    plain = before.astype("object").where(before.notna(), None)
                    pd.testing.assert_frame_equal(after.astype("object").where(after.notna(), None), plain)
                    assert list(after.dtypes) == list(before.dtypes)
                else:
                    assert after == before


def test_a_page_asks_for_its_models_and_shows_them_when_they_are_there(study, admin_client, idle):
    before = page(admin_client, study)
    assert "It is done in the background" in before
    assert "waits to be made" in before
    assert 'http-equiv="refresh"' in before
    assert 'id="plot-effects"' not in before
    background.work()
    after = page(admin_client, study)
    finding = collect(study).analysis.questions["quality"].factor_effects.result.finding
    assert f'<p class="answer">{finding}</p>' in after
    assert "Made at" in after
    assert 'http-equiv="refresh"' not in after
    assert "tables/effects.csv" in after
    assert "Made at" in page(admin_client, study, "results_covariates")
    assert Stored.objects.count() == 1


def test_each_selection_has_its_own_models_and_intervals_share_them(study, admin_client, idle):
    page(admin_client, study)
    background.work()
    assert "Made at" in page(admin_client, study, ci="bounded")
    name, level = study.stimuli.order_by("pk").values_list("factors", flat=True)[0].popitem()
    kinds = {
        background._of_models(Selection(only=(f"factor_{name}", str(level))))[0],
        background._of_models(DEFAULT)[0],
    }
    assert len(kinds) == 2
    assert all(len(kind) <= Stored._meta.get_field("kind").max_length for kind in kinds)
    export = collect(study, Selection(panel="screened"))
    assert background.models(study, export, Selection(panel="screened"))[1].made is None


def test_models_in_the_place_of_slow_ones_leave_nothing_slow(study):
    export = collect(study)
    assert len(slow_models(export)) == 4
    assert slow_models(with_fitted(export, fitted_models(study, DEFAULT))) == []


def test_tables_and_plots_of_a_model_wait_for_it_and_no_request_fits_it(study, admin_client, idle):
    table = reverse("table", args=[study.slug, "effects"])
    plot = reverse("plot", args=[study.slug, "effects", "csv"])
    assert admin_client.get(table).status_code == 404
    assert admin_client.get(plot).status_code == 404
    page(admin_client, study)
    background.work()
    assert admin_client.get(table).status_code == 200
    wanted = 200 if collect(study).analysis.questions["quality"].factor_effects.result.factors else 404
    assert admin_client.get(plot).status_code == wanted


def test_a_plot_that_is_not_in_memory_looks_for_its_models_once(study, admin_client, idle, monkeypatch):
    page(admin_client, study)
    background.work()
    looked: list[str] = []
    latest = stored.latest

    def counted(study, kind):
        looked.append(kind)
        return latest(study, kind)

    monkeypatch.setattr(stored, "latest", counted)
    address = reverse("plot", args=[study.slug, "effects", "svg"])
    for _ in range(2):
        assert admin_client.get(address).status_code == 200
    assert len(looked) == 2


def test_exports_with_slow_models_are_made_in_the_background(study, admin_client, idle):
    answer = admin_client.get(reverse("download", args=[study.slug, "csv"]))
    assert "made in the background" in answer.content.decode()
    background.work()
    assert b"csv.zip" in admin_client.get(reverse("download", args=[study.slug, "csv"])).content


def test_a_model_that_cannot_be_fitted_says_why(study, admin_client, idle, monkeypatch):
    def fail(*_):
        raise RuntimeError("no")

    monkeypatch.setattr(background, "fitted_models", fail)
    page(admin_client, study)
    background.work()
    assert "The last attempt failed" in page(admin_client, study)
