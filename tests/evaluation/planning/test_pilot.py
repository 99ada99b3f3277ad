from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pingouin
import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from fascnet.errors import SettingError
from fascnet.evaluation.planning.pilot import COLUMNS, estimate_icc, read_pilot, share_clips
from fascnet.evaluation.report.csv_tables import CLIP_COLUMNS

from .pilots import write_pilot, write_rows


def compute(clips, figure):
    sums, of = clips.sum_for(figure)
    return float(of(sums.sum(axis=0)[None])[0])


def test_figures_are_those_of_the_table(tmp_path: Path) -> None:
    pilot = read_pilot(write_pilot(tmp_path))
    assert list(pilot) == ["model", "rater"]
    table = pd.read_csv(tmp_path / "tables" / "clips.csv")
    mine = table[table.source == "model"]
    hits, found, true = mine.hits.sum(), mine.found_events.sum(), mine.reference_events.sum()
    model = pilot["model"]
    assert compute(model, "recall") == pytest.approx(hits / true)
    assert compute(model, "precision") == pytest.approx(hits / found)
    assert compute(model, "f1") == pytest.approx(2 * hits / (found + true))
    assert compute(model, "false_alarms_per_min") == pytest.approx((found - hits) / 18)
    says = mine.score >= 0.5
    assert compute(model, "sensitivity") == pytest.approx(says[mine.truth == 1].mean())
    assert compute(model, "specificity") == pytest.approx(1 - says[mine.truth == 0].mean())
    assert compute(model, "kappa") == pytest.approx(cohen_kappa_score(says, mine.truth == 1))
    assert compute(model, "auroc") == pytest.approx(roc_auc_score(mine.truth, mine.score))
    rater = table[table.source == "rater"]
    assert compute(pilot["rater"], "sensitivity") == pytest.approx(
        (rater.found_events > 0)[rater.truth == 1].mean()
    )
    with pytest.raises(SettingError, match="'rater' gives clips no score"):
        pilot["rater"].sum_for("auroc")
    with pytest.raises(SettingError, match="a pilot knows recall"):
        model.sum_for("dice")


def test_clips_that_are_neither_count_for_events_alone(tmp_path: Path) -> None:
    row = ["model", "a", 0, 1.0, 0, 1, 0, 0.9, ""]
    write_rows(
        tmp_path, [row, ["model", "b", 1, 1.0, 2, 2, 2, 0.8, 1], ["model", "c", 3, 1.0, 0, 0, 0, 0, 0]]
    )
    model = read_pilot(tmp_path)["model"]
    assert compute(model, "precision") == pytest.approx(2 / 3)
    assert compute(model, "specificity") == 1 and compute(model, "auroc") == 1
    # Subject 2 has no clip: not a subject of zeros.
    assert len(model.sum_for("recall")[0]) == 3 == len(model.sum_for("auroc")[0])


def test_two_sources_share_clips_in_one_order(tmp_path: Path) -> None:
    rows = [["model", name, s, 1, 1, 1, 1, 1, 1] for s, name in enumerate("abc")]
    rows += [["rater", name, "abc".index(name), 1, 1, 0, 0, "", 1] for name in "cb"]
    write_rows(tmp_path, rows)
    pilot = read_pilot(tmp_path)
    one, two = share_clips(pilot["model"], pilot["rater"])
    assert one.clip_ids == two.clip_ids == ("b", "c")
    assert one.subject.tolist() == two.subject.tolist() == [1, 2]
    write_rows(tmp_path, [rows[0], rows[-1]])
    pilot = read_pilot(tmp_path)
    with pytest.raises(SettingError, match="share no clip"):
        share_clips(pilot["model"], pilot["rater"])


def test_icc_is_pingouins_where_subjects_are_alike_in_size() -> None:
    rng = np.random.default_rng(0)
    answers = rng.random((40, 6)) < rng.beta(2, 1, 40)[:, None]
    long = pd.DataFrame(answers.astype(float)).melt(ignore_index=False).reset_index()
    table = pingouin.intraclass_corr(long, targets="index", raters="variable", ratings="value")
    one_way = table.set_index("Type").loc[["ICC1"] if "ICC1" in set(table["Type"]) else ["ICC(1,1)"]]
    mine = estimate_icc(answers.sum(axis=1).astype(float), np.full(40, 6.0))
    assert mine == pytest.approx(float(one_way["ICC"].iloc[0]), abs=1e-9)


def test_icc_finds_the_one_that_was_drawn_and_says_when_there_is_none() -> None:
    rng = np.random.default_rng(1)
    units = 1.0 + rng.poisson(5, 4000)
    hits = rng.binomial(units.astype(int), rng.beta(0.8 * 3, 0.2 * 3, 4000)).astype(float)
    assert estimate_icc(hits, units) == pytest.approx(0.25, abs=0.03)
    assert estimate_icc(np.array([1.0]), np.array([2.0])) is None
    assert estimate_icc(np.array([1.0, 0]), np.array([1.0, 1])) is None
    assert estimate_icc(np.array([2.0, 3]), np.array([2.0, 3])) is None
    assert estimate_icc(np.array([1.0, 1, 0]), np.array([2.0, 2, 0])) == 0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda f: (f / "tables" / "clips.csv").unlink(), "clips.csv: is not there"),
        (lambda f: (f / "metrics.json").unlink(), "metrics.json: cannot be read"),
        (lambda f: (f / "metrics.json").write_text("{"), "is not JSON"),
        (lambda f: (f / "metrics.json").write_text("[]"), "holds no figures"),
        (lambda f: (f / "metrics.json").write_text("{}"), "does not belong to"),
        (lambda f: write_rows(f, [["model"]], ("source",)), "lacks the column clip_id"),
        (lambda f: write_rows(f, [["model", "a", 0, 1, 1, 1, 2, 1, 1]]), "more hits than events"),
        (lambda f: write_rows(f, [["model", "a", 0.5, 1, 1, 1, 1, 1, 1]]), "subject is 0.5"),
        (lambda f: write_rows(f, [["model", "a", 0, 1, 1, 1, 1, 1, 2]]), "truth is 2"),
        (lambda f: write_rows(f, 2 * [["model", "a", 0, 1, 1, 1, 1, 1, 1]]), "a clip twice"),
    ],
)
def test_what_is_no_benchmark_is_one_line(tmp_path: Path, change, named) -> None:
    write_pilot(tmp_path)
    change(tmp_path)
    with pytest.raises(SettingError, match=named) as found:
        read_pilot(tmp_path)
    assert "\n" not in str(found.value) and str(tmp_path) in str(found.value)


def test_columns_are_those_of_the_benchmark() -> None:
    assert set(COLUMNS) <= set(CLIP_COLUMNS)
