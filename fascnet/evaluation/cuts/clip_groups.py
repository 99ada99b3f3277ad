"""The figures of one source in every group of clips, with what stands behind each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fascnet.errors import SettingError
from fascnet.evaluation.cuts.subgroups import (
    ClipTable,
    Grouping,
    GroupSize,
    group_clips,
    measure_group,
    merge_clip_tables,
    pick_outcomes,
)
from fascnet.evaluation.figures.clip_scores import score_clips
from fascnet.evaluation.outcome import ClipOutcome
from fascnet.evaluation.rules import ScoringRules
from fascnet.evaluation.scoring import Section, Study, score_events
from fascnet.evaluation.sources.source import ClipFacts

FACT_COLUMNS = ("muscle", "side", "fps", "mm_per_px")
"""What is known of a clip without a table."""


@dataclass(frozen=True, slots=True)
class GroupResult:
    """One group: how many stand in it, and its event and clip figures."""

    size: GroupSize
    events: Section
    clips: Section


@dataclass(frozen=True, slots=True)
class SubgroupResult:
    """One column: how it cuts the clips, and the figures of each group."""

    grouping: Grouping
    groups: Mapping[str, GroupResult]


def score_subgroups(
    outcomes: Sequence[ClipOutcome], study: Study, rules: ScoringRules, table: ClipTable
) -> list[SubgroupResult]:
    """Score every group of every column that the rules name.

    Args:
        outcomes: of the source.
        study: reference, facts, weights.
        rules: name the columns and cuts.
        table: columns besides those of `FACT_COLUMNS`.

    Raises:
        SettingError: a column is in no table.
    """
    clip_ids = [outcome.clip_id for outcome in outcomes]
    facts = {clip_id: _list_cells(study.facts[clip_id]) for clip_id in clip_ids}
    merged = merge_clip_tables([facts, {c: cells for c, cells in table.items() if c in facts}])
    columns = {column for cells in merged.values() for column in cells}
    results = []
    for column, cuts in rules.subgroups.items():
        if clip_ids and column not in columns:
            raise SettingError(
                f"subgroups: no table has a column '{column}'; name one in clip_tables "
                f"(there are {', '.join(sorted(columns))})"
            )
        grouping = group_clips(merged, column, clip_ids, cuts=cuts)
        groups = {}
        for name, members in grouping.groups.items():
            chosen = pick_outcomes(outcomes, members)
            groups[name] = GroupResult(
                measure_group(chosen),
                score_events(chosen, study.weights),
                score_clips(chosen, rules.clip_threshold, study.weights)[0],
            )
        results.append(SubgroupResult(grouping, groups))
    return results


def _list_cells(facts: ClipFacts) -> dict[str, str]:
    cells = {}
    for column in FACT_COLUMNS:
        value = getattr(facts, column)
        cells[column] = "" if value is None else f"{value:g}" if isinstance(value, float) else value
    return cells
