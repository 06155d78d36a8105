"""Presets and shipped plans as a page shows them: a name, a line, a picture, and the weights that they need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from generator.nst.recipes.networks import ARCHITECTURE_NAMES, REGISTRY
from generator.nst.recipes.presets import DEFAULT, PRESETS
from generator.plans.document import document_of

#: Name of a preset, or of a shipped plan -> what it is called, and one line.
WORDS: Final[dict[str, tuple[str, str]]] = {
    "modern": ("Modern", "This program’s own: clean strokes without grain, at every size."),
    "patel2019": ("Patel 2019", "The thesis that this program repeats: strong style, square image."),
    "keras2016": ("Keras 2016", "Keras’s example: strong style, starts from noise, square image."),
    "johnson2016": ("Johnson 2016", "Clear strokes that keep outlines: the losses of the fast networks."),
    "gatys2016": ("Gatys 2016", "The CVPR paper: painterly, with some grain."),
    "gatys2015": ("Gatys 2015", "The first paper: painterly, with more grain."),
    "vgg19-adam": ("Udacity 2018", "Keeps most of the photograph; strokes like fur."),
    "matconvnet-vgg19": ("deeplearning.ai 2017", "The whole photograph, carved in strokes."),
    "keras2017": ("Keras 2017", "As Keras 2016, but starts from the photograph."),
    "keras-vgg19": (
        "Keras with VGG-19",
        "A Keras program on the larger network: no smoothing, square image.",
    ),
    "neural-style": ("neural-style", "Johnson’s program: style everywhere, little of the photograph."),
    "li-wand2016": ("Li and Wand 2016", "Copies small patches of the style image side by side."),
    "neural-doodle": ("Neural doodle", "Copies patches by likeness; works best with maps."),
    "nnst-quick": (
        "Quick NNST",
        "Clear forms in the style’s own strokes; about as quick as Modern.",
    ),
    "nnst": (
        "NNST 2022",
        "Made of the style’s own brush strokes, each where it fits best; slow without a GPU.",
    ),
    "strotss": (
        "STROTSS 2019",
        "Keeps the photograph’s forms in the style’s colours and textures; slow without a GPU.",
    ),
    "patel2019-exp1": ("Patel 2019, experiment 1", "Five layers by five ratios: 25 images for each pair."),
    "patel2019-exp2": ("Patel 2019, experiment 2", "Without and with smoothing: 2 images for each pair."),
    "patel2019-fig5-2": ("Patel 2019, figure 5.2", "What each layer keeps: 10 images for each pair."),
    "patel2019-exp3": ("Patel 2019, experiment 3", "Seven pairs of pictures, each with its own settings."),
}


@dataclass(frozen=True)
class Method:
    """One card. is_ready: whether its weights are here; None where other machines make the images."""

    name: str
    title: str
    line: str
    picture: str
    network: str
    is_ready: bool | None
    is_whole_plan: bool

    @property
    def weights(self) -> str:
        """What the weights are called, and whether they are here."""
        state = {True: ": installed", False: ": not installed", None: ""}[self.is_ready]
        return f"{architecture(self.network)}{state}"


def methods() -> list[Method]:
    """Return every preset and shipped plan, the default first, then those whose weights are here."""
    made = [_method(name) for name in WORDS]
    return sorted(made, key=lambda method: (method.name != DEFAULT, method.is_ready is False))


def architecture(network: str) -> str:
    """Return what people call the architecture of a network."""
    return ARCHITECTURE_NAMES[REGISTRY[network].architecture]


def megabytes(network: str) -> int:
    """Return the size of a network's file."""
    return REGISTRY[network].megabytes


def _method(name: str) -> Method:
    preset = name if name in PRESETS else document_of(f"preset = {name!r}", name).preset
    title, line = WORDS[name]
    network = PRESETS[preset].recipe.network
    return Method(
        name, title, line, f"survey/presets/{preset}.webp", network, is_ready(network), name not in PRESETS
    )


def is_ready(network: str) -> bool | None:
    """Say whether a network's weights are here, or in an installed package; None where workers elsewhere need them."""
    if settings.GENERATOR_EXECUTOR != "local":
        return None
    return not REGISTRY[network].url or Path(settings.WEIGHTS_DIR, f"{network}.safetensors").exists()
