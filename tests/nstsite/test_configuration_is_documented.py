from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)


def test_docs_list_exactly_the_variables_that_settings_read():
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "nstsite/settings.py").read_text()))
    listed = set(
        re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/reference/configuration.md").read_text(), re.M)
    )
    assert listed == read
