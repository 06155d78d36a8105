"""Languages that ship with no wording here: a study brings its own texts for the participants' pages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import lru_cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Annotated, Final

from django.conf.locale import LANG_INFO
from pydantic import Field, field_validator, model_validator

from survey.study.parts import Line, Part
from survey.study.scales import LANGUAGES
from survey.study.trap import WORDS

#: What the attention picture says is a page text too.
TRAP_THANKS, TRAP_REQUEST = WORDS["en"]
RIGHT_TO_LEFT: Final = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "ks", "nqo", "ps", "sd", "ug", "ur", "yi"}
)
_SHIPPED: Final = {"en": "English", "fr": "Français", "de": "Deutsch", "es": "Español"}
_CATALOGUE: Final = Path(__file__).parents[1] / "locale" / "de" / "LC_MESSAGES" / "django.mo"
_NAMED: Final = re.compile(r"%\((\w+)\)s")
_BRACED: Final = re.compile(r"\{(\w+)\}")
#: Texts of the researchers' pages, and of those that belong to no study: a study's languages never meet them.
_ELSEWHERE: Final = frozenset(
    {
        "Not allowed",
        "You cannot see this page",
        "It belongs to somebody else, or you need to sign in first.",
        "Not found",
        "There is nothing here",
        "Please compare the address with the link that you were given.",
        "Image ratings",
        "On this site, people say how good images look. To take part, open the link that you received. It leads to your study.",
        "Researchers sign in",
        "Sign in",
        "For researchers. To take part in a study, open the link that you received. You do not need an account.",
        "This name and password do not match. Both are case-sensitive.",
        "User name",
        "Password",
        "Please wait",
        "An administrator can unlock the account sooner.",
        "Too many wrong passwords came from here for this account. Try again in {minutes} minute.",
        "Too many wrong passwords came from here for this account. Try again in {minutes} minutes.",
    }
)


#: How earlier versions of a page said it: studies whose languages have the earlier text keep their wording.
_FORMER: Final = {"Saved {n} of {of}": "Answers so far: {of}, saved: {n}"}


class Wording(Part):
    """One language's own texts: `name` is how the language calls itself, `texts` are by the English ones."""

    name: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    texts: dict[str, Line] = {}

    @field_validator("texts")
    @classmethod
    def _is_called_as_today(cls, texts: dict[str, str]) -> dict[str, str]:
        return {_FORMER.get(text, text): own for text, own in texts.items()}

    @model_validator(mode="after")
    def _translates_what_is_there(self) -> Wording:
        known = page_texts()
        for text, own in self.texts.items():
            if text not in known:
                close = difflib.get_close_matches(text, known, n=1, cutoff=0.5)
                raise ValueError(
                    f"texts: no page says {text!r}" + (f"; {close[0]!r} is one" if close else "")
                )
            if places := unlike(text, own):
                raise ValueError(f"texts.{text!r}: must have {places}, as the English text has")
        return self

    @property
    def missing(self) -> list[str]:
        """The texts that it leaves out: people see them in English."""
        return [text for text in page_texts() if text not in self.texts]


#: What everybody reads, from the first page to the last, in that order; the other texts depend on the study.
EVERYBODY: Final = (
    "You will see images, one at a time, and say how good each one looks to you. There are no right or wrong answers.",
    "What you will do",
    "Look at each image as a whole, then choose the answer that fits your impression best. Please use a screen that you "
    "see well.",
    "It takes about {minutes} minute.",
    "It takes about {minutes} minutes.",
    "Every answer is saved immediately. You can close this page and come back on this device. You continue where you "
    "stopped.",
    "Taking part is voluntary. You can stop at any time, without a reason and without any disadvantage.",
    "What is stored",
    "Your answers, their times, and the size of the images on your screen.",
    "How you saw each image: the size of your window, the sharpness of your screen, whether the image was enlarged or "
    "zoomed, and how long it took to load.",
    "How you answered: in which language, by mouse, touch or keys, and whether you changed your answer.",
    "No name, no account, no network address and no fingerprint of your device. One cookie lets you come back. It has no "
    "other use.",
    "You get a code with which you can delete your answers later.",
    "Who is responsible",
    "I have read this and I agree to take part.",
    "Begin",
    "Image",
    "Image {n} of {of}",
    "Next",
    "Undo",
    "Finish",
    "Answers so far: {of}, saved: {n}",
    "Saved: {answer}. The next image comes by itself.",
    "That was the last image.",
    "Please choose an answer.",
    "Loading the image …",
    "No connection. Your answers are stored on this device and sent when the connection is back.",
    "Answer with the keys {first} to {last}",
    "What you are asked to do",
    "Stop or withdraw",
    "Thank you",
    "All your answers are saved: {saved} of {total}.",
    "You can close this page.",
    "If you change your mind",
    "With this code you can delete your answers at any time:",
    "With this code you can delete your answers before {day}:",
    "Please write it down.",
)


@lru_cache(maxsize=1)
def page_texts() -> tuple[str, ...]:
    """Return the English texts of the participants' pages, those of EVERYBODY first; places to fill in are {name}.

    The catalogue of a language that ships is what tells: it is complete, which a test sees to.
    """
    with _CATALOGUE.open("rb") as file:
        catalogue: Mapping[str | tuple[str, int], str] = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    texts = [key if isinstance(key, str) else key[0] for key in catalogue]
    texts += _PLURALS
    found = dict.fromkeys((*EVERYBODY, *(plain(text) for text in texts if text)))
    return (*(text for text in found if text not in _ELSEWHERE), TRAP_THANKS, TRAP_REQUEST)


#: A compiled catalogue has no plurals of its texts.
_PLURALS: Final = ("It takes about %(minutes)s minutes.",)


def plain(text: str) -> str:
    """Return a text of a template or a program as people write it: {name} for what is filled in, one percent sign."""
    return _NAMED.sub(r"{\1}", text).replace("%%", "%")


def unlike(text: str, own: str) -> str:
    """Return which places to fill in an own wording must have where it has others; "" where it is right."""
    wanted = _BRACED.findall(text)
    if sorted(wanted) == sorted(_BRACED.findall(own)):
        return ""
    return ", ".join(f"{{{name}}}" for name in wanted) or "no braces"


def as_in(text: str, own: str) -> str:
    """Return an own wording with places and percent signs written as in `text`, the one that it stands for."""
    if _NAMED.search(text):
        return _BRACED.sub(r"%(\1)s", own.replace("%", "%%"))
    return own.replace("%", "%%") if "%%" in text else own


def language_name(code: str, wording: Mapping[str, Wording] | None = None) -> str:
    """Return what a language calls itself: as the study says, as Django knows it, or its code."""
    own = (wording or {}).get(code)
    known = LANG_INFO.get(code, {}).get("name_local") or LANG_INFO.get(code.partition("-")[0], {}).get(
        "name_local"
    )
    name = str((own and own.name) or _SHIPPED.get(code) or known or code)
    return name[0].upper() + name[1:]


def english_name(code: str) -> str:
    """Return a language's English name, or its code."""
    found = LANG_INFO.get(code, {}).get("name") or LANG_INFO.get(code.partition("-")[0], {}).get("name")
    return str(found or code)


def is_right_to_left(code: str) -> bool:
    """Return whether a language is written from right to left."""
    return code.partition("-")[0] in RIGHT_TO_LEFT


def ships(code: str) -> bool:
    """Return whether a language's wording ships with the site."""
    return code in LANGUAGES
