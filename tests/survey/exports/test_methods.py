"""The methods paragraph: whole sentences about what this study used, and no result."""

from __future__ import annotations

import re

import pytest

from survey.exports.making_words import making_words
from survey.exports.methods import methods_text
from survey.exports.pair_words import pair_methods_text
from survey.exports.pairs import collect_pairs
from survey.results.collect import collect
from survey.results.settings import settings_table
from tests.survey.exports.studies import rated_study, simulated_study
from tests.survey.exports.test_settings import FOLDER, image_set, study_of
from tests.survey.factories import join, make_study, rate_all

pytestmark = pytest.mark.django_db

GROUPS = "\n".join(f'[[groups]]\nkey = "{key}"\n' for key in ("plain", "told"))
RESULTS = (" = ", "p <", "shows no", "significant")


def assert_whole_sentences(text: str) -> None:
    assert re.findall(r"(?<!al)[.!?:]\s+[a-zα-ω0-9][^.]*", text.removesuffix("\n")) == []
    assert text[0].isupper()
    assert text.endswith(".\n")
    assert [result for result in RESULTS if result in text] == []


@pytest.mark.slow
def test_a_study_with_factors_covariates_and_groups_is_told_in_whole_sentences():
    study = simulated_study(GROUPS, people=8, seed=2)
    for number, stimulus in enumerate(study.stimuli.all()):
        stimulus.covariates = {"ssim": number**2 / 40}
        stimulus.save()
    text = methods_text(collect(study)).partition("\n\n")[2]
    assert_whole_sentences(text)
    for words in (
        "Effects of the factors",
        "The groups were compared",
        "When they began, participants were assigned",
    ):
        assert words in text


def test_what_a_study_does_not_use_is_not_told():
    text = methods_text(collect(rated_study(people=3)))
    assert_whole_sentences(text)
    for words in ("groups", "hidden reference", "attention checks", "known answer", "card"):
        assert words not in text


def test_a_pair_study_is_told_in_whole_sentences(client):
    study = make_study('method = "pair"\n')
    rate_all(join(client, study))
    text = pair_methods_text(collect_pairs(study))
    assert_whole_sentences(text)
    assert "Participants compared 6 images in pairs" in text


def test_the_text_says_how_the_images_were_made():
    text = methods_text(collect(study_of(image_set())))
    assert_whole_sentences(text)
    assert (
        "Of the images, 2 were made by neural style transfer from one content image and one style image, by nstsite's "
        "preset “modern”"
    ) in text
    assert "with the network VGG-16 (SHA-256 of the weights 222222222222…)" in text
    assert "All of them had a longest side of 64 pixels" in text
    # It begins with the content image: no random number is drawn.
    assert "seed" not in text
    assert "They differed in ratio of content to style weight (0.01, 0.1)." in text
    assert "Another 1 image was supplied as files." in text


def test_images_from_elsewhere_are_said_to_be_files(export):
    assert making_words(export.settings, export.items) == "The images were supplied as files."


def test_the_text_names_no_folder_of_the_site():
    study = study_of(image_set(network=f"{FOLDER}/own.pth"))
    text = making_words(settings_table(study), collect(study).items)
    assert "own.pth" in text
    assert FOLDER not in text
