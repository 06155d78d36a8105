"""Whole transfers by STROTSS and NNST, with a tiny network."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from generator.nst import (
    Cell,
    NstError,
    Progress,
    Recipe,
    RecipeError,
    Style,
    preset,
    transfer,
    transfer_batch,
)
from generator.nst.kolkin import nnst, strotss
from generator.nst.recipes.footprint import bytes_per_pixel
from generator.nst.recipes.sizes import level_budgets, level_sizes
from generator.nst.results import Result
from tests.generator.nst.tiny import picture, tiny_weights

WEIGHTS = tiny_weights()
METHODS = ("strotss", "nnst")


def small(name: str, **settings: Any) -> Recipe:
    return preset(name).replace(**{"size": 40, "pyramid_min": 20, "evaluations": 4, **settings})


def make(recipe: Recipe, seed: int = 1, **options: Any) -> Result:
    content, style = picture(40, 36, seed=1), picture(32, 40, seed=2)
    return transfer(content, style, recipe, seed=seed, weights=WEIGHTS, **options)


@pytest.mark.parametrize("name", METHODS)
def test_the_image_has_its_size_and_the_loss_falls(name: str) -> None:
    made = make(small(name, evaluations=5, learning_rate=3))
    assert made.image.shape == (3, 40, 36)
    assert made.failure == ""
    losses = [sum(terms) for terms in zip(*made.curve.values(), strict=True)]
    assert losses[4] < losses[0]
    assert losses[-1] < losses[-5]


@pytest.mark.parametrize("name", METHODS)
def test_a_seed_repeats_the_image_and_another_makes_another(name: str) -> None:
    # NNST draws only where a layer has more than 64 positions a side.
    recipe = small(name, size=130, pyramid_min=0, evaluations=1)
    first = make(recipe, seed=1).image
    assert torch.equal(make(recipe, seed=1).image, first)
    assert not torch.equal(make(recipe, seed=2).image, first)


@pytest.mark.parametrize(("name", "evaluations"), [("strotss", [4, 4]), ("nnst", [4, 8])])
def test_progress_counts_every_evaluation_of_every_level(name: str, evaluations: list[int]) -> None:
    told: list[Progress] = []
    made = make(small(name), callback=told.append)
    assert level_budgets(small(name), 2) == evaluations
    assert [each.evaluation for each in told] == list(range(1, sum(evaluations) + 1))
    assert {each.evaluations for each in told} == {sum(evaluations)} == {made.evaluations}
    assert [each.height for each in told] == [20] * 4 + [40] * evaluations[1]


def test_strotss_halves_the_content_weight_from_level_to_level_and_the_last_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weights, rates = [], []
    terms, descend = strotss.terms, strotss.Strotss.descend

    def noted(own, content, style, alpha):
        weights.append(alpha)
        return terms(own, content, style, alpha)

    def rated(self, image, loss, levels, rate):
        rates.append((levels, round(rate, 4)))
        return descend(self, image, loss, levels, rate)

    monkeypatch.setattr(strotss, "terms", noted)
    monkeypatch.setattr(strotss.Strotss, "descend", rated)
    make(small("strotss", size=80, evaluations=1))
    assert weights == [16, 8, 4]
    assert rates == [(5, 0.51), (5, 0.51), (5, 0.255)]


def test_strotss_compares_1024_places_of_an_even_grid_and_of_the_style_anywhere() -> None:
    generator = torch.Generator().manual_seed(1)
    places = strotss.grid((96, 64), strotss.PLACES, generator)
    assert len(places) == 1024 == len(places.unique(dim=0))
    # An even grid of step 2 that starts at one of four pixels.
    assert len((places % 2).unique(dim=0)) == 1
    drawn = strotss.anywhere(torch.Size((1, 3, 50, 40)), strotss.PLACES, generator)
    assert len(drawn.unique(dim=0)) == 1024
    assert bool((drawn < torch.tensor([50, 40])).all())
    assert len(strotss.anywhere(torch.Size((1, 3, 5, 4)), strotss.PLACES, generator)) == 20


def test_nnst_seeks_features_of_the_style_turned_four_ways() -> None:
    image = torch.rand(1, 3, 4, 6)
    views = nnst.rotated(image)
    assert [tuple(view.shape[2:]) for view in views] == [(4, 6), (6, 4), (4, 6), (6, 4)]
    assert torch.equal(views[2], image.flip(2, 3))
    assert len({view.flatten()[0].item() for view in views}) == 4


def test_nnst_sees_the_content_alone_first_and_then_alpha_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    replaced = nnst.Nnst._replaced

    def noted(self, image, views):
        seen.append(image)
        return replaced(self, image, views)

    monkeypatch.setattr(nnst.Nnst, "_replaced", noted)
    for ratio in (1.0, 0.5):
        make(small("nnst", ratio=ratio, evaluations=1))
    assert torch.equal(seen[0], seen[2])
    assert not torch.allclose(seen[1], seen[3], atol=1)


def test_nnst_says_that_it_sought_in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small("nnst", size=20, pyramid_min=0, evaluations=1)
    for has, notes in ((True, ("nearest features sought in bfloat16",)), (False, ())):
        monkeypatch.setattr("generator.nst.network.supports_bf16", lambda device, has=has: has)
        assert make(recipe).notes == notes


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_more_content_weight_keeps_more_of_the_content(name: str) -> None:
    def lost(ratio: float) -> float:
        content, made = (
            picture(40, 36, seed=1),
            make(small(name, ratio=ratio, evaluations=5, learning_rate=4, colour="none")).image,
        )
        return -float(torch.corrcoef(torch.stack([made.flatten(), content.flatten()]))[0, 1])

    assert lost(1.0 if name == "nnst" else 60.0) < lost(0.02)


@pytest.mark.parametrize("name", METHODS)
def test_a_small_style_and_a_panorama_are_made(name: str) -> None:
    recipe = small(name, size=200, pyramid_min=25, evaluations=1)
    made = transfer(picture(20, 200), picture(17, 90), recipe, seed=1, weights=WEIGHTS)
    assert made.image.shape == (3, 20, 200)


def test_cells_of_one_batch_become_what_they_become_alone() -> None:
    cells = [
        Cell(picture(40, 40, seed), picture(40, 40, 9), small("nnst", evaluations=1), seed) for seed in (1, 2)
    ]
    together = transfer_batch(cells, weights={"vgg16": WEIGHTS})
    for cell, made in zip(cells, together, strict=True):
        alone = transfer(cell.content, picture(40, 40, 9), cell.recipe, seed=cell.seed, weights=WEIGHTS)
        assert torch.equal(made.image, alone.image)


@pytest.mark.parametrize("name", METHODS)
def test_several_styles_and_masks_are_refused(name: str) -> None:
    image, mask = picture(40, 40), torch.ones(1, 40, 40)
    for style in ((Style(image), Style(image)), (Style(image, where=mask),)):
        with pytest.raises(NstError, match=r"styles: method|masks guide"):
            transfer_batch([Cell(image, style, small(name), 1)], weights={"vgg16": WEIGHTS})


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("strotss", {"ratio": 0}, "divides by it"),
        ("nnst", {"ratio": 1.5}, "from 0 to 1"),
        ("nnst", {"beta": 0, "tv_weight": 1}, "needs beta"),
    ],
)
def test_weights_that_a_formula_cannot_take_are_refused(
    name: str, settings: dict[str, float], told: str
) -> None:
    with pytest.raises(RecipeError, match=told):
        preset(name).replace(**settings)


def test_the_presets_have_their_papers_settings() -> None:
    for name, ratio, layers in (("strotss", 16, 9), ("nnst", 0.75, 10)):
        recipe = preset(name)
        assert (recipe.ratio, len(recipe.style_layers), recipe.evaluations) == (ratio, layers, 200)
        assert [size for size, _ in level_sizes((512, 512), recipe)] == [64, 128, 256, 512]
        assert recipe.learning_rate == pytest.approx(0.002 * 255)


def test_quick_nnst_differs_from_nnst_in_evaluations_steps_and_colours_alone() -> None:
    quick = preset("nnst-quick")
    assert (quick.evaluations, quick.learning_rate, quick.colour) == (25, 0.6, "matched")
    own = {key: getattr(preset("nnst"), key) for key in ("evaluations", "learning_rate", "colour", "preset")}
    assert quick.replace(**own) == preset("nnst")


def test_nnst_is_known_to_need_more_memory_than_the_network() -> None:
    assert bytes_per_pixel(preset("nnst"), "fp32", 0) > 2 * bytes_per_pixel(preset("strotss"), "fp32", 0)
