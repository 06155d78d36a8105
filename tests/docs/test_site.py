"""The documentation builds as a site without a warning, the API from docstrings included."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(build, cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_holds_nothing_that_python_left_behind(site: Path):
    assert not [path for path in site.rglob("*") if path.suffix in {".py", ".pyc"}]


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("nst", ("generator.nst.transfer", "generator.nst.transfer_batch", "generator.nst.Recipe")),
        ("analysis", ("survey.analysis.analyse", "survey.analysis.read_ratings", "survey.analysis.Analysis")),
    ],
)
def test_the_api_is_described_from_docstrings(site: Path, page: str, names: tuple[str, ...]):
    html = (site / "reference" / page / "index.html").read_text()
    for name in names:
        assert f'id="{name}"' in html


def test_no_page_loads_anything_from_another_host(site: Path):
    for page in site.rglob("*.html"):
        assert not re.search(
            r'<(?:script|img|link rel="stylesheet")[^>]*(?:src|href)="(?:https?:)?//', page.read_text()
        )
