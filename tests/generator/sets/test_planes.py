"""A set's cells on the plane of two factors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from generator.models import Cell
from generator.sets.planes import Plane, plane


def cells(*rows: dict[str, object]) -> list[Cell]:
    return [Cell(index=index, label=str(index), factors=factors) for index, factors in enumerate(rows)]


def crossed(**levels: list[object]) -> list[Cell]:
    rows: list[dict[str, object]] = [{}]
    for name, values in levels.items():
        rows = [{**row, name: value} for row in rows for value in values]
    return cells(*rows)


def indices(found: Plane) -> list[int]:
    return [cell.index for _, places in found.grid for place in places for cell in place]


def test_the_two_factors_that_show_most_are_chosen():
    found = plane(crossed(content=["a"], style=["x"], ratio=[1, 2, 3], content_layer=["c1", "c2"]))
    assert {found.rows, found.columns} == {"ratio", "content_layer"}
    assert len(indices(found)) == 6
    assert found.switches == []


def test_contents_stand_in_rows_beside_one_factor():
    found = plane(crossed(content=["a", "b", "c"], style=["x"], ratio=[1, 2]))
    assert (found.rows, found.columns) == ("content", "ratio")


def test_the_one_factor_that_is_asked_for_keeps_its_side():
    laid = crossed(content=["a"], style=["x"], ratio=[1, 2, 3], content_layer=["c1", "c2"], size=[24, 32])
    for name in ("ratio", "content_layer", "size"):
        assert plane(laid, rows=name).rows == name
        assert plane(laid, columns=name).columns == name
        assert plane(laid, rows="none", columns=name).columns == name


def test_pairs_that_are_not_crossed_lie_on_a_diagonal():
    found = plane(cells(*({"content": str(i), "style": f"s{i}", "ratio": i % 2} for i in range(7))))
    assert len(indices(found)) == 7


def test_where_nothing_is_crossed_most_places_are_empty():
    found = plane(cells(*({"content": str(i), "style": f"s{i}", "ratio": i} for i in range(7))))
    assert len(indices(found)) == 7
    assert found.is_sparse


def test_a_whole_grid_is_not_sparse_nor_is_one_with_a_few_holes():
    grid = crossed(content=["a", "b", "c"], ratio=[1, 2])
    assert not plane(grid).is_sparse
    assert not plane(grid[:-2]).is_sparse


def test_a_third_factor_is_a_switch_at_its_first_level():
    grid = crossed(content=["a", "b"], style=["x", "y"], ratio=[1, 2, 3])
    found = plane(grid, "content", "ratio")
    assert [(switch.name, switch.levels, switch.chosen) for switch in found.switches] == [
        ("style", ["x", "y"], "x")
    ]
    assert len(indices(found)) == 6
    assert found.fixed == {"style": "x"}
    assert len(indices(plane(grid, "content", "ratio", {"style": ""}))) == 12
    assert indices(plane(grid, "content", "ratio", {"style": "y"})) == [3, 4, 5, 9, 10, 11]


def test_what_does_not_exist_is_chosen_anew():
    grid = crossed(content=["a", "b"], style=["x", "y"])
    found = plane(grid, "colour", "content", {"style": "z", "nothing": "1"})
    assert {found.rows, found.columns} == {"content", "style"}


def test_a_set_of_one_image_has_a_plane():
    found = plane(crossed(content=["a"], style=["x"]))
    assert (found.rows, found.columns, indices(found)) == ("content", "style", [0])


def test_an_empty_set_has_an_empty_plane():
    assert plane([]).shown == 0


@given(
    st.lists(
        st.fixed_dictionaries(
            {"content": st.sampled_from("abc"), "style": st.sampled_from("xy"), "ratio": st.integers(0, 3)}
        ),
        min_size=1,
        max_size=30,
    )
)
def test_each_cell_stands_in_the_place_of_its_levels_at_most_once(rows):
    every = {"content": "", "style": "", "ratio": ""}
    found = plane(cells(*rows), wanted=every)
    assert sorted(indices(found)) == list(range(len(rows)))
    for level, places in found.grid:
        for column, place in zip(found.column_levels, places, strict=True):
            for cell in place:
                assert str(cell.factors[found.rows]) == level
                assert str(cell.factors[found.columns]) == column
