"""Each preset's loss, as its own source writes it, in numpy: no code shared with the library but the activations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from generator.nst import PRESETS, Style, preset
from generator.nst.network import Vgg
from generator.nst.objective import Objective
from generator.nst.recipes.effects import effective_sha256
from generator.nst.recipes.options import KOLKIN
from generator.nst.recipes.presets import FORMER
from generator.nst.targets import Reference
from tests.generator.nst.tiny import tiny_weights

SHAPE = (3, 34, 38)


def image(seed):
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed)) * 50


def flat(values):
    return values.reshape(len(values), -1)


def gram(values):
    return flat(values) @ flat(values).T


def half_squares(f, p):
    return 0.5 * ((f - p) ** 2).sum()


def gatys_style(f, s):
    n, m = flat(f).shape
    return ((gram(f) - gram(s)) ** 2).sum() / (4 * n**2 * m**2) / 5


def keras_style(f, s):
    size = SHAPE[1] * SHAPE[2]
    return ((gram(f) - gram(s)) ** 2).sum() / (4.0 * 3**2 * size**2) / 5


def mean_squares(f, p):
    return ((f - p) ** 2).mean()


def mean_gram(f, s):
    return ((gram(f) / f.size - gram(s) / s.size) ** 2).mean()


def keras_tv(x):
    a = (x[:, :-1, :-1] - x[:, 1:, :-1]) ** 2
    b = (x[:, :-1, :-1] - x[:, :-1, 1:]) ** 2
    return ((a + b) ** 1.25).sum()


def johnson_tv(x):
    dx, dy = x[:, :-1, 1:] - x[:, :-1, :-1], x[:, 1:, :-1] - x[:, :-1, :-1]
    return 0.5 * (dx**2 + dy**2).sum()


BLOCKS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
JOHNSON = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")


def udacity_style(weight):
    return lambda f, s: 1e6 * weight * ((gram(f) - gram(s)) ** 2).mean() / f.size


UDACITY = {tap: udacity_style(weight) for tap, weight in zip(BLOCKS, (1.0, 0.75, 0.2, 0.2, 0.2), strict=True)}


def matconvnet_style(f, s):
    n, m = flat(f).shape
    return 40 * 0.2 * ((gram(f) - gram(s)) ** 2).sum() / (4 * n**2 * m**2)


# preset -> content layer, content loss, style layers, style loss of one layer (or of each by name), TV; with their weights.
GOLDEN: dict[str, tuple[Any, ...]] = {
    "patel2019": ("relu3_1", lambda f, p: 0.01 * half_squares(f, p), BLOCKS, keras_style, keras_tv),
    "gatys2015": ("relu4_2", lambda f, p: 1e-4 * half_squares(f, p), BLOCKS, gatys_style, None),
    "gatys2016": ("relu4_2", lambda f, p: 1e-3 * half_squares(f, p), BLOCKS, gatys_style, None),
    "keras2016": ("relu4_2", lambda f, p: 0.025 * ((f - p) ** 2).sum(), BLOCKS, keras_style, keras_tv),
    "keras2017": ("relu5_2", lambda f, p: 0.025 * ((f - p) ** 2).sum(), BLOCKS, keras_style, keras_tv),
    "keras-vgg19": ("relu4_2", lambda f, p: 0.025 * ((f - p) ** 2).sum(), BLOCKS, keras_style, None),
    "matconvnet-vgg19": (
        "relu4_2",
        lambda f, p: 10 * ((f - p) ** 2).sum() / (4 * f.size),
        BLOCKS,
        matconvnet_style,
        None,
    ),
    "vgg19-adam": ("relu4_2", mean_squares, BLOCKS, UDACITY, None),
    "johnson2016": (
        "relu2_2",
        mean_squares,
        JOHNSON,
        lambda f, s: 5 * mean_gram(f, s),
        lambda x: 1e-6 * johnson_tv(x),
    ),
    "neural-style": (
        "relu4_2",
        lambda f, p: 5 * mean_squares(f, p),
        BLOCKS,
        lambda f, s: 100 * mean_gram(f, s),
        lambda x: 1e-3 * johnson_tv(x),
    ),
}


def windows(values):
    return np.lib.stride_tricks.sliding_window_view(values, (3, 3), axis=(1, 2)).transpose(1, 2, 0, 3, 4)


def nearest_patches(f, s):
    """The squared differences between each patch and the one of the style with the largest cross-correlation."""
    own, others = (windows(values).reshape(-1, 9 * len(values)) for values in (f, s))
    unit, unit_others = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (own, others))
    return (own - others[(unit @ unit_others.T).argmax(1)]) ** 2


GOLDEN["li-wand2016"] = (
    "relu4_2",
    lambda f, p: 200 * mean_squares(f, p),
    ("relu3_1", "relu4_1"),
    lambda f, s: 1e-4 * nearest_patches(f, s).sum() / 9 / 2,
    lambda x: 1e-3 * johnson_tv(x),
)
GOLDEN["neural-doodle"] = (
    "relu4_2",
    lambda f, p: 400 * mean_squares(f, p),
    ("relu3_1", "relu4_1"),
    lambda f, s: 25 * nearest_patches(f, s).mean(),
    lambda x: keras_tv(x) / (3 * (SHAPE[1] - 1) * (SHAPE[2] - 1)),
)


def nine_point_tv(x):
    """Squared differences to the four straight neighbours, a third each, and the four diagonal ones, a twelfth each."""
    straight = ((x[:, :, 1:] - x[:, :, :-1]) ** 2).sum() + ((x[:, 1:] - x[:, :-1]) ** 2).sum()
    falling, rising = x[:, 1:, 1:] - x[:, :-1, :-1], x[:, 1:, :-1] - x[:, :-1, 1:]
    return 2 * (straight / 3 + ((falling**2).sum() + (rising**2).sum()) / 12) / x.size


def root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def normal(values):
    """Mean and covariance over the positions; 0.01 on the diagonal, as more channels than positions leave it singular."""
    rows = flat(values)
    return rows.mean(1), np.cov(rows, bias=True) + 0.01 * np.eye(len(rows))


def mean_wasserstein(f, s):
    (mean, covariance), (other_mean, other) = normal(f), normal(s)
    cross = root(root(other) @ covariance @ root(other))
    return (((mean - other_mean) ** 2).sum() + np.trace(covariance + other - 2 * cross)) / len(f)


def modern_style(weight):
    return lambda f, s: 100 * weight * mean_wasserstein(f, s)


MODERN = {
    tap: modern_style(weight) for tap, weight in zip(BLOCKS, (0.75, 0.19, 0.047, 0.012, 0.003), strict=True)
}
GOLDEN["modern"] = (
    "relu4_2",
    lambda f, p: 5 * mean_squares(f, p),
    BLOCKS,
    MODERN,
    lambda x: 70 * nine_point_tv(x) + 600 * ((x - x.clip(0, 255)) ** 2).mean(),
)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_presets_loss_is_its_sources_formula(name):
    recipe = preset(name)
    content_tap, content_loss, style_taps, style_loss, tv = GOLDEN[name]
    taps = {content_tap, *style_taps}
    network = Vgg(tiny_weights(recipe.network), taps, pooling=recipe.pooling, padding=recipe.padding)
    x, p, s = image(0), image(1), image(2)
    objective = Objective(network, torch.ones(3, 1, 1), [Reference(recipe, p, (Style(s),))])
    found = objective(x[None])[0][0].numpy()
    fx, fp, fs = ({k: v[0].double().numpy() for k, v in network(y[None]).items()} for y in (x, p, s))
    style = sum(
        style_loss(fx[tap], fs[tap]) if callable(style_loss) else style_loss[tap](fx[tap], fs[tap])
        for tap in style_taps
    )
    expected = [
        content_loss(fx[content_tap], fp[content_tap]),
        style,
        tv(x.double().numpy()) if tv else 0.0,
    ]
    # A root of what is nearly singular magnifies float32's rounding.
    np.testing.assert_allclose(found, expected, rtol=1e-3 if recipe.style_loss == "wasserstein" else 1e-5)


def test_every_preset_has_its_formula_here():
    # tests/generator/nst/kolkin/test_formulas.py has the formulas of Kolkin et al.
    theirs = {name for name, found in PRESETS.items() if found.recipe.method in KOLKIN}
    assert set(PRESETS) == {*GOLDEN, *theirs}


def test_moderns_terms_keep_their_balance_when_the_image_grows():
    """Of an image and the same repeated 2 x 2, borders aside."""
    recipe = preset("modern").replace(padding="zero")
    network = Vgg(tiny_weights(recipe.network), {"relu4_2", *BLOCKS}, pooling=recipe.pooling)
    small = [
        torch.randn(3, 160, 160, generator=torch.Generator().manual_seed(seed)) * 50 for seed in range(3)
    ]
    terms = []
    for times in (1, 2):
        x, p, s = (each.repeat(1, times, times) for each in small)
        objective = Objective(network, torch.ones(3, 1, 1), [Reference(recipe, p, (Style(s),))])
        terms.append(objective(x[None])[0][0].numpy())
    np.testing.assert_allclose(terms[1], terms[0], rtol=0.15)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_names_its_source_and_itself(name):
    assert PRESETS[name].source
    assert PRESETS[name].summary
    assert preset(name).preset == name


def test_patel2019_has_the_notebooks_settings():
    recipe = preset("patel2019")
    assert (recipe.evaluations, recipe.round_evaluations, recipe.memory) == (12 * 20, 20, 10)
    assert (recipe.size, recipe.init, recipe.noise_mean, recipe.noise_scale) == (300, "noise", -0.5, 127.5)
    assert recipe.legacy_mean_order


def test_keras_vgg19_has_the_readmes_settings():
    recipe = preset("keras-vgg19")
    assert (recipe.network, recipe.size, recipe.shape) == ("vgg19", 512, "square")
    assert (recipe.init, recipe.noise, recipe.tv_weight) == ("noise", "uniform", 0)


@pytest.mark.parametrize("name", ["gatys2015", "gatys2016"])
def test_gatys_gradient_is_zero_where_an_activation_is_below_zero(name):
    """Equations 2 and 6 of both papers."""
    contents, styles = preset(name).taps
    network = Vgg(tiny_weights("vgg19"), {"conv1_1", *contents, *styles}, pooling="average")
    features = network(image(0)[None])
    assert all(float(features[tap].min()) == 0 for tap in (*contents, *styles))
    assert float(features["conv1_1"].min()) < 0


# The hash of each earlier version's recipe, from the release that had it: part of the keys of its images.
EARLIER = {
    "patel2019-2026-11-21": "0dd939c278293d71dc3b7e7531e6de99a6ab71c5947858cee4812ef1ff81c3a0",
    "gatys2015-2026-11-21": "d0ed9a6558723ac8820ef19511cf2513c95dc17c19f4fceb0f2fe75bdfac9853",
    "gatys2016-2026-11-21": "324b40d5bb6d53bf56fa9d18f5ffc80adbd4d670b621e03066074904a61bac2d",
    "li-wand2016-2026-11-21": "488c51f0fb0e017efe3f5fa4f42d889eff7bd2c13d0fecc6e0e4afbf13c3e00e",
    "modern-2026-11-21": "cff1e020df96949225b7a3b2017f74a91e6e2a3ce835b0386f14ee477795f027",
    "neural-doodle-2026-11-21": "88c7847d5a9dbcc13e1b107b24cad5096ac980595a014e0ad5103f45be1e6b83",
}


def test_earlier_versions_of_presets_keep_their_hashes():
    assert {name: effective_sha256(preset(name)) for name in FORMER} == EARLIER


def test_an_earlier_version_differs_from_the_present_one_and_is_older():
    for name, former in FORMER.items():
        present = PRESETS[name.removesuffix(f"-{former.date}")]
        assert former.recipe != present.recipe
        assert former.date < present.date
