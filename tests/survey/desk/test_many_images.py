"""A study of 2,000 images: its set-up saves, and an error keeps all that was typed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from survey.desk.forms.images_form import ImagesForm
from survey.models import Stimulus, Study
from survey.study.definition import definition_of
from tests.survey.factories import make_study

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
IMAGES = 2000


@pytest.fixture(params=[IMAGES])
def study(owner: User, request: pytest.FixtureRequest) -> Study:
    study = make_study()
    study.owner = owner
    study.save()
    (first, *_) = study.stimuli.all()
    Stimulus.objects.bulk_create(
        Stimulus(
            study=study,
            item=f"image {number:04}",
            image=first.image.name,
            width=first.width,
            height=first.height,
            sha256=f"{number:064x}",
        )
        for number in range(request.param - study.stimuli.count())
    )
    return study


def sent(study: Study) -> dict[str, Any]:
    """Return what a browser sends of the images form as it stands: every field, the empty ones too."""
    stimuli = list(study.stimuli.order_by("pk"))
    form = ImagesForm(None, definition=definition_of(study.version), keys_stay=False, stimuli=stimuli)
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    return {name: "" if value is None else str(value) for name, value in values.items()}


def test_all_images_of_a_large_study_are_saved_at_once(study: Study, desk: Client):
    page = f"/studies/{study.slug}/setup/images/"
    form = sent(study)
    assert len(form) > 5 * IMAGES
    last = study.stimuli.get(item="image 1993")
    form |= {f"role.{last.name}": "practice", "factor.0": "ratio", f"factor.0.{last.name}": "0.1"}
    # Long values all over: what a browser sends is then larger than other forms may be.
    form |= {name: "Käthe Kollwitz" for name in form if name.startswith(("content.", "style."))}
    answer = desk.post(page, form)
    assert answer.status_code == 302, answer.content[:2000]
    last.refresh_from_db()
    assert (last.role, last.factors, last.style) == ("practice", {"ratio": 0.1}, "Käthe Kollwitz")


# More than Django's limit of 1,000 fields by far, and quicker to draw than 2,000 images.
@pytest.mark.parametrize("study", [500], indirect=True)
def test_an_error_keeps_all_that_was_typed(study: Study, desk: Client):
    page = f"/studies/{study.slug}/setup/images/"
    form = sent(study)
    last = study.stimuli.get(item="image 0493")
    form |= {f"role.{last.name}": "gold", f"content.{last.name}": "typed for hours"}
    answer = desk.post(page, form)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Say the right answer for “image 0493”" in html.replace("&quot;", '"')
    assert 'value="typed for hours"' in html
    last.refresh_from_db()
    assert last.role == "main"
