from __future__ import annotations

import torch

from generator.nst import Recipe, transfer
from generator.nst.reconstruct import content_recipes, preimage_recipes, style_recipes
from tests.generator.nst.tiny import picture, tiny_weights

BASE = Recipe(optimiser="lbfgs-b", evaluations=60, size=24, precision="fp32")
LAYERS = ("conv1_1", "conv2_1", "conv3_1")


def make(recipe):
    content = picture(24, 24, seed=1)
    result = transfer(content, picture(24, 24, seed=2), recipe, seed=1, weights=tiny_weights(width=8))
    return result, float((result.image - content).abs().mean())


def test_the_first_layer_gives_the_image_back_and_a_deep_one_less_of_it():
    errors = [make(recipe)[1] for recipe in content_recipes(("conv1_1", "conv4_1"), BASE)]
    assert errors[0] < 0.1
    assert errors[0] < errors[1]


def test_reconstructions_take_the_means_in_their_right_order():
    assert not any(recipe.legacy_mean_order for recipe in content_recipes(LAYERS))


def test_styles_come_from_a_growing_subset_of_layers():
    recipes = style_recipes(LAYERS, BASE)
    assert [recipe.style_layers for recipe in recipes] == [LAYERS[:1], LAYERS[:2], LAYERS]
    assert {recipe.taps[0] for recipe in recipes} == {()}
    result, _ = make(recipes[2])
    assert result.curve["content"][-1] == 0
    assert min(result.curve["style"]) < 0.1 * result.curve["style"][0]


def test_a_stronger_prior_gives_a_smoother_preimage():
    def roughness(weight):
        (recipe,) = preimage_recipes(("conv3_1",), beta=2.0, tv_weight=weight, base=BASE)
        image = make(recipe)[0].image
        return float(torch.diff(image, dim=2).square().mean())

    assert roughness(100.0) < roughness(1e-4)
