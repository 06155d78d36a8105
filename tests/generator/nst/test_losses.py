"""Each loss against the same formula written in numpy, and its gradient against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.nst import losses
from generator.nst.recipes.options import TV_FORMS


def features(shape=(2, 3, 4, 5), seed=0, scale=50.0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale


def test_content_is_half_the_squared_difference():
    found = losses.content(features(), features(seed=1))
    f, p = features().double().numpy(), features(seed=1).double().numpy()
    np.testing.assert_allclose(found, 0.5 * ((f - p) ** 2).sum((1, 2, 3)), rtol=1e-5)


def test_the_gram_is_the_undivided_product_of_channels():
    f = features().double().numpy().reshape(2, 3, 20)
    np.testing.assert_allclose(losses.gram(features()), np.einsum("ncm,ndm->ncd", f, f), rtol=1e-5)


def test_the_gram_distance_is_gatys_equation_4():
    f = features().double().numpy().reshape(2, 3, 20)
    target = losses.gram(features(seed=1))
    g = np.einsum("ncm,ndm->ncd", f, f)
    expected = ((g - target.double().numpy()) ** 2).sum((1, 2)) / (4 * 3**2 * 20**2)
    np.testing.assert_allclose(losses.gram_distance(features(), target), expected, rtol=1e-5)


def numpy_tv(image: np.ndarray, form: str, beta: float) -> np.ndarray:
    """Pixel by pixel, as the sources define it."""
    count, channels, height, width = image.shape
    total = np.zeros(count)
    for n, c, y, x in np.ndindex(count, channels, height, width):
        here = image[n, c, y, x]
        right = image[n, c, y, x + 1] - here if x + 1 < width else None
        down = image[n, c, y + 1, x] - here if y + 1 < height else None
        if form == "l1":
            total[n] += sum(abs(step) for step in (right, down) if step is not None)
        elif form == "nine-point":
            size = channels * height * width
            total[n] += sum(2 * step**2 / 3 / size for step in (right, down) if step is not None)
            if down is not None:
                for side in (x - 1, x + 1):
                    if 0 <= side < width:
                        total[n] += 2 * (image[n, c, y + 1, side] - here) ** 2 / 12 / size
        elif right is not None and down is not None:
            squares = right**2 + down**2
            power = {"keras": 1.25, "l2": 1.0, "mahendran-vedaldi": beta / 2}[form]
            total[n] += (0.5 if form == "l2" else 1.0) * squares**power
    return total


@pytest.mark.parametrize("form", TV_FORMS)
@pytest.mark.parametrize("beta", [2.0, 3.0])
def test_total_variation_is_its_sources_formula(form, beta):
    image = features((2, 3, 6, 5))
    expected = numpy_tv(image.double().numpy(), form, beta)
    np.testing.assert_allclose(losses.total_variation(image, form, beta), expected, rtol=1e-5)


@settings(max_examples=20)
@given(st.sampled_from(TV_FORMS), st.floats(-100, 100), st.integers(2, 9), st.integers(2, 9))
def test_total_variation_of_a_flat_image_is_nothing_whatever_its_colour(form, level, height, width):
    assert float(losses.total_variation(torch.full((1, 3, height, width), level), form)) < 1e-6


def check_gradient(function, point, step=0.02):
    """Compare the derivative along random directions with central differences of a float64 sum."""
    point = point.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(function(point).double().sum(), point)
    for seed in range(3):
        along = torch.randn(point.shape, generator=torch.Generator().manual_seed(seed))
        ahead, behind = (function(point.detach() + sign * step * along).double().sum() for sign in (1, -1))
        slope = float((gradient.double() * along).sum())
        assert slope == pytest.approx(float(ahead - behind) / (2 * step), rel=2e-2)


@pytest.mark.parametrize("form", TV_FORMS)
def test_the_gradient_of_total_variation(form):
    check_gradient(lambda image: losses.total_variation(image, form, 3.0), features((1, 3, 6, 5)))


def test_the_gradient_of_the_gram_distance():
    target = losses.gram(features(seed=1))
    check_gradient(lambda value: losses.gram_distance(value, target), features())


def test_the_gradient_of_total_variation_with_beta_1_is_finite_on_a_flat_image():
    image = torch.zeros(1, 3, 4, 4, requires_grad=True)
    losses.total_variation(image, "mahendran-vedaldi", 1.0).sum().backward()
    assert image.grad is not None
    assert bool(image.grad.isfinite().all())


@pytest.mark.parametrize("loss", [losses.content, losses.gram_distance])
def test_bfloat16_features_give_a_float32_loss(loss):
    value = features().bfloat16()
    target = losses.gram(features(seed=1)) if loss is losses.gram_distance else features(seed=1)
    assert loss(value, target).dtype == torch.float32
    torch.testing.assert_close(loss(value, target), loss(value.float(), target))


@settings(max_examples=20)
@given(st.integers(0, 100), st.integers(1, 4))
def test_a_batch_gives_each_image_the_loss_it_has_alone(seed, count):
    value, target = features((count, 3, 4, 4), seed), losses.gram(features((count, 3, 4, 4), seed + 1))
    together = losses.gram_distance(value, target)
    alone = torch.cat([losses.gram_distance(value[i : i + 1], target[i : i + 1]) for i in range(count)])
    torch.testing.assert_close(together, alone)


def test_the_wasserstein_distance_is_that_of_two_normal_distributions():
    from scipy.linalg import sqrtm

    f, s = features((1, 3, 5, 6)), features((1, 3, 4, 7), seed=1)
    found = float(losses.wasserstein(f, losses.moments(s)))
    (mean, cov), (mean_s, cov_s) = (
        (flat.mean(1), np.cov(flat, bias=True)) for flat in (v[0].flatten(1).double().numpy() for v in (f, s))
    )
    root = sqrtm(cov_s)
    expected = ((mean - mean_s) ** 2).sum() + np.trace(cov + cov_s - 2 * sqrtm(root @ cov @ root).real)
    assert found == pytest.approx(expected / 3, rel=1e-4)


def test_the_wasserstein_distance_of_a_style_from_itself_is_nothing():
    value = features()
    assert float(losses.wasserstein(value, losses.moments(value)).abs().max()) < 1e-3 * float(value.var())


def test_the_gradient_of_the_wasserstein_distance():
    target = losses.moments(features((1, 3, 4, 5), seed=1))
    check_gradient(lambda value: losses.wasserstein(value, target), features((1, 3, 4, 5)), step=0.5)


def test_the_covariance_of_equal_activations_is_the_ridge_alone():
    root = losses.moments(torch.ones(1, 3, 4, 5))[0, :, 1:]
    torch.testing.assert_close(root, 0.1 * torch.eye(3))
