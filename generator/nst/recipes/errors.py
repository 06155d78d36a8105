"""The library's errors: each message is one line that gives the location and the fix."""

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


def did_you_mean(word: object, known: Iterable[object]) -> str:
    """Return the word in quotes with the nearest of `known`, or up to 20 of them where none is near."""
    options = [str(option) for option in known]
    near = difflib.get_close_matches(str(word), options, n=1)
    more = ", ..." if len(options) > 20 else ""
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(options[:20])}{more}"
    return f"{str(word)!r} ({hint})" if options else repr(str(word))
