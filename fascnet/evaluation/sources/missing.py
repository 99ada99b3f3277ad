"""Clips that a prediction source was not heard on: counted as "no events found" and named, or refused.

Left out, they would be a way to look good: skip what is hard. A rater who did not label a clip is another
matter, that is no claim; so raters are left as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fascnet.errors import SettingError
from fascnet.evaluation.sources.source import ClipFindings, Source

MISSING_RULES = ("absent", "refuse")
"""`absent`: no events found there; `refuse`: no benchmark until the source is complete."""

ABSENT_SCORE = 0.0
"""Score of a clip without findings, for sources that score all others: nothing found, so surely none."""


@dataclass(frozen=True, slots=True)
class MissingClips:
    """What a source left out of the clips that the reference judged.

    Attributes:
        source: its name.
        rule: one of `MISSING_RULES`; `as_is` for raters.
        not_predicted: clips that it does not name.
        failed: clips that it could not read, with the reason.
        partial: clips of which it judged only the first seconds; the rest counts likewise.
        reference_events: reference events in the first two kinds: misses, all of them.
        negative_clips: of those clips, how many hold no reference event: each counts as a correct rejection
            that the source did not earn.
    """

    source: str
    rule: str
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
        if n == 0 and not self.partial:
            return []
        if self.rule == "as_is":
            return [f"{self.source}: {n} clips not labelled, left out"] if n else []
        lines = []
        if n:
            lines.append(
                f"{self.source}: {n} clips without prediction count as 'no events found': "
                f"{self.reference_events} missed events, {self.negative_clips} negative clips not earned"
            )
        if self.partial:
            lines.append(f"{self.source}: the undecoded rest of {len(self.partial)} clips counts likewise")
        return lines


def settle_missing(source: Source, truth: Source, rule: str = "absent") -> tuple[Source, MissingClips]:
    """Bring a source to say something about every clip of the reference.

    Args:
        source: a model, baseline or rater.
        truth: the reference.
        rule: one of `MISSING_RULES`; only for prediction sources.

    Returns:
        The source, and what was missing. Under `absent` a missing or failed clip becomes one without events,
        judged whole, with score `ABSENT_SCORE` where the source scores all its clips; a partial clip
        becomes judged whole. It has no heatmap, so pixel figures do not see it.

    Raises:
        SettingError: the rule is unknown, or is `refuse` and something is missing.
    """
    if rule not in MISSING_RULES:
        raise SettingError(f"missing is '{rule}'; choose {' or '.join(MISSING_RULES)}")
    failed = {clip: source.failed[clip] for clip in truth.clips if clip in source.failed}
    absent = [clip for clip in truth.clips if clip not in source.clips and clip not in failed]
    partial = [c for c in truth.clips if c in source.clips and source.clips[c].status == "partial"]
    silent = [*absent, *failed]
    events = {clip: len(truth.clips[clip].events) for clip in silent}
    is_rater = source.kind == "rater"
    missing = MissingClips(
        source=source.name,
        rule="as_is" if is_rater else rule,
        not_predicted=tuple(absent),
        failed=failed,
        partial=tuple(partial),
        reference_events=sum(events.values()),
        negative_clips=sum(n == 0 for n in events.values()),
    )
    if is_rater:
        return source, missing
    if rule == "refuse" and (silent or partial):
        first = [*silent, *partial][0]
        raise SettingError(
            f"{source.name}: {len(silent)} labelled clips have no prediction and {len(partial)} are partial, "
            f"first '{first}'; predict them, or give missing=absent"
        )
    scores_all = bool(source.clips) and all(found.score is not None for found in source.clips.values())
    score = ABSENT_SCORE if scores_all else None
    whole = ((0.0, math.inf),)
    clips = dict(source.clips)
    clips |= {clip: ClipFindings(clip, whole, (), score, None, "absent") for clip in silent}
    clips |= {clip: replace(source.clips[clip], examined=whole) for clip in partial}
    return replace(source, clips=clips), missing
