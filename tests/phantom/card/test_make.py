from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fascnet.data.recording.video_writer import VideoWriter
from fascnet.errors import OutputError, RecordingError, SettingError
from fascnet.phantom.card.make import make_card
from fascnet.phantom.card.page import format_figure
from fascnet.phantom.card.published import PUBLISHED
from fascnet.phantom.card.simulated import render_phantom
from fascnet.phantom.card.statistics import STATISTICS
from fascnet.phantom.settings import PhantomSettings
from tests.phantom.card.fakes import make_speckle

SMALL = PhantomSettings.from_mapping(
    {
        "duration_s": [1.5, 1.5],
        "scan": {"fps": [20, 20], "height_px": [150, 150], "width_px": [150, 150], "mm_per_px": [0.15, 0.15]},
    }
)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    for index in range(3):
        rng = np.random.default_rng(index)
        with VideoWriter(folder / f"clip&{index}.avi", 160, 180, 25.0, codec="ffv1") as writer:
            still = make_speckle(rng, (160, 180), 1.5, 3.0).astype(np.float32)
            for _ in range(24):
                writer.write(np.clip(still + rng.normal(0, 2, still.shape), 0, 255).astype(np.uint8))
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


@pytest.fixture(scope="module")
def card(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("card") / "new" / "folder"
    rules = [{"pattern": "*.avi", "mm_per_px": 0.15}]
    steps: list[tuple[str, int, int]] = []
    page = make_card(
        output, SMALL, real, rules, subjects=3, classifier_epochs=1, on_step=lambda *step: steps.append(step)
    )
    assert page == output / "card.html"
    assert ("phantom clips", 3, 3) in steps and ("measured", 6, 6) in steps
    return output


def test_the_page_stands_alone(card: Path) -> None:
    text = (card / "card.html").read_text(encoding="utf-8")
    assert "<script" not in text and "http" not in re.sub(r"base64,[^\"]*", "", text)
    assert text.count("data:image/png;base64,") == 11
    assert ">clip_0<" in text
    assert "not a medical device" in text
    assert "broken.mp4" in text
    assert not re.search(r"\bnan\b", re.sub(r"base64,[^\"]*", "", text).lower())


def test_every_figure_has_value_range_verdict_and_source(card: Path) -> None:
    facts = json.loads((card / "card.json").read_text(encoding="utf-8"))
    assert facts["format"] == "fascnet-phantom-card/1"
    assert [row["name"] for row in facts["published"]] == [published.name for published in PUBLISHED]
    for row in facts["published"]:
        assert row["verdict"] in {"inside", "outside", "informative"} and row["reason"] and row["source"]
        assert row["value"] is not None
    assert {row["name"] for row in facts["statistics"]} <= {statistic.name for statistic in STATISTICS}
    assert len(facts["statistics"]) >= len(STATISTICS) - 3
    aurocs = [row["auroc"] for row in facts["statistics"]]
    assert aurocs == sorted(aurocs, reverse=True)
    assert sum(facts["summary"]["statistics"].values()) == len(facts["statistics"])
    assert 0 <= facts["classifier"]["network"]["auroc"] <= 1
    assert len(facts["classifier"]["linear"]) == 2
    by_group = facts["classifier"]["groups"]
    assert [row["side"] for row in by_group].count("real") == 3 and len(by_group) == 6
    assert all(0 <= row["taken_for_real"] <= 1 and row["patches"] > 0 for row in by_group)
    assert facts["phantom"]["settings"] == SMALL.to_mapping()
    assert facts["real"]["groups"] == 3 and len(facts["real"]["problems"]) == 1


def test_the_tables_can_be_read(card: Path) -> None:
    tables = card / "tables"
    assert len(pd.read_csv(tables / "published.csv")) == len(PUBLISHED)
    assert set(pd.read_csv(tables / "sources.csv")["side"]) == {"real", "phantom"}
    assert "grain_axial_mm" in set(pd.read_csv(tables / "statistics.csv")["name"])
    assert len(pd.read_csv(tables / "classifier.csv")) == 6
    assert "core_area_mm2" in set(pd.read_csv(tables / "twitches.csv")["quantity"])


def test_without_real_clips_the_published_figures_remain(tmp_path: Path) -> None:
    page = make_card(tmp_path, SMALL, subjects=2)
    text = page.read_text(encoding="utf-8")
    assert "published figures only" in text and "Pictures against real ones" not in text
    facts = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert facts["real"] is None and facts["statistics"] == [] and facts["classifier"]["network"] is None


def test_the_same_seed_gives_the_same_phantom() -> None:
    one, other = (render_phantom(SMALL, 1, seed=2, max_frames=3) for _ in range(2))
    assert np.array_equal(one[0].frames, other[0].frames)
    assert one[0].frames.shape[0] == 3 and one[0].mm_per_px == 0.15 and not one[0].is_real


@pytest.mark.parametrize(
    ("key", "value"),
    [("subjects", 1), ("seed", -1), ("classifier_epochs", 1000), ("classifier_pitch_mm", 0.0)],
)
def test_numbers_out_of_bounds_are_refused(tmp_path: Path, key: str, value: float) -> None:
    with pytest.raises(SettingError, match=key):
        make_card(tmp_path, SMALL, **{key: value})


def test_wrong_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="nowhere"):
        make_card(tmp_path, SMALL, tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        make_card(tmp_path / "file", SMALL)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "any"),
        (0.0, "0"),
        (0.12345, "0.123"),
        (12345.6, "12346"),
        (2e-5, "2.0e-05"),
    ],
)
def test_figures_are_short(value: float | None, shown: str) -> None:
    assert format_figure(value) == shown
