"""A study's own wording of the participants' pages, in a language that does not ship."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from gettext import NullTranslations
from typing import Any

from django.utils import translation
from django.utils.translation import trans_real

from survey.study.wording import Wording, as_in, plain


class OwnWording(NullTranslations):
    """Translates by a study's own texts; what they leave out is said in English."""

    def __init__(self, code: str, texts: Mapping[str, str]) -> None:
        super().__init__()
        self._code, self._texts = code, texts
        # Django's own texts, such as the months, in this language where Django has it.
        self.add_fallback(trans_real.translation(code))

    def language(self) -> str:
        """Return the language's code, as Django's translations do."""
        return self._code

    to_language = language

    def gettext(self, message: str) -> str:
        """Return the study's text for one of the site's."""
        own = self._texts.get(plain(message))
        return super().gettext(message) if own is None else as_in(message, own)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return the study's text for one thing or for several: it has these two forms."""
        message = msgid1 if n == 1 else msgid2
        own = self._texts.get(plain(message))
        return super().ngettext(msgid1, msgid2, n) if own is None else as_in(message, own)


@contextmanager
def speaking(code: str, wording: Mapping[str, Wording]) -> Iterator[None]:
    """Speak a study's language until the end of the block."""
    with translation.override(code):
        if own := wording.get(code):
            active: Any = trans_real._active  # type: ignore[attr-defined]
            active.value = OwnWording(code, own.texts)
        yield
