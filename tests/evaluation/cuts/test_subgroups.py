from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.cuts.subgroups import (
    group_clips,
    measure_group,
    merge_clip_tables,
    name_bins,
    pick_outcomes,
    read_clip_table,
)

from ..outcomes import draw_outcomes

IDS = [f"c{i:03d}" for i in range(60)]


def make_table(seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"clip_id": IDS})
    frame["muscle"] = rng.choice(["biceps", "tibialis", ""], len(IDS))
    frame["noise_db"] = [f"{x:.3f}" for x in rng.uniform(-40, -10, len(IDS))]
    frame["n_twitches"] = rng.choice(["0", "2", "10"], len(IDS))
    frame["confounders"] = rng.choice(["", "probe_motion", "probe_motion+breathing", "breathing"], len(IDS))
    return frame, frame.set_index("clip_id", drop=False).to_dict("index")


@pytest.mark.parametrize("seed", range(3))
def test_words_are_pandas_groups(seed):
    frame, table = make_table(seed)
    grouping = group_clips(table, "muscle", IDS)
    expected = {name: tuple(rows.clip_id) for name, rows in frame[frame.muscle != ""].groupby("muscle")}
    assert dict(grouping.groups) == expected
    assert grouping.unknown == tuple(frame[frame.muscle == ""].clip_id), "an empty cell is not a group"


@pytest.mark.parametrize("quantiles", [2, 3, 5])
def test_quantiles_are_pandas_cuts(quantiles):
    frame, table = make_table(4)
    values = frame.noise_db.astype(float)
    grouping = group_clips(table, "noise_db", IDS, quantiles=quantiles)
    inner = values.quantile([k / quantiles for k in range(1, quantiles)]).to_numpy()
    assert grouping.chosen == "quantiles" and grouping.cuts == pytest.approx(inner, abs=1e-9)
    bins = pd.cut(values, [-np.inf, *inner, np.inf], right=False, labels=False)
    expected = [tuple(frame.clip_id[bins == k]) for k in range(quantiles)]
    assert list(grouping.groups.values()) == expected
    assert max(map(len, expected)) - min(map(len, expected)) <= 1


def test_quantiles_are_type_7_of_hyndman_and_fan():
    """Hyndman & Fan 1996, Am. Stat. 50:361, definition 7: p_k = (k - 1) / (n - 1). By hand for 1..9, thirds:
    1 + 8/3 and 1 + 16/3."""
    table = {f"c{k}": {"size": str(k)} for k in range(1, 10)}
    grouping = group_clips(table, "size", list(table))
    assert grouping.cuts == pytest.approx((1 + 8 / 3, 1 + 16 / 3), abs=1e-12)
    assert [len(clips) for clips in grouping.groups.values()] == [3, 3, 3]
    assert list(grouping.groups) == ["below 3.667", "3.667 to 6.333", "6.333 and more"]


def test_given_cuts_hold_their_lower_edge_and_leave_nothing_out():
    table = {
        name: {"peak_mm_median": cell}
        for name, cell in zip("abcde", ("0.15", "0.149", "9", "", "0.3"), strict=True)
    }
    grouping = group_clips(table, "peak_mm_median", list("abcdef"), cuts=[0.15, 0.3])
    assert dict(grouping.groups) == {
        "below 0.15": ("b",),
        "0.15 to 0.3": ("a",),
        "0.3 and more": ("c", "e"),
    }
    assert grouping.unknown == ("d", "f") and grouping.chosen == "given"
    assert grouping.describe()["unknown_clips"] == 2


def test_few_numbers_are_levels_in_order_of_size():
    _, table = make_table()
    assert list(group_clips(table, "n_twitches", IDS).groups) == ["0", "2", "10"]


def test_many_equal_numbers_make_no_empty_bin():
    table = {f"c{k}": {"n": str(max(0, k - 20))} for k in range(30)}
    grouping = group_clips(table, "n", list(table))
    assert all(grouping.groups.values()) and sum(map(len, grouping.groups.values())) == 30


def test_a_clip_belongs_to_each_of_its_confounders():
    frame, table = make_table(2)
    grouping = group_clips(table, "confounders", IDS)
    assert list(grouping.groups) == ["breathing", "probe_motion", "none"]
    for name in ("breathing", "probe_motion"):
        assert grouping.groups[name] == tuple(frame.clip_id[frame.confounders.str.contains(name)])
    assert grouping.groups["none"] == tuple(frame.clip_id[frame.confounders == ""])


def test_close_cuts_have_names_of_their_own():
    assert len(set(name_bins([0.123451, 0.123452, 0.123453]))) == 4
    assert name_bins([]) == ["all"] and name_bins([5]) == ["below 5", "5 and more"]


def test_sizes_are_counted_and_few_is_said():
    outcomes, _ = draw_outcomes(1)
    size = measure_group(outcomes)
    assert (size.n_clips, size.n_subjects, size.warning) == (60, 12, "")
    assert size.n_events == sum(len(o.reference) for o in outcomes)
    small = measure_group(pick_outcomes(outcomes, ["c000", "c012", "nowhere"]))
    assert (small.n_clips, small.n_subjects) == (2, 1)
    assert "1 subjects, fewer than 10" in small.warning and "events, fewer than 20" in small.warning
    assert measure_group([]).n_clips == 0


@pytest.mark.parametrize(
    ("column", "settings", "words"),
    [
        ("scanner", {}, "choose one of"),
        ("subject_id", {}, "choose one of"),
        ("clip_id", {}, "choose one of"),
        ("muscle", {"cuts": [1.0]}, "is no number"),
        ("noise_db", {"cuts": [2.0, 1.0]}, "rise"),
        ("noise_db", {"cuts": []}, "rise"),
        ("noise_db", {"cuts": [float("nan")]}, "rise"),
        ("noise_db", {"quantiles": 1}, "no groups"),
        ("hash", {}, "60 different words"),
    ],
)
def test_what_makes_no_groups_is_refused(column, settings, words):
    _, table = make_table()
    for clip_id, cells in table.items():
        cells["hash"] = f"h{clip_id}"
    with pytest.raises(SettingError, match=words) as caught:
        group_clips(table, column, IDS, **settings)
    assert "\n" not in str(caught.value)


def test_tables_are_read_as_text_and_joined(tmp_path):
    (tmp_path / "manifest.csv").write_text(
        "clip_id,path,subject_id,muscle\na,a.mp4,007,\nb,b.mp4,NA,biceps\n"
    )
    (tmp_path / "clips.csv").write_text(
        "clip_id,subject_id,muscle,noise\na,007,tibialis,quiet\nc,008,x,noisy\n"
    )
    tables = [read_clip_table(tmp_path / name) for name in ("manifest.csv", "clips.csv")]
    merged = merge_clip_tables(tables)
    assert merged["a"]["subject_id"] == "007" and merged["b"]["subject_id"] == "NA"
    assert (
        merged["a"]["muscle"] == "tibialis" and merged["a"]["noise"] == "quiet" and set(merged) == set("abc")
    )
    tables[1]["a"]["subject_id"] = "8"
    with pytest.raises(SettingError, match="007 and 8"):
        merge_clip_tables(tables)
    tables[1]["a"]["subject_id"] = "a"
    for order in (tables, tables[::-1]):
        assert merge_clip_tables(order)["a"]["subject_id"] == "007", "a clip_id names no subject"
    (tmp_path / "clips.csv").write_text("clip_id,noise\na,quiet\na,noisy\n")
    with pytest.raises(SettingError, match=r"row 3.*twice"):
        read_clip_table(tmp_path / "clips.csv")
