"""The batched optimisers take the steps of the programs that they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import fmin_l_bfgs_b
from torch import Tensor

from generator.nst.optimise.optimisers import CONVERGED, RUNNING, STUCK, Adam, Lbfgs, LbfgsB


def valley(x: Tensor) -> Tensor:
    """Rosenbrock's function in many dimensions, for each row."""
    return (100 * (x[..., 1:] - x[..., :-1] ** 2) ** 2 + (1 - x[..., :-1]) ** 2).sum(-1)


def told(x: Tensor, function=valley) -> tuple[Tensor, Tensor]:
    point = x.detach().requires_grad_()
    loss = function(point)
    (gradient,) = torch.autograd.grad(loss.sum(), point)
    return loss.detach().double(), gradient


def starts(count: int = 3, size: int = 12, seed: int = 0) -> Tensor:
    return torch.randn(count, size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def walk(optimiser, steps: int) -> list[Tensor]:
    """Return the points of evaluation, steps x N x D."""
    points = []
    for _ in range(steps):
        points.append(optimiser.x.clone())
        optimiser.tell(*told(optimiser.x))
    return points


def torch_walk(make, start: Tensor, steps: int) -> list[Tensor]:
    point = start.clone().requires_grad_()
    optimiser, points = make([point]), []

    def closure():
        points.append(point.detach().clone())
        optimiser.zero_grad()
        loss = valley(point)
        loss.backward()
        return loss

    while len(points) < steps:
        optimiser.step(closure)
    return points[:steps]


@pytest.mark.parametrize(("memory", "rate"), [(100, 0.1), (5, 0.1), (5, 0.02)])
def test_lbfgs_takes_the_very_steps_of_torch(memory, rate):
    start = starts(1)
    expected = torch_walk(
        lambda p: torch.optim.LBFGS(
            p, lr=rate, max_iter=40, history_size=memory, tolerance_grad=0, tolerance_change=0
        ),
        start[0],
        40,
    )
    for mine, torchs in zip(walk(Lbfgs(start, learning_rate=rate, memory=memory), 40), expected, strict=True):
        torch.testing.assert_close(mine[0], torchs, rtol=1e-6, atol=1e-8)


def scipy_walk(start: np.ndarray, most: int) -> list[np.ndarray]:
    points = []

    def function(x):
        points.append(x.copy())
        loss, gradient = told(torch.tensor(x)[None])
        return float(loss), gradient[0].numpy()

    fmin_l_bfgs_b(function, start, m=10, factr=0, pgtol=0, maxfun=most)
    return points


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_lbfgsb_takes_the_very_steps_of_scipy(seed):
    start = starts(1, size=30, seed=seed)
    expected = scipy_walk(start[0].numpy(), 60)
    mine = walk(LbfgsB(start, factor=0, largest_gradient=0), len(expected))
    for own, scipys in zip(mine, expected, strict=True):
        np.testing.assert_allclose(own[0], scipys, rtol=1e-5, atol=1e-6)


def test_a_round_of_lbfgsb_starts_anew_as_a_second_call_of_scipy_does():
    start = starts(1, size=30)
    first = scipy_walk(start[0].numpy(), 11)
    mine = walk(LbfgsB(start, round_evaluations=12, factor=0, largest_gradient=0), 40)
    np.testing.assert_allclose(mine[len(first) - 1][0], first[-1], rtol=1e-8)
    # scipy evaluates the place where it begins; here the round before has done so.
    second = scipy_walk(first[-1], 11)
    for own, scipys in zip(mine[len(first) :], second[1:], strict=False):
        np.testing.assert_allclose(own[0], scipys, rtol=1e-6)


@pytest.mark.parametrize("clamped", [False, True])
def test_adam_takes_the_very_steps_of_torch(clamped):
    start = starts(1)
    limits = (torch.tensor(-0.5), torch.tensor(0.5)) if clamped else None
    mine = walk(Adam(start, learning_rate=0.05, limits=limits), 30)
    if clamped:
        assert all(float(point.abs().max()) <= 0.5 for point in mine[1:])
        return
    expected = torch_walk(lambda p: torch.optim.Adam(p, lr=0.05), start[0], 30)
    for own, torchs in zip(mine, expected, strict=True):
        torch.testing.assert_close(own[0], torchs, rtol=1e-9, atol=1e-10)


MAKERS: dict[str, Any] = {
    "lbfgs": lambda x: Lbfgs(x, learning_rate=0.05, memory=6),
    "lbfgs-b": lambda x: LbfgsB(x, memory=4, round_evaluations=9),
    "adam": lambda x: Adam(x, learning_rate=0.02),
}


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=4)
@given(seed=st.integers(0, 1000), count=st.integers(2, 3))
def test_a_cell_in_a_batch_goes_where_it_goes_alone(name, seed, count):
    start = starts(count, seed=seed)
    together = walk(MAKERS[name](start), 25)
    for cell in range(count):
        alone = walk(MAKERS[name](start[cell : cell + 1]), 25)
        torch.testing.assert_close(together[-1][cell], alone[-1][0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", MAKERS)
def test_the_rest_go_on_unmoved_when_a_cell_leaves(name):
    whole, parted = MAKERS[name](starts()), MAKERS[name](starts())
    walk(whole, 8)
    walk(parted, 8)
    parted.keep(torch.tensor([0, 2]))
    torch.testing.assert_close(walk(whole, 8)[-1][[0, 2]], walk(parted, 8)[-1], rtol=1e-9, atol=1e-12)


def test_lbfgsb_reports_convergence():
    optimiser = LbfgsB(starts(), factor=1e7, largest_gradient=1e-5)
    walk(optimiser, 150)
    assert optimiser.status.tolist() == [CONVERGED] * 3


def test_lbfgsb_steps_back_from_a_loss_that_is_no_number():
    """The logarithm's edge: a first step too long gives NaN and must not end the search."""

    def edge(x):
        return (x - 0.02 * torch.log(x) * 100).sum(-1)

    optimiser = LbfgsB(torch.full((1, 4), 0.3, dtype=torch.float64))
    losses = []
    for _ in range(60):
        loss, gradient = told(optimiser.x, edge)
        losses.append(float(loss))
        optimiser.tell(loss, gradient)
    assert np.nanmin(losses) == pytest.approx(4 * (2 - 2 * np.log(2)), rel=1e-4)


def test_lbfgsb_is_stuck_where_no_step_helps():
    """A gradient that points uphill: every search fails, at once and after forgetting."""
    optimiser = LbfgsB(torch.ones(1, 3, dtype=torch.float64))
    for _ in range(60):
        optimiser.tell(optimiser.x.square().sum(-1), -optimiser.x)
    assert optimiser.status.tolist() == [STUCK]


def test_lbfgs_is_stuck_once_the_loss_is_no_number():
    optimiser = Lbfgs(starts(2))
    _, gradient = told(optimiser.x)
    optimiser.tell(torch.tensor([1.0, torch.nan], dtype=torch.float64), gradient)
    assert optimiser.status.tolist() == [RUNNING, STUCK]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda x: Lbfgs(x, learning_rate=0.1, memory=4), id="lbfgs"),
        pytest.param(lambda x: LbfgsB(x, memory=4), id="lbfgs-b"),
        pytest.param(lambda x: LbfgsB(x, memory=4, round_evaluations=9), id="lbfgs-b in rounds"),
    ],
)
def test_one_product_of_both_halves_of_the_pairs_gives_the_same_steps(make):
    """As on a GPU, where each pass over the pairs costs."""
    plain, in_one = make(starts(4)), make(starts(4))
    in_one._pairs._in_one = True
    for one, other in zip(walk(plain, 25), walk(in_one, 25), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-8)
    for optimiser in (plain, in_one):
        optimiser.keep(torch.tensor([0, 2]))
    for one, other in zip(walk(plain, 8), walk(in_one, 8), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)


def test_what_a_cell_has_forgotten_has_no_say_even_where_it_is_no_number():
    optimiser = LbfgsB(starts(2), memory=3)
    walk(optimiser, 12)
    optimiser._pairs.forget(torch.tensor([True, False]))
    optimiser._pairs.pairs[0] = torch.nan
    gradient = torch.ones(2, 12, dtype=torch.float64)
    found = optimiser._pairs._products(gradient, gradient)
    assert torch.equal(found[0], torch.zeros(3, 2, 2, dtype=torch.float64))
    assert bool(found[1].isfinite().all())
