from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.ndimage
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
    finished = colour.finished(image, faint, [STYLE], "luminance")
    torch.testing.assert_close(luma(finished), luma(image), atol=1e-3, rtol=0)
    torch.testing.assert_close(finished[0] - finished[2], faint[0] - faint[2], atol=2e-3, rtol=0)


def test_none_changes_nothing():
    content, style = colour.prepared(CONTENT, STYLE, "none")
    assert content is CONTENT
    assert style is STYLE


def test_oklab_has_its_inventors_values():
    """Of https://bottosson.github.io/posts/oklab: white, and red of sRGB."""
    values = colour.to_oklab(torch.tensor([[[1.0, 1.0]], [[1.0, 0.0]], [[1.0, 0.0]]]))
    expected = torch.tensor([[[1, 0.6280]], [[0, 0.2249]], [[0, 0.1258]]])
    torch.testing.assert_close(values, expected, atol=2e-3, rtol=0)
    torch.testing.assert_close(colour.from_oklab(colour.to_oklab(CONTENT)), CONTENT, atol=1e-4, rtol=0)


def chroma(image):
    return colour.to_oklab(image)[1:].flatten(1).double().numpy()


def test_recolouring_moves_the_contents_hues_to_the_styles_mean_and_covariance():
    """As numpy has it. The image is of one lightness, so colours are smoothed as by plain means of 3 x 3 pixels."""
    # Grey values of the style let no range be cut.
    content, style = (
        CONTENT * 0.1 + 0.45,
        torch.cat([STYLE, torch.eye(3)[:, :, None].expand(3, 3, 24)], dim=1),
    )
    seen, given = chroma(content), chroma(style)
    roots = [scipy.linalg.sqrtm(np.cov(each, bias=True) + 1e-4 * np.eye(2)) for each in (seen, given)]
    moved = roots[1] @ np.linalg.inv(roots[0]) @ (seen - seen.mean(1, keepdims=True)) + given.mean(
        1, keepdims=True
    )
    expected = moved.reshape(2, 30, 40)
    for _ in range(5):
        expected = scipy.ndimage.uniform_filter(expected, (1, 3, 3), mode="nearest")
    found = colour.to_oklab(colour.recoloured(torch.full_like(content, 0.5), content, style))
    np.testing.assert_allclose(found[1:], expected, atol=2e-3)
    np.testing.assert_allclose(found[0], float(colour.to_oklab(torch.full((3, 1, 1), 0.5))[0]), atol=2e-3)


def test_recoloured_colours_keep_to_the_edges_of_the_image():
    image = torch.zeros(3, 20, 20)
    image[:, :, 10:] = 0.8
    content = torch.full((3, 20, 20), 0.5)
    content[0, :, 10:], content[2, :, :10] = 0.6, 0.6
    style = torch.cat([STYLE * 0.3 + 0.3, torch.zeros(3, 1, 24), torch.ones(3, 1, 24)], dim=1)
    found = colour.to_oklab(colour.recoloured(image + 0.1, content, style))
    left, right = found[2, :, 9], found[2, :, 10]
    torch.testing.assert_close(left, found[2, :, 0], atol=5e-3, rtol=0)
    assert float((right - left).min()) > 0.015


def test_a_matched_image_has_the_styles_mean_and_covariance_and_keeps_within_its_range():
    found, given = (colour.to_oklab(each) for each in (colour.matched(CONTENT * 0.2 + 0.4, STYLE), STYLE))
    flat, wanted = found.flatten(1), given.flatten(1)
    torch.testing.assert_close(flat.mean(1), wanted.mean(1), atol=0.01, rtol=0)
    torch.testing.assert_close(torch.cov(flat), torch.cov(wanted), atol=1.5e-3, rtol=0)
    assert bool((flat.amax(1) <= wanted.amax(1) + 1e-3).all())
    assert bool((flat.amin(1) >= wanted.amin(1) - 1e-3).all())


def test_of_a_grey_style_an_image_takes_its_grey_and_its_range():
    grey = luma(STYLE).expand(3, -1, -1) * 0.5 + 0.2
    found = colour.recoloured(CONTENT, CONTENT, grey)
    assert float((found.amax(0) - found.amin(0)).max()) < 0.02
    assert float(grey.min()) - 0.01 < float(found.min()) < float(found.max()) < float(grey.max()) + 0.01


def test_all_styles_and_not_all_pixels_of_large_ones_recolour_an_image(monkeypatch):
    both = colour.finished(CONTENT, CONTENT, [STYLE, 1 - STYLE], "recoloured")
    whole = colour.recoloured(CONTENT, CONTENT, torch.cat([STYLE, 1 - STYLE], dim=1))
    torch.testing.assert_close(both, whole, atol=1e-3, rtol=0)
    monkeypatch.setattr(colour, "_COUNTED", 100)
    asked = {}

    def noted(image, content, style):
        asked["shape"] = style.shape
        return image

    monkeypatch.setattr(colour, "recoloured", noted)
    colour.finished(CONTENT, CONTENT, [STYLE, STYLE], "recoloured")
    assert asked["shape"] == (3, 1, 96)


@pytest.mark.parametrize("mode", COLOURS)
def test_every_mode_makes_a_picture(mode):
    recipe = Recipe(
        content_layers=("conv2_1",), style_layers=("conv1_1",), alpha=1.0, evaluations=8, size=32, colour=mode
    )
    (result,) = transfer_batch([Cell(CONTENT, STYLE, recipe, 1)], weights={"vgg16": tiny_weights()})
    assert result.failure == ""
    assert tuple(result.image.shape) == (3, 24, 32)
