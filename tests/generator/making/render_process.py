"""A process that renders one image set, telling each step on its standard output: for tests that kill it.

python -m tests.generator.making.render_process SLUG COMMON_NETWORK
"""

from __future__ import annotations

import sys
from typing import Any

import django


def tell(step: Any) -> None:
    print(f"done {step.done} evaluation {step.evaluation}", flush=True)


def main(slug: str, network: str) -> None:
    """Render; print at the end how many cells this process made."""
    django.setup()
    import torch

    from generator.making import covariates, describe
    from generator.making.render import render
    from generator.models import ImageSet

    torch.set_num_threads(1)
    describe.COMMON_NETWORK, covariates.SIZE = network, 48
    print("made", render(ImageSet.objects.get(slug=slug), progress=tell).made, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
