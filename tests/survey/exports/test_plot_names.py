"""Names on plots: those that differ read differently, and what is left out is said."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from survey.analysis.plots.names import matrix_names, tell_apart
from tests.survey.analysis.tables import few

#: Twenty-four conditions of content, style, layer and ratio, as an image set names them.
CONDITIONS = [
    f"content {content}, content_layer {layer}, ratio {ratio}, style {style}"
    for content, layer, ratio, style in product(
        ("astronaut-on-the-moon", "astronaut-on-the-mars"),
        ("conv4_2", "conv5_1"),
        (0.01, 0.03, 0.1),
        ("brush-strokes-blue", "brush-strokes-teal"),
    )
]
WORDS = st.text(st.sampled_from("ab ,:$…×1"), max_size=60)


def plain(name: str) -> str:
    return " ".join(name.split())


@few
@given(st.lists(WORDS, min_size=1, max_size=12), st.integers(8, 40), st.integers(1, 3))
def test_names_that_differ_read_differently_and_equal_ones_alike(names, width, lines):
    texts = tell_apart(names, width, lines).texts
    assert len(set(texts)) == len({plain(name) for name in names})
    assert len(set(zip(map(plain, names), texts, strict=True))) == len(set(texts))


@few
@given(st.lists(WORDS, min_size=1, max_size=12), st.integers(8, 40), st.integers(1, 3))
def test_no_label_is_wider_or_longer_than_asked(names, width, lines):
    for text in tell_apart(names, width, lines).texts:
        shown = text.replace(r"\$", "$").split("\n")
        assert len(shown) <= lines
        assert max(map(len, shown)) <= width


def test_short_names_stay_as_they_are():
    assert tell_apart(["cat, ratio 0.1", "dog, ratio 0.1"]).texts == ["cat, ratio 0.1", "dog, ratio 0.1"]


def test_long_names_leave_out_what_all_share_and_say_it_once():
    names = [f"cat × wave, content_layer conv4_2, ratio {ratio}" for ratio in (0.01, 0.1)]
    labels = tell_apart(names)
    assert labels.texts == ["ratio 0.01", "ratio 0.1"]
    assert labels.shared == "All: cat × wave, content_layer conv4_2"


def test_conditions_of_four_factors_are_wrapped_with_every_level_whole():
    labels = tell_apart(CONDITIONS, lines=3)
    assert len(set(labels.texts)) == len(CONDITIONS)
    assert (
        labels.texts[0]
        == "content astronaut-on-the-moon,\ncontent_layer conv4_2, ratio 0.01,\nstyle brush-strokes-blue"
    )


def test_where_room_is_short_the_names_of_the_factors_are_said_once():
    labels = tell_apart(CONDITIONS, 32, 2)
    assert labels.texts[0] == "astronaut-on-the-moon, conv4_2,\n0.01, brush-strokes-blue"
    assert labels.shared == "Names give content, content_layer, ratio, style"


def test_names_alike_at_both_ends_are_numbered():
    names = [f"{'x' * 60}{middle}{'x' * 60}" for middle in "ab"]
    assert [text[:3] for text in tell_apart(names).texts] == ["1: ", "2: "]


def test_a_matrix_of_long_names_numbers_its_columns_as_its_rows():
    rows, columns = matrix_names(CONDITIONS)
    assert columns == [str(n) for n in range(1, len(CONDITIONS) + 1)]
    assert all(row.endswith(f"  {n}") for row, n in zip(rows.texts, columns, strict=True))
    assert matrix_names(["cat", "dog"])[1] == ["cat", "dog"]
