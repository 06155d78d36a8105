from __future__ import annotations

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.nst import Recipe, RecipeError, preset


def test_a_recipe_cannot_be_changed_and_can_be_a_key():
    recipe = Recipe()
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.alpha = 2.0  # type: ignore[misc]
    assert {recipe: 1}[Recipe()] == 1


def test_it_comes_back_from_its_json():
    recipe = preset("patel2019").replace(style_weights=[1, 0, 2, 1, 1], size=123)
    assert Recipe.from_dict(json.loads(recipe.to_json())) == recipe


def test_the_canonical_json_does_not_depend_on_the_order_or_kind_of_numbers():
    first = Recipe.from_dict({"alpha": 1, "beta": 2.0, "content_layers": ["conv3_1"]})
    second = Recipe.from_dict({"content_layer": "block3_conv1", "beta": 2, "alpha": 1.0})
    assert first.to_json() == second.to_json()
    assert first.sha256 == second.sha256


def test_the_hash_is_of_what_is_made_and_not_of_the_presets_name():
    assert Recipe(preset="a").sha256 == Recipe(preset="b").sha256
    assert Recipe(size=300).sha256 != Recipe(size=301).sha256


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "alpha": st.floats(1e-6, 1e6),
            "size": st.integers(16, 8192),
            "pooling": st.sampled_from(["max", "average"]),
            "content_layer": st.sampled_from(["conv1_1", "conv3_1", "conv4_2"]),
        },
    )
)
def test_a_key_added_later_leaves_the_hash_of_recipes_without_it(settings):
    @dataclasses.dataclass(frozen=True)
    class Later(Recipe):
        new_key: str = "off"

    now = Recipe.from_dict(settings)
    assert Later.from_dict(settings).sha256 == now.sha256
    assert Later.from_dict(settings | {"new_key": "on"}).sha256 != now.sha256


@pytest.mark.parametrize(
    "key", [field.name for field in dataclasses.fields(Recipe) if field.name != "preset"]
)
def test_every_setting_is_in_the_hash(key):
    others = {
        "method": "feedforward", "network": "vgg19", "style_weights": [1, 2, 3, 4, 5], "clamp": True,
        "legacy_mean_order": True, "content_layers": ["conv1_1"], "style_layers": ["conv1_1"], "evaluations": 7,
        "memory": 7, "size": 77, "first_evaluations": 7, "round_evaluations": 7, "pyramid_min": 77, "pyramid_step": 2,
        "style_loss": "patches", "convention": "keras", "tv_form": "l1", "pooling": "average",
        "activation": "before", "padding": "replicate", "init": "content", "noise": "normal", "optimiser": "adam",
        "shape": "square", "style_shape": "content", "colour": "luminance", "precision": "fp32",
    }  # fmt: skip
    more = {"network": "trained.safetensors"} if key == "method" else {}
    changed = Recipe.from_dict({key: others.get(key, 0.25 if key != "tv_beta" else 3)} | more)
    assert changed.sha256 != Recipe.from_dict(more if key != "method" else {}).sha256


@given(st.floats(1e-6, 1e6), st.floats(1e-3, 1e3))
def test_a_ratio_sets_alpha_from_beta(ratio, beta):
    recipe = Recipe().replace(ratio=ratio, beta=beta)
    assert recipe.beta == beta
    assert math.isclose(recipe.ratio, ratio, rel_tol=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"contnet_layer": "conv3_1"}, r"unknown key 'contnet_layer' \(did you mean 'content_layer'\?\)"),
        ({"tv_wieght": 1}, r"unknown key 'tv_wieght' \(did you mean 'tv_weight'\?\)"),
        ({"content_layer": "conv3_9"}, r"content_layers: vgg16 has no layer 'conv3_9' \(did you mean 'conv"),
        ({"content_layer": "conv4_4"}, "vgg16 has no layer 'conv4_4'"),
        ({"content_layer": "conv3_1", "content_layers": ["conv3_1"]}, "both given; keep one"),
        ({"style_layers": ["conv1_1", "block1_conv1"]}, "names a layer twice"),
        ({"style_layers": 3}, "should be a list of layers' names"),
        ({"ratio": 0.1, "alpha": 1}, "ratio and alpha are both given"),
        ({"ratio": "a lot"}, "ratio = 'a lot' should be a number"),
        ({"ratio": float("nan")}, "ratio = nan should be a number"),
        ({"alpha": True}, "alpha = True should be a number"),
        ({"size": 4}, "size = 4 should be from 16 to 8192"),
        ({"size": 300.5}, "size = 300.5 should be a whole number"),
        ({"pooling": "averge"}, r"pooling = 'averge' \(did you mean 'average'\?\)"),
        ({"optimiser": "sgd"}, r"optimiser = 'sgd' \(there are: lbfgs"),
        ({"network": "vgg61"}, "network: unknown network 'vgg61'"),
        ({"style_weights": [1, 2]}, "style_weights: 2 for 5 style_layers; give one each"),
        ({"style_weights": [0, 0, 0, 0, 0]}, "and not all 0"),
        ({"legacy_mean_order": "yes"}, "should be true or false"),
        ({"alpha": 0, "beta": 0, "tv_weight": 0}, "leave nothing to minimise"),
    ],
)
def test_a_mistake_gets_one_line_that_names_the_key_and_the_mend(settings, message):
    with pytest.raises(RecipeError, match=message) as raised:
        preset("patel2019").replace(**settings)
    assert "\n" not in str(raised.value)


def test_a_network_without_the_presets_layers_is_refused_with_the_layer():
    recipe = Recipe(network="vgg19", content_layers=("conv4_4",))
    with pytest.raises(RecipeError, match="vgg16 has no layer 'conv4_4'"):
        recipe.replace(network="vgg16")


def test_what_has_no_weight_is_not_read():
    assert Recipe(alpha=0).taps[0] == ()
    assert Recipe(beta=0).taps[1] == ()
    assert Recipe(activation="before", content_layers=("conv3_1",)).taps[0] == ("conv3_1",)


def test_an_unknown_preset_is_answered_with_the_nearest():
    with pytest.raises(RecipeError, match=r"unknown preset 'patel2091' \(did you mean 'patel2019'\?\)"):
        preset("patel2091")
