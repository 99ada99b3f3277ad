from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from fascnet.evaluation.report.canvas import (
    COLOURS,
    DPI,
    FONT_SIZE,
    HEIGHT_IN,
    WIDTH_IN,
    Plot,
    add_legend,
    complement,
    draw_mark,
    measure_arms,
    open_picture,
    pick_line,
    pick_mark,
    save_plot,
    with_style,
    wrap_name,
    write_value,
)

from .figures import NONE, figure


@with_style
def draw(labels=("a", "b")) -> Plot:
    picture, axes = open_picture()
    for index, label in enumerate(labels):
        axes.plot([0, 1], [index, 1], label=label, **pick_line(index))
    axes.set_xlabel("x")
    add_legend(picture, axes)
    return Plot("p", "caption", "alt", picture)


def test_same_plot_same_bytes_whatever_the_user_has_set(tmp_path):
    one = save_plot(draw(), tmp_path / "1").path.read_bytes()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 30, "axes.grid": False}):
        two = save_plot(draw(), tmp_path / "2").path.read_bytes()
    assert one == two and b"matplotlib" not in one.lower()


def test_letters_are_large_enough_at_the_size_it_is_drawn():
    plot = draw()
    plot.picture.draw_without_rendering()
    sizes = [
        text.get_fontsize()
        for text in plot.picture.findobj(mpl.text.Text)
        if text.get_text() and text.get_visible()
    ]
    assert len(sizes) > 5 and min(sizes) >= FONT_SIZE >= 12
    assert plot.picture.get_size_inches()[0] == WIDTH_IN


def test_the_legend_adds_its_height_and_puts_published_figures_last(tmp_path):
    few, many = draw(("a", "b")), draw(tuple(f"source {k} of a hospital with a long name" for k in range(9)))
    assert HEIGHT_IN < few.picture.get_size_inches()[1] < many.picture.get_size_inches()[1]
    plot = draw(("published 0.9: operators", "mine"))
    assert [text.get_text() for text in plot.picture.legends[0].get_texts()] == [
        "mine",
        "published 0.9: operators",
    ]
    with Image.open(save_plot(many, tmp_path).path) as image:
        assert image.width == round(WIDTH_IN * DPI)


def test_sources_are_told_apart_without_colour():
    marks = {(pick_mark(k)["color"], pick_mark(k)["marker"]) for k in range(len(COLOURS) * 9)}
    assert len(marks) == len(COLOURS) * 9


def test_arms_reach_from_the_value_to_the_limits():
    assert np.allclose(measure_arms(figure(0.5, 0.4, 0.8)), [[0.1], [0.3]])
    # BCa can leave the value outside.
    assert measure_arms(figure(0.5, 0.6, 0.8)) == [[0.0], [pytest.approx(0.3)]]
    assert measure_arms(figure(0.5)) is None and measure_arms(NONE) is None


def test_complement_swaps_the_limits():
    turned = complement(figure(0.9, 0.8, 0.95))
    assert turned.value == pytest.approx(0.1) and turned.ci95 == pytest.approx((0.05, 0.2))
    assert complement(NONE) is NONE


def test_a_mark_needs_both_figures():
    axes = open_picture()[1]
    draw_mark(axes, NONE, figure(0.5), 0, "a")
    assert not axes.lines and not axes.containers
    draw_mark(axes, figure(0.2), figure(0.5), 0, "a")
    assert len(axes.containers) == 1


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (figure(0.834, 0.76, 0.891), "0.83 (0.76 to 0.89)"),
        (figure(-0.5, -0.61, 0.2), "−0.50 (−0.61 to 0.20)"),
        (figure(-0.001, -0.004, 10.05), "0.00 (0.00 to 10.05)"),
        (figure(-0.05), "−0.05"),
        (figure(-10.0), "−10.00"),
        (NONE, "not defined"),
    ],
)
def test_values_are_written_with_minus_signs_and_no_signed_zero(given, written):
    assert write_value(given) == written


def test_names_wrap_after_underscores():
    assert wrap_name("neurologist_7_university_hospital", 16) == "neurologist_7_\nuniversity_\nhospital"
    assert wrap_name("two words", 20) == "two words"
