"""The patch (Markov random field) style loss: each 3 x 3 patch of activations is drawn to the style's most like patch.

Li and Wand 2016 (CVPR, equations 2 and 3); Champandard 2016 (arXiv 1603.01768) lets maps of what is where guide the
choice. Patches are taken at every position, without padding.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from generator.nst.recipes.sizes import PATCH_SIDE, PATCHES_AT_ONCE

# Likeness of the maps counts this many times that of the activations: doodle.py's --semantic-weight (b2fac92).
GUIDE_WEIGHT = 10.0
_GUIDE_ROWS = 3 * PATCH_SIDE * PATCH_SIDE


def target(features: Tensor, guide: Tensor | None = None) -> Tensor:
    """Return a style's patches as columns, those of its guide below.

    Args:
        features: Activations of the style, N x C x H x W, H and W 3 or more.
        guide: Semantic map, N x 3 x any size, 0 to 1; None guides nowhere.

    Returns:
        N x (9 C + 27) x patches, float32; patches = (H - 2)(W - 2).
    """
    return torch.cat([F.unfold(features.float(), PATCH_SIDE), _guide_patches(features, guide)], dim=1)


def distance(features: Tensor, wanted: Tensor, guide: Tensor | None = None) -> Tensor:
    """Return Σ |Ψ(F) − Ψ(S)|² over all patches, Ψ(S) being the most like of the style: Li and Wand 2016, equation 2.

    Likeness is the normalised cross-correlation (equation 3). The choice is not differentiated.

    Args:
        features: Activations of the images, N x C x H x W, H and W 3 or more.
        wanted: `target` of the style, of any size.
        guide: As for `target`, over the images to be made.

    Returns:
        The losses, N, float32, 0 or more.
    """
    own = F.unfold(features.float(), PATCH_SIDE)
    rows = own.shape[1]
    with torch.no_grad():
        ours = _directions(own, _guide_patches(features, guide))
        theirs = _directions(wanted[:, :rows], wanted[:, rows:])
        parts = torch.split(ours, PATCHES_AT_ONCE, dim=2)
        nearest = torch.cat([(part.transpose(1, 2) @ theirs).argmax(2) for part in parts], dim=1)
        chosen = wanted[:, :rows].gather(2, nearest[:, None].expand(-1, rows, -1))
    return (own - chosen).square().flatten(1).sum(1)


def stacked(targets: list[Tensor]) -> Tensor:
    """Return targets of one tap as one tensor; a smaller style repeats its last patch, which changes no choice.

    Args:
        targets: For each image (9 C + 27) x patches, of any number of patches.

    Returns:
        Images x (9 C + 27) x the largest number of patches.
    """
    widest = max(each.shape[-1] for each in targets)
    last = [each[:, -1:].expand(-1, widest - each.shape[-1]) for each in targets]
    return torch.stack([torch.cat(pair, dim=1) for pair in zip(targets, last, strict=True)])


def _guide_patches(features: Tensor, guide: Tensor | None) -> Tensor:
    height, width = features.shape[2:]
    if guide is None:
        return features.new_zeros(
            len(features),
            _GUIDE_ROWS,
            (height - PATCH_SIDE + 1) * (width - PATCH_SIDE + 1),
            dtype=torch.float32,
        )
    return F.unfold(F.adaptive_avg_pool2d(guide.float(), (height, width)), PATCH_SIDE)


def _directions(patches: Tensor, guides: Tensor) -> Tensor:
    """Return vectors whose products are cross-correlations of activations plus GUIDE_WEIGHT times those of guides."""
    return torch.cat([F.normalize(patches, dim=1), F.normalize(guides, dim=1) * GUIDE_WEIGHT**0.5], dim=1)
