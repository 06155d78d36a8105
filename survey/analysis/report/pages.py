"""Self-contained HTML pages from the templates of this folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jinja2


def page(name: str, filters: dict[str, Callable[..., Any]] | None = None, **context: Any) -> str:
    """Return a template filled in. Values are escaped; a name that the template needs and `context` lacks is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("survey.analysis", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(filters or {})
    return environment.get_template(name).render(**context)
