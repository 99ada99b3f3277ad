"""`check.html`: a data set on one page, problems first, a thumbnail a clip; no script, no network."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from fascnet import __version__
from fascnet.data.clip_set.balance import count_values
from fascnet.data.clip_set.check import Review
from fascnet.data.clip_set.check_tables import sort_by_clip, withhold
from fascnet.data.clip_set.clip_facts import ClipFacts
from fascnet.data.clip_set.problem import KINDS, SEVERITIES, Problem
from fascnet.data.clip_set.withhold import Withheld
from fascnet.data.whole_file import write_whole
from fascnet.types import ClipSource, Labels

MOST_ROWS = 1000
"""Problems shown; the rest is in problems.csv, so that the page opens whatever the data set."""


@dataclass(frozen=True, slots=True)
class _Card:
    """A clip as the page shows it."""

    clip_id: str
    subject: str
    place: str
    facts: ClipFacts
    outline: str
    picture: str
    raters: tuple[str, ...]
    worst: str
    kinds: str


def write_page(review: Review, output: Path) -> Path:
    """Write `OUTPUT/check.html`.

    Args:
        review: with thumbnails, which are cropped to the imaging area.
        output: the folder.

    Raises:
        OutputError: it cannot be written.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = (files("fascnet.data.clip_set") / "check_page.html.j2").read_text(encoding="utf-8")
    hidden = withhold(review)
    problems = [hidden.problem(problem) for problem in review.problems]
    found = sort_by_clip(review)
    # The clips with problems first, each kind of them in the manifest's order.
    clips = sorted(review.clips, key=lambda clip: _rank(found[clip.clip_id]))
    text = environment.from_string(page).render(
        version=__version__,
        counts={severity: review.count(severity) for severity in SEVERITIES},
        n_clips=len(review.clips),
        n_subjects=len({clip.subject_id for clip in review.clips}),
        minutes=sum(one.duration_s for one in review.facts.values()) / 60.0,
        kinds=[
            (KINDS[kind].severity, kind, KINDS[kind].meaning, n)
            for kind, n in Counter(problem.kind for problem in problems).items()
        ],
        problems=problems[:MOST_ROWS],
        n_more=max(0, len(problems) - MOST_ROWS),
        balance=review.balance,
        values=count_values(review.facts.values()),
        cards=[_make_card(clip, review, hidden, found[clip.clip_id]) for clip in clips],
    )
    path = output / "check.html"
    with write_whole(path) as beside:
        beside.write_text(text, encoding="utf-8")
    return path


def _make_card(clip: ClipSource, review: Review, hidden: Withheld, problems: Sequence[Problem]) -> _Card:
    facts = review.facts[clip.clip_id]
    return _Card(
        clip_id=hidden.text(clip.clip_id),
        subject=hidden.text(clip.subject_id),
        place=", ".join(part for part in (clip.muscle, clip.side, clip.split) if part),
        facts=facts,
        outline=_write_outline(facts),
        picture=base64.b64encode(facts.thumbnail).decode("ascii"),
        raters=tuple(_describe_raters(review.labels.get(clip.clip_id, {}))),
        worst=problems[0].severity if problems else "",
        kinds=", ".join(dict.fromkeys(problem.kind.replace("_", " ") for problem in problems)),
    )


def _write_outline(facts: ClipFacts) -> str:
    """Write the corners of the imaging area for the page, in stored pixels."""
    x0, y0, x1, y1 = facts.box
    box = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    corners = box if facts.outline is None else facts.outline.points
    return " ".join(f"{x:g},{y:g}" for x, y in corners)


def _describe_raters(raters: Mapping[str, Labels]) -> list[str]:
    described = []
    for rater, labels in sorted(raters.items()):
        n, others = len(labels.fasciculations()), len(labels.events)
        extra = f", {others - n} other" if others > n else ""
        described.append(f"{rater}: {n} fasciculation{'' if n == 1 else 's'}{extra}")
    return described


def _rank(problems: Sequence[Problem]) -> int:
    return SEVERITIES.index(problems[0].severity) if problems else len(SEVERITIES)
