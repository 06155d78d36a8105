"""MkDocs hook: the site's navigation is the list of pages in docs/index.md, as in the product's help."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Set the navigation."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from survey.desk.documents import contents

    pages = [{kind: [{title: f"{name}.md"} for title, name in listed]} for kind, listed in contents()]
    config.nav = [{"Start": "index.md"}, *pages]
    return config
