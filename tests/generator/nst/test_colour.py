from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.exposure import match_histograms

from generator.nst import Cell, Recipe, colour, transfer_batch
from generator.nst.recipes.options import COLOURS
from tests.generator.nst.tiny import picture, tiny_weights

CONTENT, STYLE = picture(30, 40, seed=1), picture(20, 24, seed=2) * 0.6 + 0.2


def luma(image):
    return (torch.tensor([0.299, 0.587, 0.114])[:, None, None] * image).sum(0)


def test_histogram_matching_agrees_with_scikit_image():
    found = colour.match_histogram(STYLE, CONTENT).numpy()
    expected = match_histograms(STYLE.numpy(), CONTENT.numpy(), channel_axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_covariance_matching_gives_the_references_mean_and_covariance():
    found = colour.match_covariance(STYLE * 0.5 + 0.2, CONTENT * 0.5 + 0.25).flatten(1)
    wanted = (CONTENT * 0.5 + 0.25).flatten(1)
    torch.testing.assert_close(found.mean(1), wanted.mean(1), atol=1e-3, rtol=0)
    torch.testing.assert_close(torch.cov(found), torch.cov(wanted), atol=1e-3, rtol=0)


def test_luminance_hands_over_grey_images_of_like_brightness():
    content, style = colour.prepared(CONTENT, STYLE, "luminance")
    assert torch.equal(content[0], content[2])
    assert float((style.mean() - content.mean()).abs()) < 0.02


def test_luminance_gives_back_the_contents_colours():
    image = picture(30, 40, seed=5) * 0.2 + 0.4
    faint = CONTENT * 0.1 + 0.45
    finished = colour.finished(image, faint, "luminance")
    torch.testing.assert_close(luma(finished), luma(image), atol=1e-3, rtol=0)
    torch.testing.assert_close(finished[0] - finished[2], faint[0] - faint[2], atol=2e-3, rtol=0)


def test_none_changes_nothing():
    content, style = colour.prepared(CONTENT, STYLE, "none")
    assert content is CONTENT
    assert style is STYLE


@pytest.mark.parametrize("mode", COLOURS)
def test_every_mode_makes_a_picture(mode):
    recipe = Recipe(
        content_layers=("conv2_1",), style_layers=("conv1_1",), alpha=1.0, evaluations=8, size=32, colour=mode
    )
    (result,) = transfer_batch([Cell(CONTENT, STYLE, recipe, 1)], weights={"vgg16": tiny_weights()})
    assert result.failure == ""
    assert tuple(result.image.shape) == (3, 24, 32)
