"""Tables of words have an entry for each member of what they describe: without it a page ends with a KeyError."""

from __future__ import annotations

from typing import get_args

from django.conf import settings

from generator.nst.recipes.layers import ARCHITECTURES
from generator.nst.recipes.networks import ARCHITECTURE_NAMES
from survey.analysis.plots import PLOTS
from survey.desk.forms.setup_forms import PAIR_RULES, STOPS
from survey.desk.pages.results import files, pair_results
from survey.desk.pages.results.results import TABLE_OF_MODEL
from survey.desk.pages.results.view import PLOTS_OF
from survey.desk.pages.study.setup_tasks import _SAVED, FORMS
from survey.desk.setup_list import TITLES
from survey.exports.files import FORMATS
from survey.exports.pairs import PAIR_FORMATS
from survey.models import Study
from survey.results.fitted import _KINDS, MODELS
from survey.results.panels import PANELS, Panel
from survey.study import own_questions
from survey.study.bulk import CAME, Came
from survey.study.methods import METHOD_WORDS, Method
from survey.study.scales import LANGUAGES, QUESTIONS
from survey.study.stop_rule import Kind
from survey.study.tables import ORDER_WORDS, Order, PairRule
from survey.study.wording import _SHIPPED


def test_methods_of_a_study():
    assert list(get_args(Method)) == list(METHOD_WORDS) == Study.Method.values
    assert set(QUESTIONS) == set(METHOD_WORDS)


def test_formats_of_an_export():
    assert set(files.DOWNLOADS) == {*FORMATS, "images"}
    assert set(pair_results.DOWNLOADS) == {*PAIR_FORMATS, "images"}


def test_orders_of_images_and_rules_by_which_pairs_are_drawn():
    assert tuple(ORDER_WORDS) == get_args(Order)
    assert tuple(rule for rule, _ in PAIR_RULES) == get_args(PairRule)


def test_rules_by_which_a_study_pauses_itself():
    assert tuple(kind for kind, _ in STOPS) == get_args(Kind)


def test_plots_of_the_pages():
    shown = [plot for plots_of in PLOTS_OF.values() for plot in plots_of]
    assert sorted(shown) == sorted(plot.name for plot in PLOTS)


def test_kinds_of_own_questions_are_choices_or_deleted_by_a_purge():
    """Whoever adds a kind decides it here: `tests/survey/session/test_own_questions.py` shows what a purge leaves."""
    assert set(get_args(own_questions.Kind)) - own_questions.CHOICES == {"text"}


def test_panels():
    assert tuple(PANELS) == get_args(Panel)


def test_models_that_a_page_does_not_wait_for():
    assert set(MODELS) == set(_KINDS) == set(TABLE_OF_MODEL.values())


def test_tasks_of_a_set_up():
    assert set(FORMS) == set(_SAVED) == set(TITLES) - {"images"}


def test_ways_in_which_people_came():
    assert tuple(CAME) == get_args(Came)


def test_languages_that_ship():
    assert list(LANGUAGES) == list(_SHIPPED) == [code for code, _ in settings.LANGUAGES]


def test_architectures_of_networks():
    assert set(ARCHITECTURE_NAMES) == set(ARCHITECTURES)
