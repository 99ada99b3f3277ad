"""A pilot for a study to come: the clips of a finished benchmark, summed by subject."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fascnet.errors import SettingError
from fascnet.evaluation.figures import clips, events
from fascnet.evaluation.figures.operating_curves import MAX_THRESHOLDS
from fascnet.evaluation.figures.score_table import auroc, tabulate_scores
from fascnet.evaluation.raters.agreement import cohen_kappa
from fascnet.evaluation.sources.text_table import Row, read_text_table
from fascnet.evaluation.uncertainty.bootstrap import FloatArray, SumsFigure, sum_by_subject

METRICS_FILE = "metrics.json"
CLIPS_FILE = "tables/clips.csv"
COLUMNS = (
    "source",
    "clip_id",
    "subject",
    "examined_min",
    "reference_events",
    "found_events",
    "hits",
    "score",
    "truth",
)


@dataclass(frozen=True, slots=True, eq=False)
class PilotClips:
    """One source's clips in a benchmark.

    Attributes:
        source: its name.
        clip_ids: their names.
        subject: index of each clip's subject (n,).
        n_subjects: subjects of the whole benchmark.
        counts: hits, false alarms, missed events and examined minutes of each clip (n, 4).
        score: of each clip, NaN where the source gives none (n,).
        truth: 1 positive, 0 negative, -1 neither (n,).
        clip_threshold: score from which a clip was called positive.
    """

    source: str
    clip_ids: tuple[str, ...]
    subject: NDArray[np.int64]
    n_subjects: int
    counts: FloatArray
    score: FloatArray
    truth: NDArray[np.int64]
    clip_threshold: float

    def keep(self, clip_ids: Sequence[str]) -> PilotClips:
        """Return these clips alone, in this order."""
        place = {clip_id: i for i, clip_id in enumerate(self.clip_ids)}
        rows = np.array([place[clip_id] for clip_id in clip_ids], dtype=np.int64)
        return PilotClips(
            self.source,
            tuple(clip_ids),
            self.subject[rows],
            self.n_subjects,
            self.counts[rows],
            self.score[rows],
            self.truth[rows],
            self.clip_threshold,
        )

    def sum_for(self, figure: str) -> tuple[FloatArray, SumsFigure]:
        """Return the sums of each subject (S, k) that a figure follows from, and the figure.

        Subjects without any clip of this source are left out.

        Raises:
            SettingError: there is no such figure of a pilot, or the source gives no scores.
        """
        present = np.unique(self.subject)
        if figure == "auroc":
            return self._tabulate_scores()[present], auroc
        rows, compute = self._list_rows(figure)
        return sum_by_subject(rows, self.subject, self.n_subjects)[present], compute

    def _tabulate_scores(self) -> FloatArray:
        if not np.isfinite(self.score).all():
            raise SettingError(f"pilot: '{self.source}' gives clips no score, so there is no auroc")
        rated = self.truth >= 0
        table = tabulate_scores(
            self.score[rated],
            self.truth[rated] == 1,
            self.subject[rated],
            self.n_subjects,
            MAX_THRESHOLDS,
        )
        return np.concatenate([table.positive, table.negative], axis=1)

    def _list_rows(self, figure: str) -> tuple[FloatArray, SumsFigure]:
        if figure in _OF_EVENTS:
            return self.counts, _OF_EVENTS[figure]
        rated = self.truth >= 0
        truth = self.truth == 1
        if figure in _OF_CLIPS:
            found = self.counts[:, events.HIT] + self.counts[:, events.FALSE] > 0
            says = np.where(np.isfinite(self.score), self.score >= self.clip_threshold, found)
            return clips.count_outcomes(says, truth) * rated[:, None], _OF_CLIPS[figure]
        known = ", ".join((*_OF_EVENTS, *_OF_CLIPS, "auroc"))
        raise SettingError(f"figure is '{figure}'; a pilot knows {known}")


def read_pilot(folder: Path) -> dict[str, PilotClips]:
    """Read the clips of a finished benchmark by source, the main source first.

    Raises:
        SettingError: the folder is no benchmark's, or a table of it is damaged.
    """
    metrics = _read_metrics(folder / METRICS_FILE)
    path = folder / CLIPS_FILE
    if not path.is_file():
        raise SettingError(f"{path}: is not there; give pilot= the folder that `fascnet benchmark` wrote")
    by_source: dict[str, list[Row]] = {}
    for row in read_text_table(path, COLUMNS):
        by_source.setdefault(row.needed_text("source"), []).append(row)
    main, rules = metrics.get("main_source"), metrics.get("rules")
    threshold = rules.get("clip_threshold") if isinstance(rules, Mapping) else None
    if main not in by_source or isinstance(threshold, bool) or not isinstance(threshold, int | float):
        raise SettingError(f"{folder / METRICS_FILE}: does not belong to {CLIPS_FILE}; run benchmark again")
    n_subjects = 1 + max(_read_index(row, "subject") for rows in by_source.values() for row in rows)
    names = sorted(by_source, key=lambda name: name != main)
    return {name: _build(name, by_source[name], n_subjects, float(threshold)) for name in names}


def share_clips(first: PilotClips, second: PilotClips) -> tuple[PilotClips, PilotClips]:
    """Return the clips that both sources judged, in one order.

    Raises:
        SettingError: there is none.
    """
    common = set(first.clip_ids) & set(second.clip_ids)
    if not common:
        raise SettingError(f"pilot: '{first.source}' and '{second.source}' share no clip")
    names = [clip_id for clip_id in first.clip_ids if clip_id in common]
    return first.keep(names), second.keep(names)


def estimate_icc(successes: FloatArray, units: FloatArray) -> float | None:
    """Estimate the correlation of two units of one subject, of 0-1 answers, by analysis of variance.

    (MSB - MSW) / (MSB + (n0 - 1) MSW) with n0 = (N - sum(n²) / N) / (k - 1), at least 0 (Ridout, Demétrio &
    Firth 1999, Biometrics 55:137-148, their 'AOV').

    Args:
        successes: of each subject (S,).
        units: of each subject (S,).

    Returns:
        None with fewer than two subjects, or where no subject has two units, or all answers are alike.
    """
    used = units > 0
    y, n = successes[used], units[used]
    k, total = len(n), float(n.sum())
    if k < 2 or total <= k or y.sum() in (0, total):
        return None
    within = float((y - y**2 / n).sum()) / (total - k)
    between = (float((y**2 / n).sum()) - float(y.sum()) ** 2 / total) / (k - 1)
    n0 = (total - float((n**2).sum()) / total) / (k - 1)
    return max((between - within) / (between + (n0 - 1) * within), 0.0)


_OF_EVENTS: Mapping[str, SumsFigure] = {
    "recall": events.recall,
    "precision": events.precision,
    "f1": events.f1,
    "false_alarms_per_min": events.false_alarms_per_min,
}
_OF_CLIPS: Mapping[str, SumsFigure] = {
    "sensitivity": clips.sensitivity,
    "specificity": clips.specificity,
    "kappa": cohen_kappa,
}


def _read_metrics(path: Path) -> Mapping[str, object]:
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(
            f"{path}: cannot be read ({error.strerror}); give pilot= a folder that `fascnet benchmark` wrote"
        ) from error
    except ValueError as error:
        raise SettingError(f"{path}: is not JSON; run benchmark again") from error
    if not isinstance(metrics, dict):
        raise SettingError(f"{path}: holds no figures; run benchmark again")
    return metrics


def _build(name: str, rows: Sequence[Row], n_subjects: int, threshold: float) -> PilotClips:
    names = [row.needed_text("clip_id") for row in rows]
    if len(set(names)) < len(names):
        raise rows[0].refuse(f"'{name}' has a clip twice; run benchmark again")
    counts = np.array([_count(row) for row in rows], dtype=np.float64)
    scores = [row.number_in("score", 0.0, 1.0) for row in rows]
    score = np.array([np.nan if value is None else value for value in scores], dtype=np.float64)
    truth = [-1 if row.text("truth") == "" else _read_index(row, "truth", 1) for row in rows]
    subject = np.array([_read_index(row, "subject") for row in rows], dtype=np.int64)
    return PilotClips(
        name, tuple(names), subject, n_subjects, counts, score, np.array(truth, dtype=np.int64), threshold
    )


def _count(row: Row) -> list[float]:
    hits = _read_index(row, "hits")
    reference, found = _read_index(row, "reference_events"), _read_index(row, "found_events")
    if hits > min(reference, found):
        raise row.refuse("has more hits than events; run benchmark again")
    return [hits, found - hits, reference - hits, row.needed_number("examined_min", 0.0)]


def _read_index(row: Row, column: str, most: int = 10**9) -> int:
    value = row.needed_number(column, 0.0)
    if value != int(value) or value > most:
        raise row.refuse(f"{column} is {value:g}; give a whole number from 0 to {most}")
    return int(value)
