"""An evaluation whose losses are taken in passing: one way through the network, and back with all gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from generator.nst import losses
from generator.nst.gpu.taps import Pull, passing
from generator.nst.network import Vgg

# Terms of an image itself, with its gradient: N, wide (`precision.wide`), and N x 3 x H x W. None: there are none.
Pixels = Callable[[Tensor, Tensor], Tensor | None]


@dataclass(frozen=True)
class Tap:
    """A layer's pull and the factors of its losses for each of N cells.

    Attributes:
        pull: What draws the layer.
        style: Factors of the style loss, N, wide; None where there is none.
        content: Factors of the content loss, N, wide, 0 for cells without one; None where no cell has one.
    """

    pull: Pull
    style: Tensor | None
    content: Tensor | None


class InPassing:
    """Terms and gradient of a chunk of N cells.

    Args:
        network: The network.
        taps: Layers that draw, by name.
        pixels: Terms of the images themselves. It adds their gradient to the one it is given.
    """

    def __init__(self, network: Vgg, taps: Mapping[str, Tap], pixels: Pixels) -> None:
        self._network, self._pixels = network, pixels
        self._taps = {step: taps[step] for step in network.steps if step in taps}
        self._last = list(self._taps)[-1]
        ordered = list(self._taps.values())
        losses_of_style = [tap.pull.style for tap in ordered if tap.pull.style is not None]
        styles = [
            tap.style * tap.pull.style.share
            for tap in ordered
            if tap.style is not None and tap.pull.style is not None
        ]
        contents = [tap.content * 0.5 for tap in ordered if tap.content is not None]
        self._styles, self._contents = len(styles), len(contents)
        # From here on values are roots: content losses always are.
        self._roots = 0 if all(loss.is_root for loss in losses_of_style) else len(styles)
        self._factors = torch.stack([*styles, *contents])

    def __call__(self, images: Tensor, scaled: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Return the terms (N x 3 of `coefficients.TERMS`, wide) and their sum's gradient (N x 3 x H x W, contiguous).

        Args:
            images: N x 3 x H x W, which must require its gradient.
            scaled: What the network reads of images.
        """
        styles: list[Tensor] = []
        contents: list[Tensor] = []
        last: list[tuple[Tensor, Tensor]] = []

        def visit(step: str, features: Tensor) -> Tensor:
            if (tap := self._taps.get(step)) is None:
                return features
            with torch.no_grad():
                slopes = self._look(tap, features, styles, contents)
                if step == self._last:
                    last.append((features, tap.pull.added(None, features, *slopes)))
                    return features
            return passing(features, *slopes, tap.pull)

        self._network.visited(scaled(images), visit)
        ((features, pull),) = last
        (gradient,) = torch.autograd.grad(features, images, pull)
        gradient = gradient.contiguous()
        return self._terms(images, styles, contents, gradient), gradient

    def _look(
        self, tap: Tap, features: Tensor, styles: list[Tensor], contents: list[Tensor]
    ) -> tuple[Tensor | None, Tensor | None]:
        """Note the values of a layer's losses, and return what its style loss's gradient is made of."""
        pull = tap.pull
        weights = row = None
        if pull.style is not None:
            value, weights, row = pull.style.look(features)
            styles.append(value)
        if (away := pull.away(features)) is not None:
            norms = torch.linalg.vector_norm(away, dim=(1, 2, 3))
            others = pull.start, len(features) - pull.end
            contents.append(F.pad(norms, others) if any(others) else norms)
        return weights, row

    @torch.no_grad()
    def _terms(
        self, images: Tensor, styles: list[Tensor], contents: list[Tensor], gradient: Tensor
    ) -> Tensor:
        values = torch.stack([*styles, *contents])
        values[self._roots :].square_()
        values = values * self._factors
        zero = self._factors.new_zeros(len(images)) if not (styles and contents) else values[0]
        pixels = self._pixels(images, gradient)
        columns = (
            _sum(values[self._styles :]) if contents else zero,
            _sum(values[: self._styles]) if styles else zero,
            torch.zeros_like(zero) if pixels is None else pixels,
        )
        return torch.stack(columns, dim=1)


class Variation:
    """Total variation Σ (dx² + dy²)^exponent with its gradient written out: `losses.total_variation`.

    Args:
        exponent: As `losses.exponent` returns it.
        factors: Factor of each of N images, wide.
    """

    def __init__(self, exponent: float, factors: Tensor) -> None:
        self._power, self._factors = 2 * exponent, factors
        self._weights = (factors * self._power).float()[:, None, None, None]

    def __call__(self, images: Tensor, gradient: Tensor) -> Tensor:
        """Return the term of each image (N, wide), and add its gradient (N x 3 x H x W) in place."""
        corner, right, down = _corners(images)
        dx, dy = right - corner, down - corner
        length = torch.hypot(dx, dy)
        if self._power < 2:
            length = torch.hypot(length, length.new_full((), losses.MIN_VARIATION**0.5))
        weights = length.pow(self._power - 2) * self._weights
        corner, right, down = _corners(gradient)
        right.addcmul_(weights, dx)
        down.addcmul_(weights, dy)
        corner.addcmul_(weights, dx + dy, value=-1)
        norm = torch.linalg.vector_norm(length, self._power, dim=(1, 2, 3))
        term: Tensor = norm.pow(self._power) * self._factors
        return term


def _corners(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the pixels that have a right and a lower neighbour, and these neighbours."""
    return images[..., :-1, :-1], images[..., :-1, 1:], images[..., 1:, :-1]


def _sum(rows: Tensor) -> Tensor:
    return rows[0] if len(rows) == 1 else rows.sum(0)
