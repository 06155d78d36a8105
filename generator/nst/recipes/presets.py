"""Named recipes, each with its source and date; a constant without a note of its own is from that source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from generator.nst.recipes.errors import RecipeError, did_you_mean
from generator.nst.recipes.recipe import Recipe

_BLOCKS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
# Layers that both methods of Kolkin et al. read; each has some more.
_KOLKIN_LAYERS = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3")
DEFAULT = "modern"
# The date of the first release: that of every preset that has not changed since.
_FIRST = "2026-11-21"


@dataclass(frozen=True)
class Preset:
    """A named recipe.

    Attributes:
        recipe: Its settings.
        source: The paper or program, with its date.
        summary: One line for lists and help.
        date: When this version of the preset was made, as YYYY-MM-DD.
    """

    recipe: Recipe
    source: str
    summary: str
    date: str = _FIRST


# nnst: section 3 and the program's defaults (styleTransfer.py): layers of the first four blocks, α 0.75, 4 sizes that
# double from 64 to 512 px, 200 updates of Adam at each, 200 more by feature splitting, at 0.002 of the range; colours
# as without --dont_colorize.
_NNST = Recipe(
    method="nnst",
    network="vgg16",
    style_layers=(*_KOLKIN_LAYERS, "conv4_1", "conv4_2", "conv4_3"),
    alpha=0.75,
    init="content",
    learning_rate=0.51,
    evaluations=200,
    pyramid_min=64,
    pyramid_step=2.0,
    size=512,
    colour="recoloured",
)

PRESETS: dict[str, Preset] = {
    "patel2019": Preset(
        # The published notebook: both images squashed to 300 x 300, content weight 0.1, style 1.0 over the five layers,
        # TV 1.0, noise U(0, 255) - 128, 12 calls of fmin_l_bfgs_b(maxfun=20), each with a fresh memory of scipy's
        # default of 10 pairs. It takes the means of BGR off an RGB image and reverses the channels afterwards, so red
        # and blue have each other's mean: legacy_mean_order. Layer and ratio here are those of its figure 6.3 D.
        Recipe(
            network="vgg16",
            content_layers=("conv3_1",),
            style_layers=_BLOCKS,
            convention="patel2019",
            alpha=0.01,
            beta=1.0,
            tv_weight=1.0,
            tv_form="keras",
            legacy_mean_order=True,
            noise_mean=-0.5,
            noise_scale=127.5,
            optimiser="lbfgs-b",
            evaluations=240,
            round_evaluations=20,
            memory=10,
            size=300,
            shape="square",
        ),
        source="Eisha Patel, Generating Stylistic Images Using Convolutional Neural Networks, Major Research Project,"
        " Ryerson University, 2019, and its published notebook",
        summary="Keras's VGG-16, one content layer, alpha/beta, total variation, noise start, squashed to a square",
        date="2026-11-27",
    ),
    "gatys2015": Preset(
        # arXiv 1508.06576, figure 2: content conv4_2, alpha/beta 1e-3 (B, C, D) or 1e-4 (E, F), weights 1/5; Methods:
        # average pooling, white noise. Equations 2 and 6 give the losses' gradients as 0 where an activation is below
        # 0: the layers are read after their ReLU. Its VGG-19 is normalised: give vgg_normalised.pth as network for
        # that. The paper names no number of evaluations; 500 is that of its authors' later notebook (leongatys, 2017).
        Recipe(
            network="vgg19",
            content_layers=("conv4_2",),
            style_layers=_BLOCKS,
            alpha=1e-4,
            pooling="average",
            optimiser="lbfgs-b",
            evaluations=500,
        ),
        source="Gatys, Ecker, Bethge, A Neural Algorithm of Artistic Style, arXiv 1508.06576, August 2015",
        summary="VGG-19, average pooling, noise start, L-BFGS",
        date="2026-11-27",
    ),
    "gatys2016": Preset(
        # Figure 3: alpha/beta 1e-3 (B), 8e-4 (C), 5e-3 (D), 5e-4 (E and F). Section 3: the style image is resized to
        # the content's size; L-BFGS. Evaluations as in gatys2015.
        Recipe(
            network="vgg19",
            content_layers=("conv4_2",),
            style_layers=_BLOCKS,
            alpha=1e-3,
            pooling="average",
            optimiser="lbfgs-b",
            evaluations=500,
            style_shape="content",
        ),
        source="Gatys, Ecker, Bethge, Image Style Transfer Using Convolutional Neural Networks, CVPR, June 2016",
        summary="as gatys2015, with the style image at the content's size",
        date="2026-11-27",
    ),
    "keras2016": Preset(
        # examples/neural_style_transfer.py after its mean was fixed (#4027) and before it kept the aspect ratio:
        # content_weight 0.025, style 1.0, TV 1.0, x = U(0, 255) - 128, 10 calls of fmin_l_bfgs_b(maxfun=20).
        Recipe(
            network="vgg16",
            content_layers=("conv4_2",),
            style_layers=_BLOCKS,
            convention="keras",
            alpha=0.025,
            tv_weight=1.0,
            tv_form="keras",
            noise_mean=-0.5,
            optimiser="lbfgs-b",
            evaluations=200,
            round_evaluations=20,
            shape="square",
        ),
        source="Keras, examples/neural_style_transfer.py, October 2016",
        summary="VGG-16, content conv4_2, noise start, total variation, squashed to a square",
    ),
    "keras2017": Preset(
        # Commit 53303fd: VGG-19, block5_conv2, start from the content image; the rest as in 2016.
        Recipe(
            network="vgg19",
            content_layers=("conv5_2",),
            style_layers=_BLOCKS,
            convention="keras",
            alpha=0.025,
            tv_weight=1.0,
            tv_form="keras",
            init="content",
            optimiser="lbfgs-b",
            evaluations=200,
            round_evaluations=20,
            style_shape="content",
        ),
        source="Keras, examples/neural_style_transfer.py, 7 June 2017 (53303fd)",
        summary="VGG-19, content conv5_2, content start, total variation",
    ),
    "keras-vgg19": Preset(
        # The README of StyleTransfer, a Keras program: VGG-19, both images as 1 x 512 x 512 x 3 less the mean, in BGR
        # order, from white noise; squared distances of a content layer and of Gram matrices; no total variation. It
        # names no layers and no numbers: the layers are those of the paper that it follows (arXiv 1508.06576), the
        # weights, the noise and the optimiser those of the Keras example of 2016.
        Recipe(
            network="vgg19",
            content_layers=("conv4_2",),
            style_layers=_BLOCKS,
            convention="keras",
            alpha=0.025,
            noise_mean=-0.5,
            optimiser="lbfgs-b",
            evaluations=200,
            round_evaluations=20,
            shape="square",
        ),
        source="StyleTransfer, a Keras program after CS231n (Stanford) and Gatys, Ecker, Bethge 2015; its README",
        summary="VGG-19, noise start, no total variation, squashed to a square of 512 px",
        date="2026-11-27",
    ),
    "matconvnet-vgg19": Preset(
        # Noise U(-20, 20) mixed 0.6 : 0.4 with the content, alpha 10, beta 40, five layers of 0.2, Adam at 2.0, 200
        # iterations, pictures of 400 x 300.
        Recipe(
            network="vgg19",
            content_layers=("conv4_2",),
            style_layers=_BLOCKS,
            style_weights=(0.2,) * 5,
            convention="matconvnet",
            alpha=10.0,
            beta=40.0,
            pooling="average",
            init="mix",
            noise_share=0.6,
            noise_scale=20.0,
            optimiser="adam",
            learning_rate=2.0,
            evaluations=200,
            size=400,
        ),
        source="deeplearning.ai, Art Generation with Neural Style Transfer (MatConvNet's imagenet-vgg-verydeep-19), 2017",
        summary="VGG-19 from a .mat file, average pooling, noise mixed with the content, Adam",
    ),
    "vgg19-adam": Preset(
        # Style_Transfer_Exercise.ipynb: content weight 1, style 1e6, layers 1, 0.75, 0.2, 0.2, 0.2; the style resized
        # to the content's shape, at most 400 px; Adam at 0.003 of a deviation, which is 0.17 grey levels, 2000 steps.
        Recipe(
            network="vgg19",
            content_layers=("conv4_2",),
            style_layers=_BLOCKS,
            style_weights=(1.0, 0.75, 0.2, 0.2, 0.2),
            convention="udacity",
            alpha=1.0,
            beta=1e6,
            init="content",
            optimiser="adam",
            learning_rate=0.17,
            evaluations=2000,
            size=400,
            style_shape="content",
        ),
        source="Udacity, deep-learning-v2-pytorch, style transfer exercise, 2018",
        summary="torchvision's VGG-19, content start, Adam",
    ),
    "johnson2016": Preset(
        # fast-neural-style's slow_neural_style.lua (813c834): weights 1 : 5, tv 1e-6, 500 iterations of L-BFGS without a
        # line search, random start; content at relu2_2 as the paper says (the program's default is relu3_3); 256 px as
        # in the paper's training.
        Recipe(
            network="vgg16",
            content_layers=("relu2_2",),
            style_layers=("relu1_2", "relu2_2", "relu3_3", "relu4_3"),
            style_weights=(1.0,) * 4,
            convention="neural-style",
            alpha=1.0,
            beta=5.0,
            tv_weight=1e-6,
            noise="normal",
            noise_scale=1.0,
            optimiser="lbfgs",
            memory=100,
            evaluations=500,
            size=256,
        ),
        source="Johnson, Alahi, Fei-Fei, Perceptual Losses for Real-Time Style Transfer, ECCV 2016; fast-neural-style",
        summary="the perceptual losses of the feed-forward network, minimised by optimisation",
    ),
    "neural-style": Preset(
        # neural_style.lua's defaults (07c4b82): weights 5 and 100, tv 1e-3, random start times 0.001, 1000 evaluations, nCorr 100.
        Recipe(
            network="vgg19",
            content_layers=("relu4_2",),
            style_layers=("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
            style_weights=(1.0,) * 5,
            convention="neural-style",
            alpha=5.0,
            beta=100.0,
            tv_weight=1e-3,
            noise="normal",
            noise_scale=0.001,
            optimiser="lbfgs",
            memory=100,
            evaluations=1000,
            size=512,
        ),
        source="J. Johnson, neural-style, 2015 to 2017 (07c4b82)",
        summary="VGG-19, relu layers, mean squares, L-BFGS without a line search",
    ),
    "li-wand2016": Preset(
        # cnnmrf.lua (fddcf4d): content 2e1, patches 1e-4 at relu3_1 and relu4_1, tv 1e-3, 384 px in 3 scales that halve,
        # 100 iterations each, content start, nCorrection 25; content at relu4_2 as run_trans.lua has it. The program
        # compares with every second patch of the style, this with every one. Its content weight, 2e1, is for Caffe's
        # VGG-19. On VGG-16 the content of the last level then counts 1/30 of the style and is lost; 2e2 holds it.
        Recipe(
            network="vgg19",
            content_layers=("relu4_2",),
            style_layers=("relu3_1", "relu4_1"),
            style_weights=(1.0, 1.0),
            style_loss="patches",
            convention="li-wand2016",
            alpha=200.0,
            beta=1e-4,
            tv_weight=1e-3,
            init="content",
            optimiser="lbfgs",
            memory=25,
            evaluations=100,
            pyramid_min=96,
            pyramid_step=2.0,
            size=384,
        ),
        source="Li and Wand, Combining Markov Random Fields and CNNs for Image Synthesis, CVPR 2016; CNNMRF",
        summary="VGG-19, each patch drawn to the style's most like patch, content start, coarse to fine",
        date="2026-11-27",
    ),
    "neural-doodle": Preset(
        # doodle.py (b2fac92): content at 4_2, style 25 at 3_1 and 4_1 (after their ReLU), smoothness 1, maps 10,
        # average pooling, noise U(16, 240), 3 phases that halve, each of 99 evaluations of L-BFGS-B with 5 pairs.
        # There pixels are held within 0..255 all along, here at the end. Its content weight is 10. At that, the content
        # counts 1/40 of the style on VGG-16, and without semantic maps the style image itself comes out; at 400 both
        # count alike. (A user of the program met the same; its author advised more content: alexjc/neural-doodle#79.)
        Recipe(
            network="vgg19",
            content_layers=("conv4_2",),
            style_layers=("conv3_1", "conv4_1"),
            style_weights=(1.0, 1.0),
            style_loss="patches",
            convention="neural-doodle",
            alpha=400.0,
            beta=25.0,
            tv_weight=1.0,
            tv_form="keras",
            pooling="average",
            noise_mean=13.2,
            noise_scale=112.0,
            optimiser="lbfgs-b",
            memory=5,
            evaluations=99,
            pyramid_min=128,
            pyramid_step=2.0,
        ),
        source="Champandard, Semantic Style Transfer and Turning Two-Bit Doodles into Fine Artworks, 2016; neural-doodle",
        summary="VGG-19, patches chosen by likeness and by semantic maps where a plan names them, noise start",
        date="2026-11-27",
    ),
    "strotss": Preset(
        # Section 2.1: colours and VGG-16's 13 layers but the 9th, 10th, 12th and 13th, after their ReLU. Section 2.5: 4
        # sizes that double from 64 px, α 16 that halves from size to size, 200 updates of RMSprop at each, at 0.002 of the
        # range (0.51 grey levels), half of it at the last.
        Recipe(
            method="strotss",
            network="vgg16",
            style_layers=(*_KOLKIN_LAYERS, "conv4_1", "conv5_1"),
            alpha=16.0,
            init="content",
            learning_rate=0.51,
            evaluations=200,
            pyramid_min=64,
            pyramid_step=2.0,
            size=512,
        ),
        source="Kolkin, Salavon, Shakhnarovich, Style Transfer by Relaxed Optimal Transport and Self-Similarity, CVPR 2019",
        summary="VGG-16, hypercolumns, relaxed earth mover's distance, content by self-similarity, coarse to fine",
        date="2026-11-27",
    ),
    "nnst": Preset(
        _NNST,
        source="Kolkin, Kučera, Paris, Sýkora, Shechtman, Shakhnarovich, Neural Neighbor Style Transfer, arXiv 2203.13215, 2022",
        summary="VGG-16, each feature replaced by the style's nearest one, coarse to fine, then recoloured",
        date="2026-11-27",
    ),
    "nnst-quick": Preset(
        # The method, layers, α and sizes are those of nnst. An eighth of its evaluations, their steps and the colours are
        # this project's (docs/explanation/default.md): steps of 1.8 grey levels let colours run away, and the content's
        # hues take the colours out of a stained glass.
        _NNST.replace(evaluations=25, learning_rate=0.6, colour="matched"),
        source="Kolkin et al., Neural Neighbor Style Transfer, arXiv 2203.13215, 2022; evaluations, steps and colours are"
        " this project's",
        summary="nnst in an eighth of its evaluations, its own colours matched to the style's",
        date="2026-11-27",
    ),
    "modern": Preset(
        # Chosen by experiments, docs/explanation/default.md. Every term is a mean, so content, style and smoothness keep
        # their balance at every size and level. The style loss and its weights, 256 : 64 : 16 : 4 : 1, are those of
        # crowsonkb/style-transfer-pytorch (2021).
        Recipe(
            network="vgg16",
            content_layers=("conv4_2",),
            style_layers=_BLOCKS,
            style_weights=(0.75, 0.19, 0.047, 0.012, 0.003),
            style_loss="wasserstein",
            convention="style-transfer-pytorch",
            alpha=5.0,
            beta=100.0,
            tv_weight=70.0,
            tv_form="nine-point",
            range_weight=600.0,
            padding="replicate",
            init="content",
            optimiser="lbfgs-b",
            evaluations=60,
            first_evaluations=100,
            pyramid_min=128,
            size=512,
        ),
        source="this project, with the style loss of crowsonkb/style-transfer-pytorch (2021)",
        summary="Wasserstein distances, coarse to fine in steps of √2, replicate padding",
        date="2026-11-27",
    ),
}


def _former(name: str, **settings: Any) -> Preset:
    """Return an earlier version of a preset: what the present one changed is set back."""
    found = PRESETS[name]
    return replace(found, recipe=found.recipe.replace(**settings), date=_FIRST)


# Earlier versions by name and date, so that images of earlier releases are found and can be continued. They are in no
# list of presets.
FORMER: dict[str, Preset] = {
    f"patel2019-{_FIRST}": _former("patel2019", legacy_mean_order=False),
    f"gatys2015-{_FIRST}": _former("gatys2015", activation="before"),
    f"gatys2016-{_FIRST}": _former("gatys2016", activation="before"),
    f"li-wand2016-{_FIRST}": _former("li-wand2016", alpha=20.0),
    f"neural-doodle-{_FIRST}": _former("neural-doodle", alpha=10.0),
    f"modern-{_FIRST}": _former(
        "modern",
        style_loss="gram",
        style_weights=(),
        convention="neural-style",
        alpha=10.0,
        tv_weight=8.0,
        range_weight=0.0,
    ),
}


def described(name: str) -> Preset | None:
    """Return a preset with its source, or an earlier version of one by its dated name; None where there is none."""
    return PRESETS.get(name) or FORMER.get(name)


def preset(name: str) -> Recipe:
    """Return the recipe of a preset, or of an earlier version of one by its dated name.

    Raises:
        RecipeError: There is no such preset; the message suggests the nearest name.
    """
    found = described(name)
    if found is None:
        raise RecipeError(f"unknown preset {did_you_mean(name, [*PRESETS, *FORMER])}")
    return found.recipe.replace(preset=name)
