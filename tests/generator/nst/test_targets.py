from __future__ import annotations

import torch

from generator.nst import Style
from generator.nst.network import Vgg
from generator.nst.targets import Reference, Targets
from tests.generator.nst.optimise.small import SMALL, WEIGHTS
from tests.generator.nst.tiny import picture


def test_terms_add_up_in_the_networks_order_in_every_process():
    """Sets of names are ordered by the process's hash seed; an image made again elsewhere would differ by roundings."""
    recipe = SMALL.replace(style_layers=("conv5_1", "conv1_1", "conv3_1", "conv2_2", "conv4_2", "conv2_1"))
    network = Vgg(WEIGHTS["vgg16"], {tap for named in recipe.taps for tap in named})
    image = picture() * 255
    found = Targets(network, torch.ones(3, 1, 1), [Reference(recipe, image, (Style(image),))])
    assert list(found.style) == sorted(found.style, key=network.steps.index)
