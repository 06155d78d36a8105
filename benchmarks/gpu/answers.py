"""What the sections found, in a few sentences for the top of results.md: the answer first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Sections = Mapping[str, dict[str, Any]]
# Goals: times the classic loop's images an hour, share of the matrix rate, milliseconds of the one-pass network at 512 px.
TIMES_CLASSIC, SHARE, ONE_PASS_MS = 10, 0.45, 5


def answers(sections: Sections) -> list[str]:
    """Return Markdown list items, the most telling first; none for sections that found nothing yet."""
    makers = (_right, _exact, _memory, _speed, _one_pass, _ways, _images, _missing)
    return [f"- {line}" for make in makers for line in make(sections)]


def _parts(sections: Sections, name: str) -> dict[str, dict[str, Any]]:
    """Return the parts of a section that found something."""
    found = sections.get(name, {})
    return {
        part: each
        for part, each in found.items()
        if isinstance(each, dict) and "error" not in each and "left_out" not in each
    }


def _right(sections: Sections) -> Iterator[str]:
    if parts := _parts(sections, "gradients"):
        wrong = [name for name, each in parts.items() if not each["right"]]
        what = (
            f"**beyond their limit: {', '.join(wrong)}**" if wrong else f"all {len(parts)} within their limit"
        )
        yield f"Gradients beside the CPU's in float32: {what}."


def _exact(sections: Sections) -> Iterator[str]:
    if parts := {name: each for name, each in _parts(sections, "exact").items() if "exact=True" in name}:
        other = [name.partition(", exact")[0] for name, each in parts.items() if not each["same bits"]]
        what = f"; **not: {', '.join(other)}**" if other else ""
        yield f"Exact mode repeats bit by bit: {len(parts) - len(other)} of {len(parts)}{what}."


def _memory(sections: Sections) -> Iterator[str]:
    starved = {name: each for name, each in _parts(sections, "out of memory").items() if "loss" in each}
    failed = [
        name
        for name, each in sections.get("out of memory", {}).items()
        if isinstance(each, dict) and "error" in each
    ]
    if starved or failed:
        what = f"; **not: {', '.join(failed)}**" if failed else ""
        yield f"Runs with too little memory that were finished: {len(starved)} of {len(starved) + len(failed)}{what}."


def _speed(sections: Sections) -> Iterator[str]:
    for section in ("speed", "large"):
        for name, each in _parts(sections, section).items():
            if each["cells"] > 1 and ("10 pairs" in name or "wasserstein" in name):
                times = (
                    f"{each['times classic']:.3g} times the classic loop (goal {TIMES_CLASSIC}), "
                    if "times classic" in each
                    else ""
                )
                yield (
                    f"Speed, {name}: {each['ms']:.3g} ms an evaluation of a cell, {each['images/hour']:.0f} images an hour, {times}"
                    f"{each['share of the matrix rate']:.0%} of the matrix rate (goal {SHARE:.0%}), {each['peak GB']:.3g} GB."
                )


def _one_pass(sections: Sections) -> Iterator[str]:
    for name, each in _parts(sections, "one pass").items():
        for key, ms in each.items():
            if key == "ms, 1 of 512 px":
                yield f"One-pass network, {name}, 512 px: {ms:.3g} ms (goal: under {ONE_PASS_MS})."


def _ways(sections: Sections) -> Iterator[str]:
    for name, each in _parts(sections, "steps").items():
        subject, _, way = name.partition(", ")
        plain = sections["steps"].get(f"{subject}, plain", {})
        if way == "as it proves itself" and "ms" in plain:
            taken = ", ".join(each.get("taken", ())) or "none"
            yield f"Fast ways, {subject}: {plain['ms'] / each['ms']:.2f} times as fast as the plain way. Taken: {taken}."


def _images(sections: Sections) -> Iterator[str]:
    if parts := _parts(sections, "images"):
        failed = [name for name, each in parts.items() if each["failure"]]
        what = f"**failed: {', '.join(failed)}**" if failed else "none failed"
        yield f"Whole images beside the CPU's: {len(parts)} made, {what}."


def _missing(sections: Sections) -> Iterator[str]:
    for key, word in (("error", "**Failed**"), ("left_out", "Left out")):
        names = [
            *(name for name, found in sections.items() if key in found),
            *(
                f"{name} ({part})"
                for name, found in sections.items()
                for part, each in found.items()
                if isinstance(each, dict) and key in each
            ),
        ]
        if names:
            yield f"{word}: {', '.join(names)}."
