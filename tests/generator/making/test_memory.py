from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_FAULTS = """
import resource
from generator.making.engine import keep_freed_memory
if {keep}:
    keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def work():
    bytearray(b"x") * 50_000_000
work()
before = faults()
for _ in range(5):
    work()
print(faults() - before)
"""


def faults(*, keep: bool) -> int:
    command = [sys.executable, "-c", _FAULTS.format(keep=keep)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc")
def test_freed_memory_is_kept_for_the_next_evaluation_and_not_faulted_in_anew():
    assert faults(keep=True) * 10 < faults(keep=False)
