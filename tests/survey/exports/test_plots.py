"""Plots: one table, one drawing, the same bytes."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from survey.analysis import analyse, check
from survey.analysis.plots import (
    FORMATS,
    PLOTS,
    Plot,
    PlotData,
    drawable,
    plot_named,
    render,
    select_question,
    style,
)
from survey.analysis.plots.style import CATEGORIES
from tests.survey.exports.studies import BLANK, NASTY, ratings_frame


def data_of(table: pd.DataFrame):
    """Analyse a table; return what plots are drawn from."""
    ratings = check(table)
    return select_question(analyse(ratings), ratings.table)


def factorial() -> pd.DataFrame:
    """A table of items in a plane of two factors, two in every cell, with a measure; fifteen people rated each."""
    table = ratings_frame(items=18, people=15)
    number = table["item"].str[4:].astype(int)
    table["layer"] = number.map(lambda n: f"conv{n % 3}")
    table["ratio"] = number.map(lambda n: (0.001, 0.01, 0.1)[n // 3 % 3])
    return table.assign(condition=table["layer"], edges=np.sqrt(number))


@pytest.fixture(scope="module")
def data():
    return data_of(factorial())


def test_a_full_study_has_every_plot(data):
    assert [plot.name for plot, _ in drawable(data)] == [plot.name for plot in PLOTS]


def table_of(plot: Plot, data: PlotData) -> pd.DataFrame:
    """Return a plot's table, which must be there."""
    table = plot.table(data)
    assert table is not None
    return table


@pytest.fixture(scope="module")
def drawings(data) -> dict[str, bytes]:
    """Every plot, drawn once."""
    return {plot.name: render(plot.draw, table_of(plot, data)) for plot in PLOTS}


@pytest.mark.slow
@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.name)
def test_the_same_table_gives_the_same_bytes(data, plot, drawings):
    assert render(plot.draw, table_of(plot, data)) == drawings[plot.name]


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_gives_the_same_bytes(data, file_format):
    plot = plot_named("sos")
    table = table_of(plot, data)
    assert render(plot.draw, table, file_format) == render(plot.draw, table, file_format)


@pytest.mark.slow
def test_threads_do_not_disturb_each_other(data, drawings):
    plots = [plot for plot in PLOTS if plot.name in ("sos", "observers")] * 2
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda plot: render(plot.draw, table_of(plot, data)), plots))
    assert together == [drawings[plot.name] for plot in plots]


@pytest.mark.slow
@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.name)
def test_a_plot_is_drawn_from_its_table_alone(data, plot, drawings):
    """What stands under a plot is what was drawn: another table, another drawing."""
    table = table_of(plot, data)
    numbers = [name for name in table.columns if pd.api.types.is_float_dtype(table[name])]
    changed = table.assign(**{name: (table[name] * 0.5 + 1).clip(1, 4.5) for name in numbers})
    assert render(plot.draw, changed) != drawings[plot.name]


@pytest.mark.slow
@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.name)
def test_a_page_knows_the_size_of_a_drawing_before_it_is_drawn(data, plot, drawings):
    width, height = plot.shape(table_of(plot, data))
    said = re.search(rb'<svg[^>]* viewBox="0 0 ([\d.]+) ([\d.]+)"', drawings[plot.name])
    assert said
    assert [float(side) for side in said.groups()] == pytest.approx([width, height], abs=1)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_test_that_is_not_about_drawings_draws_none(data, file_format, unrendered):
    plot = plot_named("mos")
    assert render(plot.draw, table_of(plot, data), file_format) == BLANK


def test_no_drawing_tells_the_time_or_the_host(data):
    plot = plot_named("mos")
    for file_format in FORMATS:
        drawing = render(plot.draw, table_of(plot, data), file_format)
        assert not re.search(rb"CreationDate|<dc:date>|20\d\d-\d\d-\d\dT", drawing)


@pytest.mark.slow
@pytest.mark.parametrize(("items", "people"), [(1, 1), (1, 5), (5, 1), (2, 2), (61, 3)])
def test_any_size_is_drawn(items, people):
    for plot, table in drawable(data_of(ratings_frame(items, people))):
        assert render(plot.draw, table).startswith(b"<?xml"), plot.name


@pytest.mark.slow
@pytest.mark.parametrize("rating", [1, 5])
def test_unanimous_ratings_are_drawn(rating):
    drawn = drawable(data_of(ratings_frame().assign(rating=rating)))
    assert {"mos", "distribution"} <= {plot.name for plot, _ in drawn}
    for plot, table in drawn:
        render(plot.draw, table)


def test_a_name_with_signs_of_formulas_is_drawn_as_text():
    table = ratings_frame()
    table["item"] = table["item"].replace({"item000": NASTY, "item001": "$x^2$"})
    table["participant"] = table["participant"].replace("p0", "$\\frac{1}{2}")
    drawn = {plot.name: render(plot.draw, numbers).decode() for plot, numbers in drawable(data_of(table))}
    for name in ("mos", "distribution", "ratings"):
        # Five signs, one glyph each; read as a formula, it would be an x and a 2.
        drawing = re.search(r"<!-- \$x\^2\$ -->(.*?)</g>\s*</g>", drawn[name], re.DOTALL)
        assert drawing, name
        assert drawing[1].count("<use ") == 5, name


def test_a_person_called_item_is_drawn():
    table = ratings_frame(items=2, people=2).replace({"participant": {"p0": "item"}})
    drawn = {plot.name: (plot, numbers) for plot, numbers in drawable(data_of(table))}
    plot, numbers = drawn["ratings"]
    assert list(numbers.columns) == ["item", "item", "p1"]
    assert render(plot.draw, numbers).startswith(b"<?xml")


def test_intervals_beyond_the_scale_are_not_in_the_mos_plot():
    table = pd.DataFrame({"participant": list("abcd"), "item": "x", "rating": [5, 5, 5, 3]})
    row = table_of(plot_named("mos"), data_of(table)).iloc[0]
    assert row["method"] == "bounded"
    assert 1 <= row["low"] <= row["mos"] <= row["high"] <= 5


def test_levels_stand_in_the_order_of_their_values():
    table = factorial()
    table["ratio"] = table["ratio"].map({0.001: "9", 0.1: "10"})
    down, across = data_of(table).plane
    plane = table_of(plot_named("factors"), data_of(table))
    levels = plane["ratio"].drop_duplicates().tolist()
    assert {down, across} == {"layer", "ratio"}
    assert levels == [9, 10]


@pytest.mark.parametrize("names", [("low", "n"), ("items", "mos")])
def test_factors_may_be_called_like_what_is_drawn(names):
    table = (
        factorial()
        .rename(columns=dict(zip(("layer", "ratio"), names, strict=True)))
        .drop(columns="condition")
    )
    plot, plane = plot_named("factors"), table_of(plot_named("factors"), data_of(table))
    assert {*plane.columns[:2]} == {f"factor_{name}" for name in names}
    assert render(plot.draw, plane).startswith(b"<?xml")


def test_categories_are_told_apart_in_grey():
    """Extremes are darker than the middle, so that a black and white print keeps the shape."""
    light = [
        sum(int(colour[i : i + 2], 16) * w for i, w in ((1, 0.3), (3, 0.59), (5, 0.11)))
        for colour in CATEGORIES
    ]
    assert light[0] < light[1] < light[2] > light[3] > light[4]


def test_a_table_of_all_questions_empty_is_still_drawn():
    """A column `question` without a name in it once left the plots without rows."""
    assert drawable(data_of(ratings_frame().assign(question="")))


def test_a_heat_map_that_no_screen_can_show_is_not_made(data, monkeypatch):
    """20,000 participants by 2000 items once took five gigabytes."""
    monkeypatch.setattr("survey.analysis.plots.MAX_IN_HEAT_MAP", 269)
    assert plot_named("ratings").table(data) is None
    monkeypatch.setattr("survey.analysis.plots.MAX_IN_HEAT_MAP", 270)
    assert plot_named("ratings").table(data) is not None


def test_a_crowd_of_participants_does_not_make_a_file_of_megabytes():
    crowd = data_of(ratings_frame(items=2, people=600))
    assert len(render(plot_named("observers").draw, table_of(plot_named("observers"), crowd))) < 300_000


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_file_is_laid_out_as_by_savefig(data, file_format):
    plot = plot_named("conditions")
    table = table_of(plot, data)
    with matplotlib.rc_context(style._STYLE):
        saved = io.BytesIO()
        plot.draw(table).savefig(saved, format=file_format, metadata=style._METADATA[file_format], dpi=200)
    assert render(plot.draw, table, file_format) == saved.getvalue()


def test_dots_of_one_path_are_round_and_as_large_as_asked():
    figure, axes = style.new_axes(2.0, 2.0)
    axes.set_axis_off()
    style.draw_dots(axes, [0.0, 1.0, np.nan], [0.0, 1.0, 0.5], 36, edgecolor="black")
    axes.set_xlim(-1, 2)
    axes.set_ylim(-1, 2)
    saved = io.BytesIO()
    figure.savefig(saved, dpi=72)
    dark = (255 - np.asarray(Image.open(saved).convert("L"), float)).sum() / 255
    assert dark == pytest.approx(2 * np.pi * 18**2, rel=0.03)


def test_images_and_conditions_are_compared_in_a_plot_each():
    data = data_of(factorial())
    images, conditions = (plot_named(name).table(data) for name in ("significance", "condition_significance"))
    assert images is not None
    assert conditions is not None
    assert set(images["a"]) <= set(data.analysis.mos["item"])
    assert set(conditions["a"]) <= set(data.rows["condition"])


@pytest.mark.parametrize("name", ["factors", "condition_significance"])
def test_a_small_matrix_is_high_enough_for_the_label_of_its_colours(name):
    plot = plot_named(name)
    table = pd.DataFrame(
        {"a": ["x"], "b": ["y"], "difference": [0.5], "p_adjusted": [0.01]}
        if name == "condition_significance"
        else {"down": ["x"], "across": ["y"], "mos": [3.0], "low": [2.0], "high": [4.0], "n": [5]}
    )
    figure = plot.draw(table)
    figure.draw_without_rendering()
    label = figure.axes[-1].yaxis.label.get_window_extent()
    assert label.y0 >= 0
    assert label.y1 <= figure.bbox.y1


def test_an_interval_that_leaves_the_scale_ends_in_an_arrow():
    table = pd.DataFrame({"effect": "f", "level": ["a", "b"], "mos": [4.5, 3.0], "raw_mean": [4.5, 3.0]})
    within, beyond = (
        plot_named("effects").draw(table.assign(low=2.0, high=high)).axes[0] for high in (5.0, [5.4, 5.0])
    )
    ends = [
        [np.asarray(dots.get_offsets())[:, 0].tolist() for dots in axes.collections].count([5.0])
        for axes in (within, beyond)
    ]
    assert ends == [0, 1]


def test_conditions_are_not_compared_in_a_plot_where_nobody_saw_two_of_them():
    table = factorial()
    person = table["participant"].astype("category").cat.codes % 3
    apart = table[table["layer"] == person.map(lambda n: f"conv{n}")]
    data = data_of(apart)
    assert data.analysis.condition_comparisons is not None
    compared = plot_named("condition_significance").table(data)
    assert compared is None or compared["difference"].notna().any()
