"""Clips that a prediction source was not heard on: refused, left out, or held against it; never a "no".

A clip without a prediction is no statement that nothing twitches there. Counted as absent it would earn a
correct rejection in every negative clip; left out silently it would be a way to look good, by skipping what
is hard. A rater who did not label a clip made no claim at all; so raters are left as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fascnet.data.labelling.seconds import merge_intervals
from fascnet.errors import SettingError
from fascnet.evaluation.sources.source import ClipFindings, Source

MISSING_RULES = ("refuse", "leave_out", "against")
"""`refuse`: no benchmark until the source is complete. `leave_out`: left out of its figures, and named.
`against`: its reference events count as missed; a negative clip earns nothing and is left out."""

MISSING_WORDS = {
    "refuse": "a benchmark with labelled clips without a prediction is refused",
    "leave_out": "labelled clips without a prediction are left out of that source's figures and named",
    "against": "the reference events of labelled clips without a prediction count as missed; such a clip "
    "without events earns nothing and is left out",
}

ABSENT_SCORE = 0.0
"""Score of a positive clip that is held against a source which scores all others: a false negative at any
threshold."""


@dataclass(frozen=True, slots=True)
class MissingClips:
    """What a source left out of the clips that the reference judged.

    Attributes:
        source: its name.
        rule: one of `MISSING_RULES`; `as_is` for raters.
        clips: how many clips the reference judged.
        not_predicted: clips that it does not name.
        failed: clips that it could not read, with the reason.
        partial: clips of which it judged only the first seconds.
        reference_events: reference events in the first two kinds.
        negative_clips: of those clips, how many hold no reference event.
    """

    source: str
    rule: str
    clips: int
    not_predicted: tuple[str, ...]
    failed: Mapping[str, str]
    partial: tuple[str, ...]
    reference_events: int
    negative_clips: int

    def to_json(self) -> dict[str, object]:
        """Return the form of `metrics.json`."""
        return {
            "rule": self.rule,
            "not_predicted": list(self.not_predicted),
            "failed": dict(self.failed),
            "partial": list(self.partial),
            "reference_events_not_predicted": self.reference_events,
            "negative_clips_not_predicted": self.negative_clips,
        }

    def warnings(self) -> list[str]:
        """Return lines for the report."""
        n = len(self.not_predicted) + len(self.failed)
        lines = []
        if n and self.rule == "against":
            lines.append(
                f"{self.source}: {n} of {self.clips} clips without prediction: their {self.reference_events} "
                f"reference events count as missed, {self.negative_clips} negative ones are left out"
            )
        elif n:
            what = "labelled" if self.rule == "as_is" else "predicted"
            lines.append(f"{self.source}: {n} of {self.clips} clips not {what}, left out")
        if self.partial:
            lines.append(f"{self.source}: {len(self.partial)} clips were predicted in part")
        return lines


def settle_missing(source: Source, truth: Source, rule: str = "refuse") -> tuple[Source, MissingClips]:
    """Decide what becomes of clips of the reference that a source says nothing about.

    Args:
        source: a model, baseline or rater.
        truth: the reference.
        rule: one of `MISSING_RULES`; only for prediction sources.

    Returns:
        The source, and what was missing. Under `against` a clip with reference events and no prediction
        becomes one without findings, and reference events after the end of a partial prediction are judged.
        Such clips have no heatmap, so pixel figures do not see them.

    Raises:
        SettingError: the rule is unknown, or is `refuse` and a clip is missing.
    """
    if rule not in MISSING_RULES:
        raise SettingError(f"missing is '{rule}'; choose {', '.join(MISSING_RULES)}")
    failed = {clip: source.failed[clip] for clip in truth.clips if clip in source.failed}
    absent = [clip for clip in truth.clips if clip not in source.clips and clip not in failed]
    silent = [*absent, *failed]
    events = {clip: len(truth.clips[clip].events) for clip in silent}
    is_rater = source.kind == "rater"
    missing = MissingClips(
        source=source.name,
        rule="as_is" if is_rater else rule,
        clips=len(truth.clips),
        not_predicted=tuple(absent),
        failed=failed,
        partial=tuple(c for c in truth.clips if c in source.clips and source.clips[c].status == "partial"),
        reference_events=sum(events.values()),
        negative_clips=sum(n == 0 for n in events.values()),
    )
    if is_rater or (rule != "against" and not silent):
        return source, missing
    if rule == "refuse":
        raise SettingError(
            f"{source.name}: {len(silent)} of {len(truth.clips)} labelled clips have no prediction, first "
            f"'{silent[0]}'; predict them, or choose missing=leave_out or missing=against"
        )
    if rule == "leave_out":
        return source, missing
    scores_all = bool(source.clips) and all(found.score is not None for found in source.clips.values())
    score = ABSENT_SCORE if scores_all else None
    # A source that makes calls of its own made the wrong one here; one that makes none still makes none.
    call = False if any(found.called is not None for found in source.clips.values()) else None
    whole = ((0.0, math.inf),)
    clips = dict(source.clips)
    clips |= {
        clip: ClipFindings(clip, whole, (), score, None, "absent", call)
        for clip, n in events.items()
        if n > 0
    }
    clips |= {clip: _extend(source.clips[clip], truth.clips[clip]) for clip in missing.partial}
    return replace(source, clips=clips), missing


def _extend(found: ClipFindings, truth: ClipFindings) -> ClipFindings:
    """Judge reference events after the end of a partial prediction; quiet seconds there are not earned."""
    end_s = max(end for _, end in found.examined)
    later = [
        (max(e.onset_s, end_s), e.offset_s) for e in truth.events if (e.onset_s + e.offset_s) / 2 >= end_s
    ]
    return replace(found, examined=(*found.examined, *merge_intervals(later)))
