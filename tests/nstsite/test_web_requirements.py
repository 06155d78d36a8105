"""requirements-web.txt is a subset of requirements.txt, and enough to serve, analyse and export."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

ROOT = Path(__file__).parents[2]
# What only the making of images needs.
MAKING = {"torch", "torchvision", "scikit-image", "numba", "safetensors", "onnx", "h5py", "av"}

BLOCK = """
import sys

BLOCKED = frozenset(sys.argv[1].split(","))

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}: requirements-web.txt lacks it", name=name)

sys.meta_path.insert(0, Block())
"""

SERVE = """
import os
from pathlib import Path
import django

os.environ["DJANGO_SETTINGS_MODULE"] = "nstsite.settings"
django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
import nstsite.wsgi

here = Path(sys.argv[2])
call_command("migrate", verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0)
for slug in ("pilot", "open"):
    call_command("create_study", slug, images=here / "images")
call_command("simulate", "pilot", participants=6, output=here / "simulated")
client = Client(headers={"host": "localhost"})
client.force_login(User.objects.create_superuser("ada", password="x"))
addresses = ["/", "/s/open/", "/sign-in/", "/studies/", "/sets/", "/plans/new/", "/pictures/", "/planning/", "/help/"]
pages = ["results/", "setup/", "live/", "participants/", "sharing/", "results/plots/mos.svg"]
for address in addresses + [f"/studies/pilot/{page}" for page in pages]:
    response = client.get(address, follow=True)
    assert response.status_code == 200, (address, response.status_code)
call_command("export_study", "pilot", format="all", output=here / "export")
call_command("analyse", here / "export" / "ratings.csv", output=here / "analysis")
assert (here / "analysis" / "report.html").exists()
heavy = {"torch", "torchvision"} & set(sys.modules)
assert not heavy, heavy
print("served")
"""


def lines(name: str) -> Iterator[str]:
    for line in (ROOT / name).read_text().splitlines():
        if line and not line.startswith("#"):
            yield line


def modules_beyond(name: str) -> set[str]:
    """Return the installed modules that `pip install -r NAME` would not bring."""
    brought: set[str] = set()
    waiting = [Requirement(line) for line in lines(name)]
    while waiting:
        requirement = waiting.pop()
        extras = {"", *requirement.extras}
        project = canonicalize_name(requirement.name)
        if project in brought and not requirement.extras:
            continue
        brought.add(project)
        for text in requires(project) or []:
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(needed)
    owners = packages_distributions()
    return {
        module
        for module, projects in owners.items()
        if not {canonicalize_name(project) for project in projects} & brought
    }


def test_every_line_is_a_line_of_requirements_txt():
    assert set(lines("requirements-web.txt")) <= set(lines("requirements.txt"))


def test_requirements_txt_adds_only_what_makes_images():
    added = set(lines("requirements.txt")) - set(lines("requirements-web.txt"))
    assert {Requirement(line).name for line in added} == MAKING


def run(program: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of a host that has only the packages of requirements-web.txt."""
    blocked = modules_beyond("requirements-web.txt")
    assert {"torch", "torchvision", "numba", "pytest", "procrastinate"} <= blocked
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", BLOCK + program, ",".join(sorted(blocked)), *arguments],
        cwd=ROOT,
        env=kept | {"DATA_DIR": str(folder / "data"), "STARTS_PER_MINUTE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_command_that_makes_images_says_in_one_line_what_is_missing(tmp_path: Path):
    program = 'sys.argv[:] = ["manage.py", *sys.argv[2:]]; import manage; manage.main()'
    done = run(program, "weights", "list", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "This command makes images, which needs torch, and it is not installed here: "
    )
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_the_site_serves_analyses_and_exports_with_nothing_else_installed(tmp_path: Path):
    (tmp_path / "images").mkdir()
    for index in range(4):
        Image.linear_gradient("L").rotate(90 * index).save(tmp_path / "images" / f"{index}.png")
    done = run(SERVE, str(tmp_path), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("served\n")
