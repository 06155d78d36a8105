"""What a key and a plan's checks look at: settings that change the image, in one spelling."""

from __future__ import annotations

import pytest
import torch

from generator.nst import PRESETS, Recipe, preset, transfer
from generator.nst.recipes.effects import effective_sha256, fingerprint, idle
from generator.nst.weights.registry import Weights
from tests.generator.nst.tiny import tiny_weights

SMALL = Recipe(size=24, evaluations=3, content_layers=("conv2_1",), style_layers=("conv1_1", "conv2_1"))
# Of each: a recipe, and two settings that differ in nothing but name.
SAME = [
    ({"init": "content"}, {"noise_scale": 10}, {"noise": "normal", "noise_mean": 3}),
    ({"init": "noise"}, {"noise_share": 0.1}, {"noise_share": 0.9}),
    ({"init": "mix", "noise_share": 0}, {"noise_scale": 10}, {"noise": "normal"}),
    ({"tv_weight": 0}, {"tv_form": "l1"}, {"tv_beta": 3}),
    ({"tv_weight": 1, "tv_form": "l2"}, {"tv_beta": 1.5}, {"tv_beta": 3}),
    ({"alpha": 0}, {"content_layer": "conv1_1"}, {"content_layer": "conv3_1"}),
    ({"beta": 0}, {"style_layer": "conv1_1"}, {"style_loss": "wasserstein"}),
    ({"optimiser": "lbfgs-b"}, {"learning_rate": 2}, {"clamp": True}),
    ({"optimiser": "lbfgs"}, {"round_evaluations": 2}, {"memory": 30}),
    ({"optimiser": "adam"}, {"memory": 2}, {"round_evaluations": 2}),
    ({}, {"pyramid_step": 2}, {"pyramid_min": 24}),
    ({"first_evaluations": 3}, {"evaluations": 5}, {"evaluations": 9}),
    ({}, {"content_layer": "relu2_1"}, {"content_layer": "conv2_1"}),
    ({"shape": "square"}, {"style_scale": 0.7}, {"style_shape": "content"}),
    ({"style_shape": "content"}, {"style_scale": 0.7}, {"style_scale": 0.8}),
    ({}, {"style_weights": (0.5, 0.5)}, {"style_weights": ()}),
    ({"content_layer": "conv1_1", "style_layer": "conv1_2"}, {"pooling": "average"}, {"pooling": "max"}),
    ({"pyramid_min": 8, "pyramid_step": 2}, {"pyramid_min": 7}, {"pyramid_min": 8}),
    ({"method": "strotss", "alpha": 4}, {"init": "content", "memory": 90}, {"content_layer": "conv5_1"}),
    ({"method": "nnst", "alpha": 0.5}, {"optimiser": "adam", "tv_weight": 3}, {"first_evaluations": 9}),
]


@pytest.fixture(scope="module")
def weights() -> Weights:
    return tiny_weights()


def image(recipe: Recipe, weights: Weights, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    content, style = torch.rand(2, 3, 24, 20, generator=generator)
    return transfer(content, style, recipe, seed=seed, weights=weights).image


@pytest.mark.parametrize(("common", "one", "other"), SAME)
def test_settings_without_an_effect_make_the_same_image_and_one_fingerprint(
    common: dict, one: dict, other: dict, weights: Weights
) -> None:
    first, second = (SMALL.replace(**common).replace(**own) for own in (one, other))
    assert torch.equal(image(first, weights), image(second, weights))
    assert fingerprint(first) == fingerprint(second)


def test_settings_with_an_effect_have_a_fingerprint_of_their_own() -> None:
    noisy = SMALL.replace(
        init="mix", tv_weight=1, tv_form="mahendran-vedaldi", optimiser="adam", pyramid_min=6
    )
    others = [
        noisy.replace(**own)
        for own in (
            {"noise_scale": 10}, {"noise": "normal"}, {"noise_mean": 3}, {"noise_share": 0.1}, {"tv_form": "l1"},
            {"tv_beta": 3}, {"content_layer": "conv3_1"}, {"style_loss": "wasserstein"}, {"learning_rate": 2},
            {"clamp": True}, {"pyramid_min": 12}, {"pyramid_step": 2}, {"evaluations": 4}, {"first_evaluations": 9},
            {"activation": "before"}, {"style_scale": 0.5}, {"style_weights": (0.4, 0.6)}, {"pooling": "average"},
            {"padding": "replicate"}, {"averaging": 0.9}, {"size": 25}, {"shape": "square"}, {"colour": "luminance"},
            {"range_weight": 3}, {"stop_change": 2},
            {"legacy_mean_order": True}, {"precision": "fp32"}, {"optimiser": "lbfgs"}, {"convention": "keras"},
        )
    ]  # fmt: skip
    kinds = [fingerprint(recipe) for recipe in (noisy, *others)]
    assert len(set(kinds)) == len(kinds)
    assert len({effective_sha256(recipe) for recipe in (noisy, *others)}) == len(kinds)


@pytest.mark.parametrize("method", ["strotss", "nnst"])
def test_each_setting_that_a_method_of_kolkin_reads_has_a_fingerprint_of_its_own(method: str) -> None:
    known = SMALL.replace(method=method, ratio=0.5, pyramid_min=6)
    others = [
        known.replace(**own)
        for own in (
            {"ratio": 0.7}, {"style_layer": "conv1_1"}, {"evaluations": 4}, {"learning_rate": 2}, {"pooling": "average"},
            {"activation": "before"}, {"padding": "replicate"}, {"pyramid_min": 12}, {"pyramid_step": 2}, {"size": 25},
            {"style_scale": 0.5}, {"shape": "square"}, {"colour": "luminance"},
        )
    ]  # fmt: skip
    kinds = [fingerprint(recipe) for recipe in (known, *others)]
    assert len(set(kinds)) == len(kinds)
    assert "seed" not in idle(known)


def test_the_seed_matters_where_the_start_is_drawn(weights: Weights) -> None:
    for common, draws in (
        ({"init": "content"}, False),
        ({"init": "mix", "noise_share": 0}, False),
        ({"noise_scale": 0}, False),
        ({"init": "mix"}, True),
        ({"init": "noise"}, True),
    ):
        recipe = SMALL.replace(**common)
        assert ("seed" not in idle(recipe)) == draws
        assert torch.equal(image(recipe, weights, 1), image(recipe, weights, 2)) != draws


def test_a_key_without_idle_settings_is_that_of_the_recipe_itself() -> None:
    assert effective_sha256(Recipe()) == Recipe().sha256
    assert effective_sha256(SMALL.replace(tv_weight=1)) == SMALL.replace(tv_weight=1).sha256
    assert effective_sha256(preset("modern")) == preset("modern").sha256


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_presets_name_is_no_setting(name: str) -> None:
    recipe = preset(name)
    assert effective_sha256(recipe) == effective_sha256(recipe.replace(preset=""))
