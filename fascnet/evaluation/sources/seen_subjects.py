"""Refuses clips of subjects that a source was trained or tuned on, and says where each threshold comes from.

A figure on people whom the model knows says nothing about the next patient. The only way past the refusal is
a reason in words, which stands in `metrics.json` and the report for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fascnet.data.clip_set.subject_hash import hash_input_subject, hash_subject
from fascnet.errors import SettingError
from fascnet.evaluation.sources.training_record import TrainingRecord

_NAMED = 3
"""Subjects named in a message; the rest is counted."""


@dataclass(frozen=True, slots=True)
class SeenCheck:
    """What came of the check of one source.

    Attributes:
        source: its name.
        status: `none_seen`, `seen_but_allowed`, or `not_checked`.
        reason: why it was allowed or not checked; empty for `none_seen`.
        evidence: the file that says whom the source has seen, empty when there is none.
        known_subjects: how many subjects that file lists.
        seen_clips: clips of seen subjects, in order.
        trained_on: subjects of this benchmark that it was trained on; None when training and tuning are not
            told apart.
        tuned_on: subjects of this benchmark that its thresholds were chosen on; None likewise.
        unsure_clips: clips whose subject nobody names (taken as subjects of their own).
        warnings: lines for the report.
    """

    source: str
    status: str
    reason: str
    evidence: str
    known_subjects: int
    seen_clips: tuple[str, ...]
    trained_on: int | None
    tuned_on: int | None
    unsure_clips: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the form of `metrics.json`; subjects are counted, never named."""
        return {
            "status": self.status,
            "reason": self.reason,
            "evidence": self.evidence,
            "known_subjects": self.known_subjects,
            "seen_clips": list(self.seen_clips),
            "trained_on": self.trained_on,
            "tuned_on": self.tuned_on,
            "unsure_clips": list(self.unsure_clips),
        }


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number that decides figures, and where it comes from.

    Attributes:
        name: such as `event_definition.onset_threshold` or `clip_threshold`.
        value: the number.
        origin: `model` (chosen with the model), `default` (nobody touched it), `by_hand` (set for this
            benchmark).
        verdict: `other_subjects`, `test_subjects`, `not_known`.
        reason: the same in words.
    """

    name: str
    value: float
    origin: str
    verdict: str
    reason: str

    def to_json(self) -> dict[str, object]:
        """Return the form of `metrics.json`."""
        words = {"origin": self.origin, "verdict": self.verdict, "reason": self.reason}
        return {"value": self.value, **words}


def check_seen(
    source: str, record: TrainingRecord | None, subject_of: Mapping[str, str], allow: str | None = None
) -> SeenCheck:
    """Refuse a benchmark on subjects that a source has seen.

    Args:
        source: its name.
        record: what its files say; None when they say nothing, which is recorded and is no refusal.
        subject_of: clip_id -> subject of the clips to be scored. A clip whose subject is its own clip_id is
            one whose subject nobody names.
        allow: a reason to score it nevertheless, such as `phantom of another seed: same names, other
            subjects`; None to refuse.

    Raises:
        SettingError: a subject was seen and not allowed; the reason is empty; `run.json` shows that a clip
            was predicted as another subject than its table says.
    """
    if allow is not None and (not isinstance(allow, str) or not allow.strip()):
        raise SettingError(
            "allow_seen: give the reason in words; it will stand in metrics.json and the report"
        )
    unsure = tuple(sorted(clip_id for clip_id, subject in subject_of.items() if subject == clip_id))
    if record is None or not record.seen:
        why = "its files do not say whom it was trained on" if record is None else "its file lists no subject"
        evidence = "" if record is None else record.origin.name
        warning = f"{source}: {why}; whether it knows these subjects was not checked"
        return SeenCheck(source, "not_checked", why, evidence, 0, (), None, None, unsure, (warning,))
    _refuse_renamed(source, record, subject_of)
    hashes = {subject: hash_subject(subject, record.salt) for subject in set(subject_of.values())}
    seen = sorted(subject for subject, digest in hashes.items() if digest in record.seen)
    if seen and allow is None:
        raise SettingError(
            f"{source}: {record.origin.name} says that it {_say_role(seen, hashes, record)} "
            f"{_name_some(seen)}; score other subjects, or give the reason in allow_seen"
        )
    clips = tuple(sorted(clip_id for clip_id, subject in subject_of.items() if subject in set(seen)))
    warnings = []
    if seen:
        warnings.append(f"{source}: {len(clips)} clips of {len(seen)} seen subjects were scored: {allow}")
    alike = [s for s in hashes if s not in set(seen) and _has_seen_variant(s, record)]
    if alike:
        warnings.append(f"{source}: {len(alike)} subjects differ from seen ones in spelling only: check them")
    if unsure:
        warnings.append(f"{source}: nobody names the subject of {len(unsure)} clips: not checked")
    status, reason = "none_seen", ""
    if seen and allow is not None:
        status, reason = "seen_but_allowed", allow.strip()
    elif len(unsure) == len(subject_of):
        status, reason = "not_checked", "nobody names the subject of any clip"
    return SeenCheck(
        source=source,
        status=status,
        reason=reason,
        evidence=record.origin.name,
        known_subjects=len(record.seen),
        seen_clips=clips,
        trained_on=_count(hashes, record.training),
        tuned_on=_count(hashes, record.tuning),
        unsure_clips=unsure,
        warnings=tuple(warnings),
    )


def trace_thresholds(
    record: TrainingRecord | None, check: SeenCheck, given: Mapping[str, float], defaults: Mapping[str, float]
) -> list[Threshold]:
    """Say of every threshold whether it can have been chosen on the clips that are scored.

    Args:
        record: what the source's files say.
        check: from `check_seen`; it has refused a source whose tuning subjects are scored.
        given: thresholds of this benchmark, such as `clip_threshold`.
        defaults: their defaults.
    """
    verdict, reason = "not_known", "the source's files do not say on whom it was chosen"
    if check.status == "none_seen" and record is not None:
        verdict = "other_subjects"
        reason = record.tuned_on if record.tuned_on else "training or validation subjects, none of them here"
    elif check.status == "seen_but_allowed":
        apart = check.tuned_on == 0
        verdict = "other_subjects" if apart else "test_subjects"
        reason = f"allowed: {check.reason}"
    if check.unsure_clips and verdict == "other_subjects":
        verdict, reason = "not_known", f"nobody names the subject of {len(check.unsure_clips)} clips"
    known = {} if record is None else record.thresholds
    traced = [Threshold(name, value, "model", verdict, reason) for name, value in known.items()]
    for name, value in given.items():
        if name in defaults and value == defaults[name]:
            traced.append(
                Threshold(name, value, "default", "other_subjects", "the default, fixed beforehand")
            )
        else:
            why = "set for this benchmark; say in the paper how it was chosen, and on whom"
            traced.append(Threshold(name, value, "by_hand", "not_known", why))
    return traced


def check_same_model(run: TrainingRecord, model: TrainingRecord) -> None:
    """Hold predictions to the model file that they name.

    Raises:
        SettingError: another file, or thresholds that were changed after training.
    """
    if run.model_sha256 != model.model_sha256:
        raise SettingError(f"{run.origin}: was made with another model file than {model.origin}")
    changed = sorted(
        name
        for name in {**run.thresholds, **model.thresholds}
        if run.thresholds.get(name) != model.thresholds.get(name)
    )
    if changed:
        raise SettingError(
            f"{run.origin}: {changed[0]} is not the model file's; predict again with that model"
        )
    if run.seen != model.seen or run.salt != model.salt:
        raise SettingError(f"{run.origin}: lists other subjects than {model.origin}; predict again")


def _refuse_renamed(source: str, record: TrainingRecord, subject_of: Mapping[str, str]) -> None:
    """A subject renamed in the table after prediction would slip through the check."""
    for clip_id, subject in sorted(subject_of.items()):
        # Recordings without a manifest are predicted under their own names, or none.
        fitting = {hash_input_subject(name, record.input_salt) for name in (subject, clip_id, "")}
        if clip_id in record.inputs and record.inputs[clip_id] not in fitting:
            raise SettingError(
                f"{source}: {record.origin.name} says that clip '{clip_id}' was predicted as another subject "
                f"than '{subject}'; predict again from one manifest"
            )


def _say_role(seen: list[str], hashes: Mapping[str, str], record: TrainingRecord) -> str:
    if record.training is not None and any(hashes[subject] in record.training for subject in seen):
        return "was trained on"
    if record.tuning is not None and any(hashes[subject] in record.tuning for subject in seen):
        return "chose its thresholds on"
    return "has seen, in training or in choosing thresholds,"


def _name_some(subjects: list[str]) -> str:
    named = ", ".join(f"'{subject}'" for subject in subjects[:_NAMED])
    more = f" and {len(subjects) - _NAMED} more" if len(subjects) > _NAMED else ""
    return f"subject{'s' if len(subjects) > 1 else ''} {named}{more}"


def _has_seen_variant(subject: str, record: TrainingRecord) -> bool:
    bare = subject.strip()
    variants = {bare, bare.lower(), bare.upper(), bare.lstrip("0")}
    variants |= {bare.replace("-", "_"), bare.replace("_", "-")}
    return any(hash_subject(variant, record.salt) in record.seen for variant in variants - {subject, ""})


def _count(hashes: Mapping[str, str], part: frozenset[str] | None) -> int | None:
    return None if part is None else sum(digest in part for digest in hashes.values())
