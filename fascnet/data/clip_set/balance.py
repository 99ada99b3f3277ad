"""How a data set is made up: clips, minutes, fasciculations per muscle, split and rater; rates, spacings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fascnet.data.clip_set.clip_facts import ClipFacts
from fascnet.types import FASCICULATION, ClipSource, Labels

NO_RATER = ""
"""Stands for clips that nobody labelled."""


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """What one rater said about one muscle in one split.

    Attributes:
        muscle: muscle, empty when not given.
        split: split, empty when not given.
        rater: rater, `NO_RATER` for clips without labels.
        subjects: different subjects.
        clips: clips.
        minutes: examined minutes; the clips' length for those without labels.
        events: fasciculations.
        positive_clips: clips with at least one.
        confounders: other events.
    """

    muscle: str
    split: str
    rater: str
    subjects: int
    clips: int
    minutes: float
    events: int
    positive_clips: int
    confounders: int


def count_balance(
    clips: Sequence[ClipSource],
    labels: Mapping[str, Mapping[str, Labels]],
    facts: Mapping[str, ClipFacts],
) -> list[BalanceRow]:
    """Count a data set per muscle, split and rater, sorted by those."""
    cells: dict[tuple[str, str, str], list[tuple[ClipSource, Labels | None]]] = {}
    for clip in clips:
        split = "" if clip.split is None else clip.split
        raters = labels.get(clip.clip_id, {})
        for rater, one in raters.items():
            cells.setdefault((clip.muscle, split, rater), []).append((clip, one))
        if not raters:
            cells.setdefault((clip.muscle, split, NO_RATER), []).append((clip, None))
    return [_count_cell(key, cells[key], facts) for key in sorted(cells)]


def _count_cell(
    key: tuple[str, str, str],
    rows: Sequence[tuple[ClipSource, Labels | None]],
    facts: Mapping[str, ClipFacts],
) -> BalanceRow:
    events = [0 if one is None else len(one.fasciculations()) for _, one in rows]
    return BalanceRow(
        *key,
        subjects=len({clip.subject_id for clip, _ in rows}),
        clips=len(rows),
        minutes=sum(
            facts[clip.clip_id].duration_s if one is None else sum(end - start for start, end in one.examined)
            for clip, one in rows
        )
        / 60.0,
        events=sum(events),
        positive_clips=sum(n > 0 for n in events),
        confounders=sum(
            event.label != FASCICULATION for _, one in rows if one is not None for event in one.events
        ),
    )


def count_values(facts: Iterable[ClipFacts]) -> dict[str, dict[str, int]]:
    """Count frame rates (to 0.1 Hz), spacings (to 0.001 mm) and picture sizes over the readable clips.

    Returns:
        `fps`, `mm_per_px` and `size` -> value as text -> clips, in order of value; `none` for no spacing.
    """
    counted: dict[str, Counter[tuple[float, str]]] = {
        "fps": Counter(),
        "mm_per_px": Counter(),
        "size": Counter(),
    }
    for one in facts:
        if one.status == "failed":
            continue
        if one.fps is not None:
            counted["fps"][round(one.fps, 1), f"{one.fps:.1f}"] += 1
        spacing = one.mm_per_px
        key = (0.0, "none") if spacing is None else (round(spacing, 3), f"{spacing:.3f}")
        counted["mm_per_px"][key] += 1
        counted["size"][float(one.width * one.height), f"{one.width}x{one.height}"] += 1
    return {
        name: {text: values[key, text] for key, text in sorted(values)} for name, values in counted.items()
    }
