"""The plot of an image's loss."""

from __future__ import annotations

from survey.desk.loss_curve import draw_curve, loss_table


def test_steps_whose_loss_was_not_finite_are_gaps():
    curve = {"evaluation": [1, 2, 3], "content": [9.0, None, 4.0], "style": [None, None, None]}
    table = loss_table({"curve": curve})
    (axes,) = draw_curve(table).axes
    (line,) = axes.lines
    assert line.get_label() == "content"
    assert [str(value) for value in line.get_ydata()] == ["9.0", "nan", "4.0"]
