"""The training of test_feedforward_training in a process that kills itself between two checkpoints."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch

from generator.nst.feedforward.training import Report
from tests.generator.nst.feedforward.test_training import trained


def die(report: Report) -> None:
    if report.step == 10:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    torch.set_num_threads(1)
    trained(Path(sys.argv[1]), callback=die)
