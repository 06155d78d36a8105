"""The library's errors: each message is one line that names the place and the mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NstError(ValueError):
    """Bad input to the library."""


class RecipeError(NstError):
    """A recipe, or a preset's name, that cannot be used."""


class LayerError(NstError):
    """A layer that the network lacks, or that an image is too small for."""


class WeightsError(NstError):
    """Weights that are missing, damaged or of an unknown layout."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "'wrod' (did you mean 'word'?)", or with the whole list where nothing is near."""
    options = [str(option) for option in known]
    near = difflib.get_close_matches(str(word), options, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(options)}"
    return f"{word!r} ({hint})"
