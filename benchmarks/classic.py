"""The loop of most style-transfer programs, as the baseline of benchmarks/generate.py.

One image, float32, torch.optim.LBFGS with a closure, a loss module after each tapped layer, `.item()` at each step.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generator.nst.recipes.layers import names
from generator.nst.weights.registry import Weights

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_WEIGHT, STYLE_WEIGHT, TV_WEIGHT = 5.0, 100.0, 1e-3


def _network(weights: Weights, device: torch.device) -> nn.ModuleDict:
    layers = nn.ModuleDict()
    for name in names(weights.architecture):
        if name.startswith("conv"):
            weight = weights.tensors[f"{name}.weight"]
            layer = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
            layer.weight.data, layer.bias.data = weight.clone(), weights.tensors[f"{name}.bias"].clone()
            layers[name] = layer
        else:
            layers[name] = nn.ReLU(inplace=True) if name.startswith("relu") else nn.MaxPool2d(2)
        if name == STYLE_LAYERS[-1]:
            break
    return layers.to(device).requires_grad_(False)


def _features(layers: nn.ModuleDict, image: Tensor) -> dict[str, Tensor]:
    found, value = {}, image
    for name, layer in layers.items():
        value = layer(value)
        if name == CONTENT_LAYER or name in STYLE_LAYERS:
            found[name] = value
    return found


def _gram(value: Tensor) -> Tensor:
    flat = value.flatten(2)[0]
    return flat @ flat.t() / value.numel()


def minimise(
    content: Tensor,
    style: Tensor,
    weights: Weights,
    device: torch.device,
    evaluations: int,
    tick: Callable[[], None],
) -> float:
    """Run the loop from the content image; `tick` after each evaluation. content, style: 3 x H x W, 0..1. Returns the last loss."""
    layers = _network(weights, device)
    mean = torch.tensor(weights.preprocessing.mean)[:, None, None]
    content, style = ((picture * 255 - mean)[None].to(device) for picture in (content, style))
    target = _features(layers, content)[CONTENT_LAYER]
    grams = {name: _gram(value) for name, value in _features(layers, style).items() if name in STYLE_LAYERS}
    image = nn.Parameter(content.clone())
    optimiser = torch.optim.LBFGS([image], max_iter=evaluations, tolerance_change=-1, tolerance_grad=-1)
    last = [0.0]

    def closure() -> Tensor:
        optimiser.zero_grad()
        found = _features(layers, image)
        loss = CONTENT_WEIGHT * F.mse_loss(found[CONTENT_LAYER], target)
        for name, gram in grams.items():
            loss = loss + STYLE_WEIGHT * F.mse_loss(_gram(found[name]), gram)
        across, down = image[..., 1:] - image[..., :-1], image[..., 1:, :] - image[..., :-1, :]
        loss = loss + TV_WEIGHT * (across.abs().sum() + down.abs().sum())
        loss.backward()
        last[0] = loss.item()
        tick()
        return loss

    optimiser.step(closure)
    return last[0]
