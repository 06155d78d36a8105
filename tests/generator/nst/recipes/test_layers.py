from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.nst.network import Vgg
from generator.nst.recipes import layers
from generator.nst.recipes.errors import LayerError
from tests.generator.nst.tiny import picture, tiny_weights


def test_vgg16_and_vgg19_have_the_papers_convolutions():
    assert len(layers.convolutions("vgg16")) == 13
    assert len(layers.convolutions("vgg19")) == 16
    assert layers.names("vgg16")[:6] == ["conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1", "conv2_1"]


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("block4_conv2", "conv4_2"),
        ("block3_pool", "pool3"),
        ("r41", "relu4_1"),
        ("Conv3_1", "conv3_1"),
        ("conv3-1", "conv3_1"),
        ("relu_2_2", "relu2_2"),
    ],
)
def test_it_knows_the_names_of_other_programs(alias, name):
    assert layers.canonical(alias, "vgg16") == name


def test_a_misspelt_layer_is_answered_with_the_nearest():
    with pytest.raises(LayerError, match="vgg16 has no layer 'conv9_1' \\(did you mean 'conv"):
        layers.canonical("conv9_1", "vgg16")


def test_vgg16_lacks_the_fourth_convolution_that_vgg19_has():
    assert layers.canonical("conv4_4", "vgg19") == "conv4_4"
    with pytest.raises(LayerError, match="vgg16 has no layer 'conv4_4'"):
        layers.canonical("conv4_4", "vgg16")


def test_a_convolution_is_read_after_its_relu_unless_told_otherwise():
    assert layers.tap("conv3_1", "vgg16", "after") == "relu3_1"
    assert layers.tap("conv3_1", "vgg16", "before") == "conv3_1"
    assert layers.tap("relu3_1", "vgg16", "before") == "relu3_1"


@settings(max_examples=40)
@given(st.sampled_from(layers.names("vgg16")), st.integers(1, 40))
def test_the_smallest_side_is_the_least_that_the_network_takes(name, side):
    network = Vgg(tiny_weights(width=1), [name])
    if side >= layers.smallest_side(name):
        layers.check_reaches(name, side, 40)
        assert min(network(picture(side, 40)[None])[name].shape[2:]) >= 1
    else:
        with pytest.raises(LayerError, match=f"does not reach {name}"):
            layers.check_reaches(name, side, 40)
