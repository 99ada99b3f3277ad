"""What is known about each clip apart from its events, from every file that says something of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fascnet.errors import SettingError
from fascnet.evaluation.cuts.subgroups import ClipTable
from fascnet.evaluation.sources.source import ClipFacts, Source
from fascnet.types import ClipSource


def collect_facts(
    sources: Sequence[Source],
    labels: Iterable[str],
    clips: Sequence[ClipSource] = (),
    table: ClipTable | None = None,
) -> dict[str, ClipFacts]:
    """Collect what is known about each labelled clip from the first that knows it.

    A clip whose subject nobody names is a subject of its own: its clip_id stands for the subject. Such an id
    is no statement, so it gives way to any other.

    Args:
        sources: models and baselines, asked first.
        labels: clip_ids of the labelled clips.
        clips: the recordings that are given, with what their manifest says; asked next.
        table: columns of clips; its `subject_id` is asked last.

    Raises:
        SettingError: two of them disagree about a clip's subject.
    """
    listed = {clip.clip_id: clip for clip in clips}
    facts: dict[str, ClipFacts] = {}
    for clip_id in labels:
        known = [source.facts[clip_id] for source in sources if clip_id in source.facts]
        # A clip that could not be read has no frame rate in one source, but perhaps in the next.
        known.sort(key=lambda fact: fact.fps is None)
        if clip_id in listed:
            clip = listed[clip_id]
            known.append(ClipFacts(clip.subject_id, clip.muscle, clip.side, clip.fps, clip.mm_per_px))
        if table is not None and clip_id in table:
            known.append(ClipFacts(table[clip_id].get("subject_id", "")))
        facts[clip_id] = _join(clip_id, known)
    return facts


def warn_of_unnamed(subject_of: Mapping[str, str]) -> list[str]:
    """Say of how many clips nobody names the subject, given clip_id -> subject."""
    n_unnamed = sum(subject == clip_id for clip_id, subject in subject_of.items())
    if not n_unnamed:
        return []
    return [f"nobody names the subject of {n_unnamed} clips: each counts as its own; give input=MANIFEST"]


def _join(clip_id: str, known: Sequence[ClipFacts]) -> ClipFacts:
    """Take each fact from the first that states it."""
    named = [fact.subject_id for fact in known if fact.subject_id not in ("", clip_id)]
    if len(set(named)) > 1:
        raise SettingError(
            f"predictions: clip '{clip_id}' has subject_id {' and '.join(sorted(set(named)))}; take "
            "predictions, input and clip_tables from one manifest"
        )
    return ClipFacts(
        named[0] if named else clip_id,
        next((fact.muscle for fact in known if fact.muscle), ""),
        next((fact.side for fact in known if fact.side), ""),
        next((fact.fps for fact in known if fact.fps is not None), None),
        next((fact.mm_per_px for fact in known if fact.mm_per_px is not None), None),
        next((fact.pixel_aspect for fact in known if fact.pixel_aspect is not None), None),
    )
