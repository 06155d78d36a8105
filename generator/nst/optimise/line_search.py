"""The line search of Moré and Thuente for many one-dimensional functions at once.

J. J. Moré and D. J. Thuente, "Line search algorithms with guaranteed sufficient decrease", ACM TOMS 20 (1994), as
MINPACK-2's dcsrch and L-BFGS-B use it. Every value is a wide number
(`precision.wide`) of each of N cells and every decision a `where`, so a
batch needs no word from the host and no cell waits for another's branch. Values lie in one tensor, so that one
operation serves several formulas: for a GPU the number of operations is the cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from generator.nst.gpu.precision import wide

# L-BFGS-B's own choices (Zhu, Byrd, Lu, Nocedal 1997, subroutine lnsrlb).
SUFFICIENT_DECREASE = 1e-3
CURVATURE = 0.9
INTERVAL = 0.1
LARGEST_STEP = 1e10
MAX_EVALUATIONS = 20

# Rows of `Search.values`. Ends: step, value and slope of the best step so far (x) and of the interval's other end (y).
_STEP, _START_VALUE, _START_SLOPE, _ENDS, _LOW, _HIGH, _WIDTHS, _COUNT = 0, 1, 2, 3, 9, 10, 11, 13
_ROWS = 14


@dataclass
class Search:
    """Where each of N cells' search stands.

    Attributes:
        values: 14 x N, wide: the step to try next; loss and (negative) slope at step 0; steps, losses and slopes of the
            best step so far and of the other end of the interval that holds the minimum; least and largest step that
            may be tried; length of the interval, and one step before; steps tried.
        flags: 3 x N, bool: whether the interval is known to hold a minimum; whether the search has left its first stage
            (section 3 of the paper); whether the bounds are so near to each other that a bracketed search ends.
    """

    values: Tensor
    flags: Tensor

    @property
    def step(self) -> Tensor:
        """The step to try next, N."""
        return self.values[_STEP]

    @property
    def start_slope(self) -> Tensor:
        """The slope at step 0, N, negative."""
        return self.values[_START_SLOPE]

    @property
    def evaluations(self) -> Tensor:
        """Steps tried, N."""
        return self.values[_COUNT]

    @classmethod
    def nowhere(cls, cells: int, device: torch.device) -> Search:
        """Return room for a state."""
        return cls(
            torch.zeros(_ROWS, cells, dtype=wide(device), device=device),
            torch.zeros(3, cells, dtype=torch.bool, device=device),
        )

    def begin(self, mask: Tensor, advanced: Search, step: Tensor, value: Tensor, slope: Tensor) -> None:
        """Start a search in some cells; the others go on from an advanced state.

        Args:
            mask: Which cells start, N.
            advanced: The state of the others.
            step: The first step to try, N, above 0.
            value: Loss at step 0, N.
            slope: Slope at step 0, N, negative.
        """
        constants = _constants(step.device, step.dtype).expand(-1, len(step))
        zero, width, earlier_width = constants[:3]
        ends = (zero, zero, value, value, slope, slope)
        fresh = torch.stack([step, value, slope, *ends, zero, 5 * step, width, earlier_width, zero])
        torch.where(mask, fresh, advanced.values, out=self.values)
        torch.gt(advanced.flags, mask, out=self.flags)

    def keep(self, index: Tensor) -> Search:
        """Return the state of some cells only."""
        return Search(self.values[:, index], self.flags[:, index])


@cache
def _constants(device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return 0, the widths of an interval that is not known, and how far the next trial may go: a column."""
    column = [0.0, LARGEST_STEP, 2 * LARGEST_STEP, 1.1, 4.0]
    return torch.tensor(column, dtype=dtype, device=device)[:, None]


def advance(state: Search, value: Tensor, slope: Tensor) -> tuple[Search, Tensor]:
    """Take the value and slope at `state.step`.

    Args:
        state: Where the search stands.
        value: Loss there, N.
        slope: Slope there, N.

    Returns:
        The next state, and which cells are done with their step (N, bool): it meets the conditions of sufficient decrease
        and curvature, or the interval allows no better one.
    """
    step, start_value, start_slope = state.values[:_ENDS]
    bracketed, second_stage, narrow = state.flags
    low, high, best_value = state.values[_LOW], state.values[_HIGH], state.values[_ENDS + 2]
    limit = SUFFICIENT_DECREASE * start_slope
    line = start_value + step * limit
    left = torch.stack([value, slope.abs(), slope, step, high, limit, value])
    right = torch.stack([line, -CURVATURE * start_slope, limit, low, step, slope, best_value])
    enough, level, falling, below, above, rising, lower = left <= right
    settled = level | ((step >= LARGEST_STEP) & falling)
    done = (enough & settled) | (bracketed & (below | above | narrow))
    second_stage = second_stage | (enough & rising)
    # In the first stage the search runs on the function less its line of sufficient decrease.
    # Of two booleans a > b is a and not b.
    tilt = limit * (lower > (second_stage | enough))
    ends, trial, bracketed = _interpolate(state, value, slope, tilt)
    return _narrowed(state, ends, trial, bracketed, second_stage), done


# `_interpolate` lays the points x, p and y out so that slices are the two ends of four cubics: of x and p for a trial
# that is higher, for one with an opposite slope and for one that is flatter; of p and y for one that is steeper.
_HIGHER, _OPPOSITE, _FLATTER, _STEEPER = range(4)
_FIRST, _SECOND = slice(0, 4), slice(3, 7)
_FROM, _TO = slice(2, 6), slice(7, 11)


def _interpolate(state: Search, value: Tensor, slope: Tensor, tilt: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Shrink the interval and choose a trial step (dcstep). Returns the new ends, the step and who is bracketed.

    The ends are 3 x 2 x N: step, value and slope of the best step and of the other end.
    """
    x, y = state.values[_ENDS:_LOW].view(3, 2, -1).unbind(1)
    p = torch.stack([state.step, value, slope])
    points = torch.stack([x, x, x, p, p, p, y, p, x, x, y], dim=1)
    steps, values, slopes = points
    values -= steps * tilt
    slopes -= tilt
    was_bracketed = state.flags[0]
    higher = values[3] > values[0]
    opposite = slopes[3] * slopes[0].sign() < 0
    sizes = slopes[2:4].abs()
    flatter = sizes[1] < sizes[0]

    is_rising = steps[3] > steps[0]
    farthest = torch.where(is_rising, state.values[_HIGH], state.values[_LOW])
    moved = _candidates(points, farthest)
    away = (moved - steps[_FROM]).abs()
    farther = torch.where(away[0] > away[1], *moved)
    is_nearer = away[0] < away[1]
    nearer = torch.where(is_nearer, *moved)
    cubic, quadratic = moved[:, _HIGHER]
    # The minimum lies between: the cubic's minimiser if nearer to x than the quadratic's, else their mean.
    when_higher = torch.where(is_nearer[_HIGHER], cubic, cubic + (quadratic - cubic) / 2)
    when_flatter = _when_flatter(state, points, farther[_FLATTER], nearer[_FLATTER], is_rising)
    # The slope does not shrink: the cubic's minimiser within the interval, else as far as the step may go.
    when_steeper = torch.where(was_bracketed, moved[0, _STEEPER], farthest)
    step = torch.where(flatter, when_flatter, when_steeper)
    # The slope changed sign: of the cubic's and the secant's minimiser the one farther from p.
    step = torch.where(higher, when_higher, torch.where(opposite, farther[_OPPOSITE], step))

    # The trial replaces the worse end; where the slope changed sign, the old best becomes the other end.
    torch.where(opposite, points[:, 0], points[:, 6], out=points[:, 6])
    ends = torch.where(higher, points[:, 2:4], points[:, 5:7])
    ends[1].add_(ends[0] * tilt)
    ends[2].add_(tilt)
    return ends, step, was_bracketed | higher | opposite


def _candidates(points: Tensor, farthest: Tensor) -> Tensor:
    """Return 2 x 4 x N: for the four cases the minimiser of a cubic, and that of a parabola or secant."""
    steps, values, slopes = points
    spans = steps[_TO] - steps[_FROM]
    rises = values[_FROM] - values[_TO]
    theta = 3 * rises / spans + slopes[_FIRST] + slopes[_SECOND]
    terms = torch.stack([theta, slopes[_FIRST], slopes[_SECOND]])
    scale = torch.linalg.vector_norm(terms, torch.inf, dim=0)
    scaled = terms / scale
    root = scale * (scaled[0].square() - scaled[1] * scaled[2]).clamp(min=0).sqrt()
    gamma = torch.copysign(root, spans)
    near = gamma - slopes[_FROM]
    below = (near + gamma) + slopes[_TO]
    gaps = slopes[_FROM] - slopes[_TO]
    flat = (gamma[_FLATTER] + gaps[0]) + gamma[_FLATTER]
    parabola = rises[0] / spans[0] + slopes[0]
    above = torch.stack([near + theta, slopes[_FROM]])
    rows = (below[0], below[1], flat, below[3], parabola, gaps[1], gaps[1], gaps[1])
    ratios = above / torch.stack(rows).view_as(above)
    ratios[1, _HIGHER].div_(2)
    moved: Tensor = steps[_FROM] + ratios * spans
    # The cubic of a flatter trial serves if it tends to infinity along the step or its minimum lies beyond p.
    is_beyond = torch.logical_and(ratios[0, _FLATTER] < 0, gamma[_FLATTER])
    cubic = moved[0, _FLATTER]
    torch.where(is_beyond, cubic, farthest, out=cubic)
    return moved


def _when_flatter(
    state: Search, points: Tensor, farther: Tensor, nearer: Tensor, is_rising: Tensor
) -> Tensor:
    """The slope shrinks: within an interval not too near its other end, else as far as the step may go."""
    p, y = points[0, 3], points[0, 6]
    safeguard = p + 0.66 * (y - p)
    held = torch.where(is_rising, torch.minimum(safeguard, nearer), torch.maximum(safeguard, nearer))
    free = farther.clamp(state.values[_LOW], state.values[_HIGH])
    return torch.where(state.flags[0], held, free)


def _narrowed(state: Search, ends: Tensor, step: Tensor, bracketed: Tensor, second_stage: Tensor) -> Search:
    """Bisect where the interval shrinks too slowly, set the next bounds and keep the step within them."""
    best, other = ends[0]
    gap = other - best
    width = gap.abs()
    widths = state.values[_WIDTHS:_COUNT]
    slow = bracketed & (width >= 0.66 * widths[1])
    step = torch.where(slow, best + 0.5 * gap, step)
    beyond = step + _constants(step.device, step.dtype)[3:] * (step - best)
    bounds = torch.where(bracketed, torch.stack(torch.aminmax(ends[0], dim=0)), beyond)
    low, high = bounds
    step = step.clamp(0.0, LARGEST_STEP)
    narrow = high - low <= INTERVAL * high
    tight = bracketed & ((step <= low) | (step >= high) | narrow)
    step = torch.where(tight, best, step)
    # Values that are not finite leave no interpolation: halve the step. Bounded as it is, it can only be no number.
    step = torch.where(step == step, step, state.step / 2)
    widths = torch.where(bracketed, torch.stack([width, widths[0]]), widths)
    start = state.values[_START_VALUE:_ENDS]
    values = [step[None], start, ends.flatten(0, 1), bounds, widths, state.values[_COUNT:] + 1]
    return Search(torch.cat(values), torch.stack([bracketed, second_stage, narrow]))
