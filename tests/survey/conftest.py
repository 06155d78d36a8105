"""What tests of studies, their pages and their exports share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.survey.exports.studies import without_rendering


@pytest.fixture
def unrendered() -> Iterator[None]:
    """Plots are composed, but their files are empty pictures."""
    with without_rendering():
        yield
