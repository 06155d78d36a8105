"""The line search of Moré and Thuente for many one-dimensional functions at once.

J. J. Moré and D. J. Thuente, "Line search algorithms with guaranteed sufficient decrease", ACM TOMS 20 (1994), as
MINPACK-2's dcsrch and L-BFGS-B use it. Every value is a float64 tensor of N cells and every decision a `where`, so a
batch needs no word from the host and no cell waits for another's branch.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

# L-BFGS-B's own choices (Zhu, Byrd, Lu, Nocedal 1997, subroutine lnsrlb).
SUFFICIENT_DECREASE = 1e-3
CURVATURE = 0.9
INTERVAL = 0.1
LARGEST_STEP = 1e10
MAX_EVALUATIONS = 20


@dataclass
class Search:
    """Where each cell's search stands. Every field is a tensor of N cells; numbers are float64.

    Attributes:
        step: The step to try next.
        start_value: Loss at step 0.
        start_slope: Slope at step 0, negative.
        best_step: The best step so far: one end of the interval that holds the minimum.
        best_value: Loss there.
        best_slope: Slope there.
        other_step: The other end of the interval.
        other_value: Loss there.
        other_slope: Slope there.
        low: Least step that may be tried.
        high: Largest step that may be tried.
        width: Length of the interval.
        earlier_width: Its length one step before.
        bracketed: Whether the interval is known to hold a minimum.
        second_stage: Whether the search has left its first stage (section 3 of the paper).
        evaluations: Steps tried.
    """

    step: Tensor
    start_value: Tensor
    start_slope: Tensor
    best_step: Tensor
    best_value: Tensor
    best_slope: Tensor
    other_step: Tensor
    other_value: Tensor
    other_slope: Tensor
    low: Tensor
    high: Tensor
    width: Tensor
    earlier_width: Tensor
    bracketed: Tensor
    second_stage: Tensor
    evaluations: Tensor

    @classmethod
    def begin(cls, step: Tensor, value: Tensor, slope: Tensor) -> Search:
        """Start a search.

        Args:
            step: The first step to try, N, above 0.
            value: Loss at step 0, N.
            slope: Slope at step 0, N, negative.
        """
        zero, no = torch.zeros_like(step), torch.zeros_like(step, dtype=torch.bool)
        width = torch.full_like(step, LARGEST_STEP)
        ends = (zero, value, slope, zero, value, slope)
        return cls(step, value, slope, *ends, zero, 5 * step, width, 2 * width, no, no, zero)

    def where(self, mask: Tensor, other: Search) -> Search:
        """Return this state where `mask` (N) holds and the other's elsewhere."""
        return Search(
            *(torch.where(mask, getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        )

    def keep(self, index: Tensor) -> Search:
        """Return the state of some cells only."""
        return Search(*(getattr(self, f.name)[index] for f in fields(self)))


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
    limit = SUFFICIENT_DECREASE * state.start_slope
    enough = value <= state.start_value + state.step * limit
    second_stage = state.second_stage | (enough & (slope >= SUFFICIENT_DECREASE * state.start_slope))
    done = enough & (slope.abs() <= -CURVATURE * state.start_slope)
    done |= state.bracketed & ((state.step <= state.low) | (state.step >= state.high))
    done |= state.bracketed & (state.high - state.low <= INTERVAL * state.high)
    done |= (state.step >= LARGEST_STEP) & enough & (slope <= limit)

    # In the first stage the search runs on the function less its line of sufficient decrease.
    tilt = torch.where(~second_stage & (value <= state.best_value) & ~enough, limit, 0.0)
    moved = _interpolate(state, value, slope, tilt)
    return _narrowed(state, *moved, second_stage), done


_Ends = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


def _interpolate(state: Search, value: Tensor, slope: Tensor, tilt: Tensor) -> tuple[_Ends, Tensor, Tensor]:
    """Shrink the interval and choose a trial step (dcstep). Returns the new ends, the step and who is bracketed."""
    x, fx, dx = state.best_step, state.best_value - state.best_step * tilt, state.best_slope - tilt
    y, fy, dy = state.other_step, state.other_value - state.other_step * tilt, state.other_slope - tilt
    p, fp, dp = state.step, value - state.step * tilt, slope - tilt
    opposite = dp * dx.sign() < 0
    higher = fp > fx
    flatter = ~higher & ~opposite & (dp.abs() < dx.abs())
    steeper = ~higher & ~opposite & ~flatter

    step = torch.where(higher, _when_higher(x, fx, dx, p, fp, dp), _when_opposite(x, fx, dx, p, fp, dp))
    step = torch.where(flatter, _when_flatter(state, x, fx, dx, p, fp, dp), step)
    beyond = torch.where(p > x, state.high, state.low)
    step = torch.where(
        steeper, torch.where(state.bracketed, _cubic_between(y, fy, dy, p, fp, dp), beyond), step
    )

    # The trial replaces the worse end; where the slope changed sign, the old best becomes the other end.
    other = tuple(
        torch.where(higher, new, torch.where(opposite, best, old))
        for new, best, old in ((p, x, y), (fp, fx, fy), (dp, dx, dy))
    )
    best = tuple(torch.where(higher, old, new) for new, old in ((p, x), (fp, fx), (dp, dx)))
    (x, fx, dx), (y, fy, dy) = best, other
    ends = (x, fx + x * tilt, dx + tilt, y, fy + y * tilt, dy + tilt)
    return ends, step, state.bracketed | higher | opposite


def _cubic(a: Tensor, fa: Tensor, da: Tensor, b: Tensor, fb: Tensor, db: Tensor) -> tuple[Tensor, Tensor]:
    """Return theta and the discriminant's root of the cubic through two points with their slopes."""
    theta = 3 * (fa - fb) / (b - a) + da + db
    scale = torch.maximum(theta.abs(), torch.maximum(da.abs(), db.abs()))
    inside = (theta / scale).square() - (da / scale) * (db / scale)
    return theta, scale * inside.clamp(min=0).sqrt()


def _when_higher(x: Tensor, fx: Tensor, dx: Tensor, p: Tensor, fp: Tensor, dp: Tensor) -> Tensor:
    """The minimum lies between: the cubic's minimiser if nearer to x than the quadratic's, else their mean."""
    theta, root = _cubic(x, fx, dx, p, fp, dp)
    gamma = torch.where(p < x, -root, root)
    ratio = ((gamma - dx) + theta) / (((gamma - dx) + gamma) + dp)
    cubic = x + ratio * (p - x)
    quadratic = x + ((dx / ((fx - fp) / (p - x) + dx)) / 2) * (p - x)
    return torch.where((cubic - x).abs() < (quadratic - x).abs(), cubic, cubic + (quadratic - cubic) / 2)


def _when_opposite(x: Tensor, fx: Tensor, dx: Tensor, p: Tensor, fp: Tensor, dp: Tensor) -> Tensor:
    """The slope changed sign: of the cubic's and the secant's minimiser the one farther from p."""
    theta, root = _cubic(x, fx, dx, p, fp, dp)
    gamma = torch.where(p > x, -root, root)
    ratio = ((gamma - dp) + theta) / (((gamma - dp) + gamma) + dx)
    cubic = p + ratio * (x - p)
    secant = p + (dp / (dp - dx)) * (x - p)
    return torch.where((cubic - p).abs() > (secant - p).abs(), cubic, secant)


def _when_flatter(
    state: Search, x: Tensor, fx: Tensor, dx: Tensor, p: Tensor, fp: Tensor, dp: Tensor
) -> Tensor:
    """The slope shrinks: the cubic if it tends to infinity along the step or its minimum lies beyond p, else secant."""
    theta, root = _cubic(x, fx, dx, p, fp, dp)
    gamma = torch.where(p > x, -root, root)
    ratio = ((gamma - dp) + theta) / ((gamma + (dx - dp)) + gamma)
    beyond = torch.where(p > x, state.high, state.low)
    cubic = torch.where((ratio < 0) & (gamma != 0), p + ratio * (x - p), beyond)
    secant = p + (dp / (dp - dx)) * (x - p)
    nearer = torch.where((cubic - p).abs() < (secant - p).abs(), cubic, secant)
    farther = torch.where((cubic - p).abs() > (secant - p).abs(), cubic, secant)
    safeguard = p + 0.66 * (state.other_step - p)
    held = torch.where(p > x, torch.minimum(safeguard, nearer), torch.maximum(safeguard, nearer))
    return torch.where(state.bracketed, held, torch.minimum(torch.maximum(farther, state.low), state.high))


def _cubic_between(y: Tensor, fy: Tensor, dy: Tensor, p: Tensor, fp: Tensor, dp: Tensor) -> Tensor:
    """The slope does not shrink and the minimum is bracketed: the cubic between p and the other end."""
    theta, root = _cubic(p, fp, dp, y, fy, dy)
    gamma = torch.where(p > y, -root, root)
    ratio = ((gamma - dp) + theta) / (((gamma - dp) + gamma) + dy)
    return p + ratio * (y - p)


def _narrowed(state: Search, ends: _Ends, step: Tensor, bracketed: Tensor, second_stage: Tensor) -> Search:
    """Bisect where the interval shrinks too slowly, set the next bounds and keep the step within them."""
    best, other, old = ends[0], ends[3], state.step
    slow = bracketed & ((other - best).abs() >= 0.66 * state.earlier_width)
    step = torch.where(slow, best + 0.5 * (other - best), step)
    width = torch.where(bracketed, (other - best).abs(), state.width)
    earlier = torch.where(bracketed, state.width, state.earlier_width)
    low = torch.where(bracketed, torch.minimum(best, other), step + 1.1 * (step - best))
    high = torch.where(bracketed, torch.maximum(best, other), step + 4.0 * (step - best))
    step = step.clamp(0.0, LARGEST_STEP)
    tight = bracketed & ((step <= low) | (step >= high) | (high - low <= INTERVAL * high))
    step = torch.where(tight, best, step)
    # Values that are not finite leave no interpolation: halve the step.
    step = torch.where(step.isfinite(), step, old / 2)
    return Search(
        step,
        state.start_value,
        state.start_slope,
        *ends,
        low,
        high,
        width,
        earlier,
        bracketed,
        second_stage,
        state.evaluations + 1,
    )
