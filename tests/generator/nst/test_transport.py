"""The Wasserstein loss in its fast form is `losses.wasserstein`, with float64's gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from generator.nst import Cell, losses, preset, transfer_batch, transport
from tests.generator.nst.tiny import picture, tiny_weights

ROOTS = (transport.by_eigenvalues, transport.by_iteration)


def activations(images: int = 2, channels: int = 12, side: int = 9, seed: int = 0) -> Tensor:
    """Return activations as a network gives them: at least 0, of channels that go together, some much weaker."""
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.einsum(
        "kc,nchw->nkhw",
        torch.randn(channels, channels, generator=generator),
        torch.randn(images, channels, side, side + 2, generator=generator),
    )
    strengths = torch.logspace(2, 0, channels)[:, None, None]
    return (mixed * strengths).relu().contiguous(memory_format=torch.channels_last)


def expected(features: Tensor, target: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the plain loss and its gradient in float64: of the formula as it is written, by autograd."""
    value = features.double().requires_grad_()
    flat = losses._positions(value)
    if mask is None:
        mean, squares = flat.mean(1), torch.ones(())
    else:
        squares = losses._positions(transport.guide(mask, *features.shape[2:])).double().square()
        mean = (flat * squares).mean(1)
    centred = flat - mean[:, None]
    covariance = (centred * squares).transpose(1, 2) @ centred / flat.shape[1]
    covariance = covariance + transport.RIDGE * torch.eye(flat.shape[2], dtype=torch.float64)
    wanted = target.double()
    root = wanted[:, :, 1:]
    cross = torch.linalg.eigvalsh(root @ covariance @ root).clamp(min=1e-12).sqrt().sum(1)
    traces = covariance.diagonal(dim1=1, dim2=2).sum(1) + root.square().flatten(1).sum(1)
    loss = ((mean - wanted[:, :, 0]).square().sum(1) + traces - 2 * cross) / flat.shape[2]
    return loss.detach(), torch.autograd.grad(loss.sum(), value)[0]


def off(found: Tensor, wanted: Tensor) -> float:
    return float((found.double() - wanted).norm() / wanted.norm())


@pytest.fixture(params=ROOTS, ids=lambda roots: roots.__name__)
def _roots(request, monkeypatch):
    if request.param is transport.by_iteration:
        monkeypatch.setattr(transport, "by_eigenvalues", transport.by_iteration)


@pytest.mark.usefixtures("_roots")
@pytest.mark.parametrize("guided", [False, True])
@pytest.mark.parametrize("channels", [12, 150], ids=["many positions", "more channels than positions"])
def test_loss_and_gradient_are_float64s(guided, channels):
    value, style = activations(channels=channels).requires_grad_(), activations(2, channels, seed=1)
    mask = torch.rand(2, 1, 18, 22, generator=torch.Generator().manual_seed(3)) if guided else None
    target = losses.moments(style)
    (loss,) = transport.distances([value], [target], [mask])
    (gradient,) = torch.autograd.grad(loss.sum(), value)
    wanted, slope = expected(value.detach(), target, mask)
    torch.testing.assert_close(loss.double(), wanted, rtol=2e-3, atol=0)
    # float32 leaves nothing of the smallest eigenvalues of T^½ Σ T^½.
    assert off(gradient, slope) < 0.06
    torch.testing.assert_close(loss, losses.wasserstein(value, target, mask), rtol=2e-3, atol=0)


def test_the_gradient_by_iteration_is_nearer_to_float64s_than_by_eigenvalues_where_layers_are_ill_conditioned():
    value, style = activations(1, 150, 30), activations(1, 150, 30, seed=1)
    target = losses.moments(style)
    _, slope = expected(value, target)
    gaps = []
    for roots in ROOTS:
        flat = losses._positions(value)
        mean = flat.mean(1)
        covariance = transport.covariance(mean, losses.gram(value), flat.shape[1])
        found = transport.slopes(mean, covariance, target, roots)
        weights, row = transport.by_activations(mean, found.by_mean, found.by_covariance, flat.shape[1])
        gaps.append(off(flat @ weights + row, losses._positions(slope)))
    assert gaps[1] < gaps[0] / 2 < 0.03


def test_the_iteration_makes_every_singular_value_one_that_is_not_tiny():
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.linalg.qr(torch.randn(1, 40, 40, generator=generator))[0] for _ in range(2))
    values = torch.logspace(0, -3.5, 40)
    found = transport.orthogonal(left * values @ right)
    torch.testing.assert_close(found, left @ right, atol=2e-3, rtol=0)
    # What is smaller grows, and nothing ever exceeds one by more than rounding.
    values = torch.logspace(0, -8, 40)
    made = torch.linalg.svdvals(transport.orthogonal(left * values @ right))
    assert float(made.max()) < 1.001


def test_equal_activations_have_a_finite_gradient():
    for roots in ROOTS:
        mean = torch.ones(1, 5)
        covariance = transport.RIDGE * torch.eye(5)[None]
        target = losses.moments(activations(1, 5))
        assert all(each.isfinite().all() for each in transport.slopes(mean, covariance, target, roots))


def test_several_layers_are_worked_on_side_by_side_and_repeat_bit_by_bit():
    features = [activations(3, channels, seed=channels) for channels in (20, 150, 40)]
    targets = [losses.moments(activations(3, each.shape[1], seed=9)) for each in features]
    together = transport.distances(features, targets, [None] * 3)
    for one, value, target in zip(together, features, targets, strict=True):
        assert torch.equal(one, transport.distances([value], [target], [None])[0])


def made(*, exact: bool, monkeypatch: Any = None) -> Any:
    recipe = preset("patel2019").replace(
        size=32, evaluations=3, style_loss="wasserstein", init="content", tv_weight=1.0
    )
    cells = [Cell(picture(seed=1), picture(seed=seed), recipe, 1) for seed in (2, 3)]
    return transfer_batch(cells, weights={"vgg16": tiny_weights()}, exact=exact, chunk=2)


def test_an_image_is_made_with_the_plain_loss_in_exact_mode_and_to_the_same_loss_without(monkeypatch):
    fast = made(exact=False)
    monkeypatch.setattr(transport, "distances", lambda *_: pytest.fail("exact mode takes the plain loss"))
    for one, other in zip(fast, made(exact=True), strict=True):
        assert one.curve["style"] == pytest.approx(other.curve["style"], rel=5e-3)
