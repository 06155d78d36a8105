from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

START_A_WORKER = """
import gc, json, sys
import nstsite.wsgi
from django.template import engines
(loader,) = engines["django"].engine.template_loaders
templates = list(map(str, loader.get_template_cache))
print(json.dumps({"modules": list(sys.modules), "templates": templates, "frozen": gc.get_freeze_count()}))
"""

CHECK_A_PLAN = """
import sys
from generator.nst import PRESETS, Recipe, preset
from generator.plans.plan import check_settings
heavy = {"torch", "numpy"} & set(sys.modules)
sys.exit(f"imported: {heavy}" if heavy else 0)
"""

START_A_COMMAND = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "nstsite.settings"
import django
django.setup()
heavy = {"torch", "scipy", "pandas", "matplotlib"} & set(sys.modules)
sys.exit(f"imported: {heavy}" if heavy else 0)
"""

PREPARE_AN_EXPORT = """
import gc, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "nstsite.settings"
from nstsite.command_line import CommandLine
line = CommandLine(["manage.py", "export_study"])
import django
django.setup()
line.fetch_command("export_study")
if "scipy.stats" in sys.modules:
    sys.exit("imported: scipy.stats, which takes half a second")
sys.exit(0 if gc.isenabled() and gc.get_freeze_count() > 100_000 else "the collector looks through all imports")
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def worker() -> dict[str, Any]:
    """What a web worker has loaded when it has started."""
    answer = run(START_A_WORKER)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.mark.slow
def test_the_web_process_never_imports_torch(worker):
    assert {"torch", "torchvision", "onnx"} & {*worker["modules"]} == set()


@pytest.mark.slow
def test_a_worker_has_loaded_what_its_first_request_needs(worker):
    views = {"survey.session.pages.trials", "survey.desk.pages.results.results", "scipy.stats", "pandas"}
    assert views - {*worker["modules"]} == set()
    templates = {"survey/welcome.html", "survey/rate.html", "survey/base.html"}
    assert templates - {*worker["templates"]} == set()
    assert worker["frozen"] > 100_000, "the collector looks through all that was loaded"


def test_recipes_and_plans_are_checked_without_torch():
    answer = run(CHECK_A_PLAN)
    assert answer.returncode == 0, answer.stderr


def test_a_command_starts_without_the_libraries_of_the_analysis():
    answer = run(START_A_COMMAND)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.slow
def test_an_export_waits_for_no_library_it_may_not_need():
    answer = run(PREPARE_AN_EXPORT)
    assert answer.returncode == 0, answer.stderr
