"""The check of a GPU, rehearsed on a CPU: on a rented machine there is no time to find its faults."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gpu import __main__ as check
from benchmarks.gpu import fast, pack
from benchmarks.gpu.bench import flop, random_weights
from benchmarks.gpu.report import Report
from generator.nst.gpu import ways

WITHOUT_DJANGO = """
import sys
sys.modules["django"] = sys.modules["generator.models"] = sys.modules["numba"] = None
from benchmarks.gpu.__main__ import main
sys.exit(main(["--device", "cpu", "--tiny", "--out", "results", "--only", "machine,speed,counts"]))
"""


@pytest.mark.slow
def test_a_rehearsal_runs_every_section_and_none_fails(tmp_path, capsys):
    arguments = ["--device", "cpu", "--tiny", "--seconds", "6000", "--out", str(tmp_path)]
    assert check.main(arguments) == 0
    sections = json.loads((tmp_path / "results.json").read_text())["sections"]
    assert len(sections) == 14
    assert sections["gradients"]["gram, fp32"]["gradient"] < 1e-4
    assert sections["exact"]["lbfgs-b, fp32, exact=True"]["same bits"] is True
    assert sections["speed"]["32 px, 3 cells, 10 pairs"]["images/hour"] > 0
    assert sections["counts"]["1 cells"]["operations"] > 100
    steps = {name.partition(", ")[2] for name in sections["steps"] if ", " in name}
    for way in (ways.FUSED, ways.PASSING, ways.TUNED):
        assert {f"only: {way}", f"all but: {way}"} <= steps
    assert sections["steps"]["2 of 32 px, every way"]["gradient off"] < 1e-3
    assert sections["pieces"]["conv5_1, in one"]["ms"] > 0
    assert sections["training"]["1 of 32 px"]["ms a step"] > 0
    assert sections["speed"]["32 px, wasserstein, 3 cells"]["ms"] > 0
    text = (tmp_path / "results.md").read_text()
    assert text.count("\n## ") == 14 + len(("In short", "plan"))
    assert (
        text.index("its figures say nothing of any device")
        < text.index("## In short")
        < text.index("## plan")
    )
    assert "- Gradients beside the CPU's in float32: all 8 within their limit." in text
    assert "\n\n\n" not in text
    assert "FAILED" not in text
    assert "| pieces | 5 | 20 |" in text
    # The whole plan fits into six minutes, the start of the machine's Python included.
    assert "| all |  | 330 |" in text


@pytest.mark.slow
def test_what_travels_runs_without_django_and_numba(tmp_path):
    folder = tmp_path / "pack"
    assert pack.pack(folder, random_weights(width=4)) < pack.LIMIT
    environment = {**os.environ, "PYTHONPATH": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DJANGO], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "3 sections, 0 of them failed" in done.stdout


def test_what_is_too_large_to_travel_is_refused_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pack, "LIMIT", 1000)
    assert check.main(["--pack", str(tmp_path / "new"), "--weights", "random"]) == 2
    assert "more than the 0 that may travel" in capsys.readouterr().err
    assert check.main(["--pack", str(tmp_path)]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.slow
def test_a_section_that_fails_leaves_the_others_and_the_exit_code_says_so(tmp_path, monkeypatch):
    def broken(bench, report):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(fast, "ceilings", broken)
    arguments = ["--device", "cpu", "--tiny", "--out", str(tmp_path), "--only", "ceilings,machine"]
    assert check.main(arguments) == 1
    sections = json.loads((tmp_path / "results.json").read_text())["sections"]
    assert sections["ceilings"]["error"] == "RuntimeError: no such kernel"
    assert "torch" in sections["machine"]


def test_results_are_on_disk_after_each_section_and_none_begins_when_time_is_up(tmp_path: Path):
    report = Report(tmp_path, seconds=100)
    report.run("first", lambda report: {"found": 1}, least=1)
    assert json.loads((tmp_path / "results.json").read_text())["sections"]["first"]["found"] == 1
    report.started -= 99.5
    report.run("second", lambda report: pytest.fail("began"), least=1)
    assert report.sections["second"] == {"left_out": True}
    assert "Left out: 0 s were left." in (tmp_path / "results.md").read_text()


def test_a_section_whose_time_is_over_begins_no_further_part_and_says_why(tmp_path: Path):
    report = Report(tmp_path, seconds=100)

    def work(report: Report) -> dict:
        first = report.told(lambda: {"ms": 1.0})
        report.started -= 10
        return {"first": first, "second": report.told(lambda: pytest.fail("began"))}

    report.run("two parts", work, least=1, most=5)
    found = report.sections["two parts"]
    assert found["first"] == {"ms": 1.0}
    assert found["second"]["left_out"].startswith("left out: the section's time was over 5 s")


def test_a_machine_without_a_gpu_is_told_how_to_rehearse(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert check.main(["--out", str(tmp_path)]) == 2
    assert "--device cpu --tiny rehearses" in capsys.readouterr().err


def test_flop_are_those_of_the_other_benchmark():
    from benchmarks import generate_work

    weights = generate_work.random_weights("vgg16")
    assert flop(weights, 64) == generate_work.flops(weights, 64)


@pytest.mark.parametrize("device", ["cuda", "mps", "tpu"])
def test_a_device_that_is_not_there_is_refused_in_one_line(device, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    assert check.main(["--device", device]) == 2
    assert capsys.readouterr().err.startswith(f"--device {device}: PyTorch sees no such device")
