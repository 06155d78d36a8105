"""Data sets that are written as Python assignments of literals, as SUREAL's own are. Nothing of them is run."""

from __future__ import annotations

import ast
import re
from typing import Any, Final

_DATASET: Final = re.compile(r"^dis_videos\s*=", re.MULTILINE)


def assigned(text: str) -> dict[str, Any] | None:
    """Return what a text assigns to its names: numbers, texts, lists, dictionaries, texts joined by +.

    None for a text that is no data set of SUREAL. Names whose value is anything else are left out.
    """
    if not _DATASET.search(text):
        return None
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    known: dict[str, Any] = {}
    for statement in module.body:
        if isinstance(statement, ast.Assign) and all(
            isinstance(target, ast.Name) for target in statement.targets
        ):
            try:
                value = _value(statement.value, known)
            except (ValueError, TypeError):
                continue
            known |= {target.id: value for target in statement.targets if isinstance(target, ast.Name)}
    return known if "dis_videos" in known else None


def _value(node: ast.expr, known: dict[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_value(part, known) for part in parts]
        case ast.Dict(keys=keys, values=values) if all(key is not None for key in keys):
            return {
                _value(k, known): _value(v, known) for k, v in zip(keys, values, strict=True) if k is not None
            }
        case ast.Name(id=name) if name in known:
            return known[name]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = _value(left, known), _value(right, known)
            if isinstance(first, str) and isinstance(second, str):
                return first + second
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            number = _value(operand, known)
            if isinstance(number, int | float):
                return -number
    raise ValueError("not a literal")
