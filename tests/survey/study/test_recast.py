"""Until somebody takes part, a draft's images can be given other roles, and its method can change."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from survey.models import Study
from survey.session import starting
from survey.study.pictures import PublishError
from survey.study.revise import revise
from tests.survey.factories import definition, make_study

pytestmark = pytest.mark.django_db


def roles(study: Study) -> dict[str, str]:
    """Return the role of each image that is not simply rated."""
    return dict(study.stimuli.exclude(role="main").values_list("item", "role"))


def test_roles_change_and_change_back():
    study = make_study()
    revise(study, definition('[images]\npractice = ["cat-*"]\ngold = [{item = "dog-weak", answer = 2}]\n'))
    assert roles(study) == {"cat-weak": "practice", "cat-strong": "practice", "dog-weak": "gold"}
    assert study.stimuli.get(item="dog-weak").expected == 2
    revise(study, definition('[images]\nleft_out = ["owl-weak"]\n'))
    assert roles(study) == {"owl-weak": "left-out"}
    assert study.stimuli.get(item="dog-weak").expected is None


def test_an_image_that_is_left_out_is_shown_to_nobody():
    study = make_study('[images]\nleft_out = ["owl-*"]\n')
    person = starting.start(study)
    shown = set(person.trials.values_list("stimulus__item", flat=True))
    assert shown == {"cat-weak", "cat-strong", "dog-weak", "dog-strong"}


def test_the_attention_picture_follows_languages_and_labels(django_capture_on_commit_callbacks):
    study = make_study("[images]\ntrap = 4\n")
    before = study.stimuli.get(role="trap")
    with django_capture_on_commit_callbacks(execute=True):
        revise(study, definition('languages = ["en", "de"]\n[images]\ntrap = 5\n'))
    assert set(study.stimuli.filter(role="trap").values_list("item", "expected")) == {
        ("trap-en", 5),
        ("trap-de", 5),
    }
    assert not default_storage.exists(str(before.image.name))
    revise(study, definition())
    assert roles(study) == {}


def test_the_method_changes_with_its_references():
    study = make_study()
    dcr = 'method = "dcr"\n[images.references]\ncat = "cat-weak"\ndog = "dog-weak"\nowl = "owl-weak"\n'
    revise(study, definition(dcr))
    study.refresh_from_db()
    assert study.method == "dcr"
    assert set(roles(study).values()) == {"reference"}
    assert study.questions.get().labels[0] == "Very annoying"


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ('[images]\npractice = ["cow"]\n', "images.practice: 'cow' fits no image"),
        ('[images]\npractice = ["*"]\n', "no image is left to rate"),
        ('method = "dcr"\n', "has none"),
        ('files = ["more/*.png"]\n', "files: cannot change"),
    ],
)
def test_a_change_that_fits_no_image_changes_nothing(toml, complaint):
    study = make_study()
    kept = {Path(str(stimulus.image.name)).name for stimulus in study.stimuli.all()}
    with pytest.raises(PublishError, match=complaint):
        revise(study, definition(toml))
    study.refresh_from_db()
    assert (study.method, roles(study)) == ("acr", {})
    assert {Path(str(stimulus.image.name)).name for stimulus in study.stimuli.all()} == kept


def test_a_definition_that_leaves_nothing_out_keeps_its_hash():
    assert definition().sha256 == "7c4ab1f702bc9b696dff5807707e31b5eeea632c23ed9e6d73f149580679de04"
