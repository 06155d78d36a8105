from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

LOAD_EVERY_PAGE = """
import sys
import nstsite.wsgi
from django.urls import get_resolver
get_resolver().url_patterns
heavy = {"torch", "torchvision", "onnx"} & set(sys.modules)
sys.exit(f"imported: {heavy}" if heavy else 0)
"""


def test_the_web_process_never_imports_torch():
    answer = subprocess.run([sys.executable, "-c", LOAD_EVERY_PAGE], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
