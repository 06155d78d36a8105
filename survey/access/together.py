"""Statements that a database on another process or host gets in one go, instead of waiting for each answer.

A start of a session holds the row of its study, and everybody who starts at the same moment waits for it. Each answer that
it waits for itself lengthens that line. SQLite runs in this process: there, statements simply follow one another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.sql import InsertQuery

Row = TypeVar("Row", bound=Model)


@contextmanager
def in_one_go() -> Iterator[None]:
    """Send the statements inside without waiting for each: what is read, and any error, comes by the end at the latest.

    Statements run in their order, each on what was committed before it. Not for `save` of a row, nor for the number of
    rows that an `update` changed: what became of them is not known yet. For new rows there is `insert`.
    """
    connection.ensure_connection()
    # Within another one it is a part of that: psycopg would wait at the end of an inner pipeline.
    if connection.vendor != "postgresql" or connection.connection.info.pipeline_status:
        yield
        return
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def ask_sql(sql: str, params: Any) -> Callable[[], list[tuple[Any, ...]]]:
    """Send a query; return what gives its rows as the driver has them, once."""
    cursor = connection.cursor()
    cursor.execute(sql, params)

    def rows() -> list[tuple[Any, ...]]:
        with cursor:
            return list(cursor.fetchall())

    return rows


def ask(query: QuerySet[Any, Any]) -> Callable[[], list[tuple[Any, ...]]]:
    """Send a `values_list`; return what gives its rows, once."""
    compiler = query.query.get_compiler(connection=connection)
    rows = ask_sql(*compiler.as_sql())
    return lambda: list(compiler.results_iter(results=[rows()], tuple_expected=True))


def ask_first(query: QuerySet[Row], *, later: Collection[str] = ()) -> Callable[[], Row | None]:
    """Send a query; return what gives its first row, once. The fields in `later` are read when they are asked for."""
    model = query.model
    names = [field.attname for field in model._meta.concrete_fields if field.attname not in later]
    rows = ask(query.values_list(*names)[:1])
    return lambda: next((model.from_db(connection.alias, names, row) for row in rows()), None)


def ask_key(model: type[Model]) -> Callable[[], int | None]:
    """Ask for the key of a row that is about to be inserted. None where the database gives it with the row."""
    if connection.vendor != "postgresql":
        return lambda: None
    rows = ask_sql("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [model._meta.db_table])
    return lambda: int(rows()[0][0])


def insert(row: Model) -> None:
    """Insert a row that has its key (`ask_key`), or whose key nobody asks for, without reading anything back."""
    if connection.vendor != "postgresql":
        row.save(force_insert=True)
        return
    query = InsertQuery(type(row))
    fields = [field for field in row._meta.concrete_fields if row.pk is not None or not field.primary_key]
    query.insert_values(fields, [row])
    with connection.cursor() as cursor:
        for statement in query.get_compiler(connection=connection).as_sql():
            cursor.execute(*statement)
    row._state.adding, row._state.db = False, connection.alias
