"""Faster layers of a trained network for CPUs: the same sums in another order.

Made for a model in channels-last memory that is no longer trained.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generator.nst.cpu import winograd

# A position's three taps on an upsampled line, as taps on the line itself, left to right, for the left and the right
# copy: a tap that falls on the same pixel as its neighbour is added to it.
_COPIES = torch.tensor(
    [
        [[1, 0, 0], [0, 1, 1], [0, 0, 0]],
        [[0, 0, 0], [1, 1, 0], [0, 0, 1]],
    ],
    dtype=torch.float32,
)
# Rows and columns that a last layer makes at once. With 3 outputs a vector unit idles; with 24 it does not, for half as
# many products more. Measured at 9 x 9: 23 ms at 1 x 1, 13 at 2 x 2, 9 at 2 x 4, 11 at 4 x 4.
_ROWS, _COLUMNS = 2, 4


class Convolution3x3(nn.Module):
    """A 3 x 3 convolution of stride 1 padded by reflection, by Winograd's algorithm where that is faster.

    Upsampling repeats each pixel, so three taps fall on two. Convolution at the small size into 2 x 2 times the channels,
    which are then laid out as pixels, gives the same from a quarter of the positions (Shi et al. 2016, arXiv 1609.07009).
    Reflection of the large image is repetition of the small one's border.

    Args:
        plain: The trained convolution, K x C x 3 x 3, with a bias.
        upsample: 2 to repeat each pixel before the convolution, 1 not to.
    """

    def __init__(self, plain: nn.Conv2d, upsample: int) -> None:
        super().__init__()
        assert plain.bias is not None  # noqa: S101 -- narrows the type
        self.plain, self.upsample = plain, upsample
        self._weight, self._bias = plain.weight.detach(), plain.bias.detach()
        if upsample == 2:
            copies = _COPIES.to(self._weight.dtype)
            small = torch.einsum("pai,qbj,kcij->pqkcab", copies, copies, self._weight)
            self._weight, self._bias = small.flatten(0, 2), self._bias.repeat(4)
        self._winograd: winograd.Convolution | None = None

    @property
    def has_run(self) -> bool:
        """Return whether Winograd's algorithm was used."""
        return self._winograd is not None

    def forward(self, value: Tensor) -> Tensor:
        """Return N x K x (upsample H) x (upsample W), float32, for N x C x H x W."""
        if not winograd.is_faster(self._weight, *value.shape[2:]):
            return self.plain(upsampled(value, self.upsample))  # type: ignore[no-any-return]
        if self._winograd is None:
            self._winograd = winograd.Convolution(self._weight, self._bias, padding=0)
        if self.upsample == 1:
            return self._winograd(F.pad(value, (1, 1, 1, 1), mode="reflect"), relu=False)
        return _pixels(self._winograd(F.pad(value, (1, 1, 1, 1), mode="replicate"), relu=False), 2, 2)


class LastConvolution(nn.Module):
    """A convolution of stride 1 padded by reflection into few channels, some rows and columns at once.

    Args:
        plain: The trained convolution, K x C x h x w with h and w odd, with a bias.
    """

    def __init__(self, plain: nn.Conv2d) -> None:
        super().__init__()
        outputs, inputs, height, width = plain.weight.shape
        assert plain.bias is not None  # noqa: S101 -- narrows the type
        weight = plain.weight.new_zeros(
            _ROWS, _COLUMNS, outputs, inputs, height + _ROWS - 1, width + _COLUMNS - 1
        )
        for row in range(_ROWS):
            for column in range(_COLUMNS):
                weight[row, column, :, :, row : row + height, column : column + width] = plain.weight
        self.weight = nn.Buffer(weight.flatten(0, 2).contiguous(memory_format=torch.channels_last))
        self.bias = nn.Buffer(plain.bias.detach().repeat(_ROWS * _COLUMNS))
        self.around = height // 2

    def forward(self, value: Tensor) -> Tensor:
        """Return N x K x H x W for N x C x H x W."""
        height, width = value.shape[2:]
        padded = F.pad(value, (self.around,) * 4, mode="reflect")
        if height % _ROWS or width % _COLUMNS:
            padded = F.pad(padded, (0, -width % _COLUMNS, 0, -height % _ROWS))
        made = F.conv2d(padded, self.weight, self.bias, stride=(_ROWS, _COLUMNS))
        return _pixels(made, _ROWS, _COLUMNS)[..., :height, :width]


class Normalisation(nn.Module):
    """Instance normalisation: of groups of one channel, which PyTorch computes in channels-last memory as it lies."""

    def __init__(self, plain: nn.InstanceNorm2d) -> None:
        super().__init__()
        self.plain = plain

    def forward(self, value: Tensor) -> Tensor:
        """Return N x C x H x W, each channel of each image normalised."""
        plain = self.plain
        return F.group_norm(value, plain.num_features, plain.weight, plain.bias, plain.eps)


def upsampled(value: Tensor, times: int) -> Tensor:
    """Return images with each pixel repeated.

    Args:
        value: N x C x H x W.
        times: How often along each side, 1 or more.
    """
    return F.interpolate(value, scale_factor=times, mode="nearest") if times > 1 else value


def _pixels(value: Tensor, rows: int, columns: int) -> Tensor:
    """Lay channels (rows, columns, K) out as pixels: N x (rows columns K) x H x W -> N x K x (rows H) x (columns W)."""
    images, _, height, width = value.shape
    parts = value.permute(0, 2, 3, 1).reshape(images, height, width, rows, columns, -1)
    laid = parts.permute(0, 1, 3, 2, 4, 5).reshape(images, rows * height, columns * width, -1)
    return laid.permute(0, 3, 1, 2)
