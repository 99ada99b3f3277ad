"""The card's page: one HTML file, pictures inside, no script, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from fascnet.data.whole_file import write_whole

Section = tuple[str, str, bytes]
"""(title, caption, PNG)."""


def write_page(path: Path, facts: Mapping[str, object], pictures: Sequence[Section]) -> Path:
    """Write the page.

    Args:
        path: the file.
        facts: what `card.json` holds.
        pictures: (title, caption, PNG) in order.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["figure"] = format_figure
    template = environment.from_string(
        (files("fascnet.phantom.card") / "card.html.j2").read_text(encoding="utf-8")
    )
    embedded = [(title, caption, base64.b64encode(data).decode("ascii")) for title, caption, data in pictures]
    text = template.render(facts=facts, pictures=embedded)
    with write_whole(path) as beside:
        beside.write_text(text, encoding="utf-8")
    return path


def format_figure(value: float | None) -> str:
    """Return a figure with three significant digits, or a dash when there is none."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "any" if value > 0 else "-any"
    if value != 0 and abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
