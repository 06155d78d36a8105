"""What models of one question have in common: a table of rows of several kinds, and the finding in sentences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd


class Found:
    """The results of a model.

    Attributes:
        table: the numbers; a row's ``kind`` says what it is, where a model has rows of several kinds.
        sentences: the finding, one plain sentence first.
    """

    table: pd.DataFrame
    sentences: list[str]

    @property
    def finding(self) -> str:
        """The finding in one sentence."""
        return self.sentences[0]

    def of_kind(self, kind: str) -> pd.DataFrame:
        """Return the table's rows of one kind."""
        return self.table[self.table["kind"] == kind].reset_index(drop=True)


def typed_table(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], text: Collection[str], whole: Collection[str]
) -> pd.DataFrame:
    """Return rows as a table: columns of `text`, of `whole` numbers that may be missing, all others of fractions."""
    table = pd.DataFrame(list(rows), columns=list(columns))
    kinds = {name: "object" if name in text else "Int64" if name in whole else "float64" for name in table}
    return table.astype(kinds)
