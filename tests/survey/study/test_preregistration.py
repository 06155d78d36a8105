"""The pre-registration says what the study will do, and leaves open what only people know."""

from __future__ import annotations

import re

import pytest
from django.core.management import CommandError, call_command

from survey.analysis.participants.rules import EXCLUSIONS, GOLD_SHARE
from survey.analysis.planning.planning import sample_size
from survey.session import starting
from survey.study.methods import METHOD_WORDS
from survey.study.preregistration import preregistration
from tests.survey.factories import make_study, rate_all

pytestmark = pytest.mark.django_db

FULL = """
languages = ["en", "de"]
[goal]
votes = 40
half_width = 0.2
[session]
images = 2
repeats = 1
stabilising = 1
[images]
practice = ["owl-weak"]
gold = [{item = "owl-strong", answer = 1}]
trap = 4
"""


def test_the_design_is_in_it():
    text = preregistration(make_study(FULL))
    assert METHOD_WORDS["acr"].description in text
    assert (
        "“How do you rate the overall quality of this image?” 1 Bad, 2 Poor, 3 Fair, 4 Good, 5 Excellent."
        in text
    )
    assert "4 main, 1 practice, 1 gold, 2 trap" in text
    assert "- `strength` (2 levels): strong, weak" in text
    assert "- H3: [how the rating depends on `strength`" in text
    assert "2 main images for each participant" in text


def test_a_condition_is_named_once_and_only_where_no_factor_tells_it():
    told = preregistration(make_study())
    assert "`condition`" not in told
    plain = make_study(slug="plain")
    plain.stimuli.update(factors={})
    assert "- `condition` (2 levels): strong, weak" in preregistration(plain)
    more = make_study(slug="more")
    more.stimuli.update(factors={"ratio": 1})
    assert "- `condition` (2 levels): strong, weak" in preregistration(more)


def test_layers_that_an_early_release_kept_as_a_list_are_one_level():
    study = make_study()
    for stimulus in study.stimuli.all():
        stimulus.factors = {
            "style_layers": ["conv1_1", "conv2_1"] if stimulus.condition == "weak" else ["conv3_1"]
        }
        stimulus.save()
    assert "- `style_layers` (2 levels): conv1_1+conv2_1, conv3_1" in preregistration(study)


def test_the_sample_follows_from_the_goal():
    text = preregistration(make_study(FULL))
    # 40 votes of 4 images by participants who rate 2 each.
    assert "at least 80 participants of 2 main images each" in text
    assert f"± 0.2 there would take {sample_size(0.2, a=0.35)}" in text


def test_the_rules_are_those_that_can_judge_with_their_thresholds():
    text = preregistration(make_study(FULL))
    for name in ("bt500", "gold", "trap", "straight_lining"):
        assert EXCLUSIONS[name].criterion in text
    assert EXCLUSIONS["repeats"].criterion not in text
    assert f"{GOLD_SHARE:.0%} of the gold images" in text
    assert EXCLUSIONS["gold"].criterion not in preregistration(make_study(slug="plain"))


def test_thresholds_on_another_scale_are_said_as_shares_of_it():
    text = preregistration(
        make_study(
            '[[questions]]\nkey = "quality"\ntext = "How good?"\nscale = "0:100"\nshow_value = true\n[images]\ngold = [{item = "owl-strong", answer = 10}]\n'
        )
    )
    assert EXCLUSIONS["gold"].on_other_scales in text
    assert EXCLUSIONS["gold"].criterion not in text
    assert EXCLUSIONS["speed"].criterion in text


def test_the_versions_and_hashes_are_in_it():
    study = make_study()
    text = preregistration(study)
    assert study.version.sha256 in text
    assert re.search(r"images, SHA-256 \| `[0-9a-f]{64}`", text)
    assert "nstsite" in text
    assert text == preregistration(study)
    study.stimuli.filter(item="cat-weak").update(sha256="0" * 64)
    assert text != preregistration(study)


def test_it_admits_data_that_are_there_already(django_user_model):
    study = make_study()
    starting.start(study, preview_by=django_user_model.objects.create_superuser("a"))
    assert "Nobody had begun" in preregistration(study)
    rate_all(starting.start(study))
    assert "1 participant had begun and 6 ratings had been given" in preregistration(study)


@pytest.mark.parametrize(
    "toml",
    [
        'method = "pair"\n',
        'method = "dcr"\n[images]\nreferences = ["*-strong"]\n',
        "[screening]\nrequired = true\n",
    ],
)
def test_every_method_has_its_text(toml):
    study = make_study(toml)
    text = preregistration(study)
    assert METHOD_WORDS[study.method].description in text
    assert "{%" not in text
    assert "{{" not in text
    assert ("Bradley" in text) == (study.method == "pair")


def test_pairs_by_information_are_said_with_what_is_not_reported():
    study = make_study('method = "pair"\n[session]\npairs = "informative"\nimages = 2\n')
    text = preregistration(study)
    assert "2 main pairs for each participant, drawn by expected information gain" in text
    assert "Shares of choices and tests of single pairs are not reported" in text
    assert "information gain" not in preregistration(make_study('method = "pair"\n', slug="other"))


def test_names_stand_as_they_are():
    assert "# Pre-registration: Cats & <dogs>" in preregistration(make_study('title = "Cats & <dogs>"\n'))


def test_the_command_prints_it(capsys):
    study = make_study()
    call_command("preregister", "study")
    assert capsys.readouterr().out == preregistration(study)
    with pytest.raises(CommandError, match="did you mean 'study'") as caught:
        call_command("preregister", "stduy")
    assert caught.value.returncode == 2
