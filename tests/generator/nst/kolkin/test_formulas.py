"""The terms of STROTSS and NNST, as their papers write them, in numpy: no code shared with the library."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from generator.nst.kolkin import formulas
from generator.nst.kolkin.strotss import terms


def features(rows: int, wide: int, seed: int) -> torch.Tensor:
    return torch.rand(rows, wide, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


A, B, C = features(7, 5, 1), features(9, 5, 2), features(7, 5, 3)


Distance = Callable[[NDArray[np.float64], NDArray[np.float64]], float]


def cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(1 - a @ b / np.sqrt((a @ a) * (b @ b)))


def costs(a: torch.Tensor, b: torch.Tensor, distance: Distance = cosine) -> NDArray[np.float64]:
    return np.array([[distance(x, y) for y in b.numpy()] for x in a.numpy()])


def remd(cost: NDArray[np.float64]) -> float:
    return float(max(np.mean([min(row) for row in cost]), np.mean([min(column) for column in cost.T])))


def euclid(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.sqrt(((a - b) ** 2).sum()))


def moments(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    wide = a.shape[1]
    means = np.abs(a.mean(0) - b.mean(0)).sum() / wide
    return float(means + np.abs(np.cov(a.T, bias=True) - np.cov(b.T, bias=True)).sum() / wide**2)


def pattern(a: torch.Tensor) -> NDArray[np.float64]:
    cost = costs(a, a)
    return np.asarray(cost / cost.sum(0))


def test_the_relaxed_distance_is_the_greater_mean_of_smallest_cosine_distances() -> None:
    found = formulas.relaxed_emd(formulas.cosine_distances(A, B))
    assert float(found) == pytest.approx(remd(costs(A, B)))


def test_either_side_of_the_relaxed_distance_can_be_the_greater() -> None:
    few, many = A[:2], torch.cat([A[:2], B])
    for one, other in ((few, many), (many, few)):
        found = formulas.relaxed_emd(formulas.cosine_distances(one, other))
        assert float(found) == pytest.approx(remd(costs(one, other)))
        assert float(found) > 1e-3


def test_moments_are_means_and_covariances_by_their_absolute_differences() -> None:
    assert float(formulas.moment_distance(A, B)) == pytest.approx(moments(A.numpy(), B.numpy()))


def test_content_is_compared_by_the_pattern_of_likeness_within_each_image() -> None:
    expected = np.abs(pattern(A) - pattern(C)).sum() / len(A)
    assert float(formulas.self_similarity(A, C)) == pytest.approx(expected)
    # What scales all features alike changes no pattern.
    assert float(formulas.self_similarity(3 * A, A)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("alpha", [16.0, 0.5])
def test_the_terms_of_strotss_add_up_to_equation_1(alpha: float) -> None:
    content, style = terms(A, C, B, alpha)
    palette = remd(costs(A[:, :3], B[:, :3], euclid))
    pulls = moments(A.numpy(), B.numpy()) + remd(costs(A, B)) + palette / alpha
    whole = 2 + alpha + 1 / alpha
    assert float(content) == pytest.approx(alpha * np.abs(pattern(A) - pattern(C)).sum() / len(A) / whole)
    assert float(style) == pytest.approx(pulls / whole)


def test_the_nearest_feature_is_sought_among_centred_ones() -> None:
    expected = costs(A - A.mean(0), B - B.mean(0)).argmin(1)
    assert formulas.Style(B).nearest(A).tolist() == expected.tolist()
    assert expected.tolist() != costs(A, B).argmin(1).tolist()


def test_the_nearest_feature_is_found_in_any_part_of_a_large_style(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = formulas.Style(B).nearest(A)
    monkeypatch.setattr(formulas, "_AT_ONCE", 2)
    assert torch.equal(formulas.Style(B).nearest(A), whole)


def test_a_search_in_bfloat16_finds_features_as_near_as_float32_does() -> None:
    # Near ones differ by little: as likenesses many of them would be one value in bfloat16.
    middles, generator = features(20, 64, 4).float() - 0.5, torch.Generator().manual_seed(5)
    ours = middles.repeat(3, 1) + 0.2 * torch.rand(60, 64, generator=generator)
    style = middles.repeat(150, 1) + 0.2 * torch.rand(3000, 64, generator=generator)
    a, b = (
        (each / each.norm(dim=1, keepdim=True)).numpy()
        for each in (ours - ours.mean(0), style - style.mean(0))
    )
    distances = 1 - a @ b.T
    found = distances[range(60), formulas.Style(style, quick=True).nearest(ours).numpy()]
    assert (found - distances.min(1)).max() < 0.03 * distances.min(1).mean()


def test_matching_is_the_mean_cosine_distance_to_the_targets() -> None:
    expected = np.mean([cosine(a, c) for a, c in zip(A.numpy(), C.numpy(), strict=True)])
    assert float(formulas.cosine_loss(A, C)) == pytest.approx(expected)
    # A feature without length is like none, and has a gradient.
    dark = torch.zeros_like(A).requires_grad_()
    loss = formulas.cosine_loss(dark, C)
    assert loss.item() == 1
    assert bool(torch.autograd.grad(loss, dark)[0].isfinite().all())


def test_splitting_is_the_mean_of_smallest_centred_distances_and_moves_no_choice() -> None:
    own = A.clone().requires_grad_()
    loss = formulas.splitting_loss(own, formulas.Style(B))
    assert loss.item() == pytest.approx(costs(A - A.mean(0), B - B.mean(0)).min(1).mean())
    (gradient,) = torch.autograd.grad(loss, own)
    step = torch.zeros_like(A)
    step[2, 1] = 1e-6
    up, down = (formulas.splitting_loss(each, formulas.Style(B)) for each in (A + step, A - step))
    slope = (up - down) / 2e-6
    assert float(gradient[2, 1]) == pytest.approx(float(slope), rel=1e-4)
