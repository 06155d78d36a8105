"""The figures of people who start at once: work of a server's children counts, and so does that of those that ended."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.rush import Step, worked

BUSY = "import time\nwhile time.process_time() < 0.3: pass\n"


def test_the_work_of_a_process_holds_that_of_its_children():
    before = worked([os.getpid()])
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert worked([os.getpid()]) - before >= 0.2


def test_a_process_that_is_gone_has_worked_nothing():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert worked([child.pid]) == 0


def test_the_last_person_and_the_work_for_each_are_reported():
    step = Step(seconds=[0.5] * 19 + [3.0], errors=["AssertionError: start: 503"], processor=0.4, own=0.02)
    report = step.report(cores=2)
    assert (report["people"], report["errors"], report["last_s"], report["p95_s"]) == (20, 1, 3.0, 0.5)
    assert (report["server_ms_each"], report["bots_ms_each"]) == (20.0, 1.0)
    assert report["server_work_on_all_cores_s"] == 0.2
