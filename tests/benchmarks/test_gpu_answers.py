"""The top of results.md says what a researcher asks first, and hides no fault."""

from __future__ import annotations

from benchmarks.gpu.answers import answers

FAST = {
    "ms": 2.5,
    "cells": 25,
    "images/hour": 7200.0,
    "times classic": 11.2,
    "share of the matrix rate": 0.46,
    "peak GB": 12.0,
}


def test_what_is_right_and_how_fast_stands_in_one_line_each() -> None:
    found = answers(
        {
            "gradients": {"gram, bf16": {"right": True}, "patches, bf16": {"right": True}, "seconds": 3.0},
            "exact": {"adam, exact=True": {"same bits": True}, "adam, exact=False": {"same bits": False}},
            "speed": {"512 px, classic loop": FAST | {"cells": 1}, "512 px, 25 cells, 10 pairs": FAST},
            "one pass": {"bf16": {"grey levels": 1.0, "ms, 1 of 512 px": 3.21}},
            "steps": {
                "25 of 512 px, as it proves itself": {"ms": 50.0, "taken": ["losses in passing"]},
                "25 of 512 px, plain": {"ms": 100.0},
            },
        }
    )
    assert found == [
        "- Gradients beside the CPU's in float32: all 2 within their limit.",
        "- Exact mode repeats bit by bit: 1 of 1.",
        "- Speed, 512 px, 25 cells, 10 pairs: 2.5 ms an evaluation of a cell, 7200 images an hour, 11.2 times the classic loop"
        " (goal 10), 46% of the matrix rate (goal 45%), 12 GB.",
        "- One-pass network, bf16, 512 px: 3.21 ms (goal: under 5).",
        "- Fast ways, 25 of 512 px: 2.00 times as fast as the plain way. Taken: losses in passing.",
    ]


def test_every_fault_is_named() -> None:
    found = "\n".join(
        answers(
            {
                "gradients": {"gram, bf16": {"right": False}, "patches, bf16": {"right": True}},
                "exact": {"adam, exact=True": {"same bits": False}},
                "out of memory": {"9 cells": {"error": "RuntimeError"}, "1 cell": {"loss": "+0.1%"}},
                "images": {"modern, bf16": {"failure": "the image is black"}, "masks, bf16": {"failure": ""}},
                "speed": {"error": "RuntimeError: no such kernel", "trace": ""},
                "large": {"left_out": True},
            }
        )
    )
    for line in (
        "float32: **beyond their limit: gram, bf16**.",
        "bit by bit: 0 of 1; **not: adam**.",
        "that were finished: 1 of 2; **not: 9 cells**.",
        "2 made, **failed: modern, bf16**.",
        "**Failed**: speed, out of memory (9 cells).",
        "Left out: large.",
    ):
        assert line in found


def test_of_sections_that_found_nothing_nothing_is_said() -> None:
    assert answers({}) == []
    assert answers({"speed": {}, "gradients": {"gram": {"error": "x"}}}) == [
        "- **Failed**: gradients (gram)."
    ]
