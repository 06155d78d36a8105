"""Label Studio's JSON: tasks, each with the annotations that people made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from survey.analysis.reading.roles import role_of

_KINDS: Final = ("rating", "number", "choices")
"""Keys of an answer that can be a rating."""


def is_label_studio(value: Any) -> bool:
    """Whether a JSON document is a list of Label Studio's tasks."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(task, dict) and isinstance(task.get("data"), dict) and _annotations(task) is not None
            for task in value
        )
    )


def label_studio_rows(tasks: list[Mapping[str, Any]], notes: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield a row for each answer to a question of rating, number or single choice; notes count what was skipped."""
    skipped = others = 0
    for task in tasks:
        item = _item(task)
        for annotation in _annotations(task) or ():
            if annotation.get("was_cancelled"):
                skipped += 1
                continue
            for result in annotation.get("result", ()):
                answer = _answer(result.get("value", {}))
                if answer is None:
                    others += 1
                    continue
                yield {
                    "participant": _person(
                        annotation.get("completed_by", annotation.get("created_username"))
                    ),
                    "item": item,
                    "question": str(result.get("from_name", "")),
                    "rating": answer,
                }
    if skipped:
        notes["skipped_annotations"] = f"left out, for annotators skipped them: {skipped} annotations"
    if others:
        notes["other_results"] = f"left out, for they are no ratings: {others} results of annotations"


def _annotations(task: Mapping[str, Any]) -> list[Any] | None:
    found = task.get("annotations", task.get("completions"))
    return found if isinstance(found, list) else None


def _item(task: Mapping[str, Any]) -> str:
    """Return what the task shows: the value that is named as an item, else the first text, else the task's number."""
    texts = {key: value for key, value in task["data"].items() if isinstance(value, str | int)}
    named = [value for key, value in texts.items() if role_of(str(key)) == "item"]
    return str(next(iter(named or texts.values()), task.get("id", "")))


def _person(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("email") or value.get("username") or value.get("id")
    return "" if value is None else str(value)


def _answer(value: Mapping[str, Any]) -> Any:
    kind = next((kind for kind in _KINDS if kind in value), None)
    answer = value.get(kind) if kind else None
    if isinstance(answer, list):
        return answer[0] if len(answer) == 1 else None
    return answer
