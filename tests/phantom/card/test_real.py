from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.recording.video_writer import VideoWriter
from fascnet.errors import RecordingError, SettingError
from fascnet.phantom.card.real import RealRule, read_real
from fascnet.phantom.card.sources import DEPTH_SHARE, SIDE_INSET, find_region
from fascnet.phantom.card.statistics import STATISTICS, measure_source
from fascnet.spacing import ASSUMED_MM_PER_PX
from fascnet.types import ClipSource
from tests.phantom.card.fakes import make_speckle


def write_clip(path: Path, seed: int, frames: int = 24) -> None:
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, 120, 160, 25.0, codec="ffv1") as writer:
        for _ in range(frames):
            writer.write(make_speckle(rng, (120, 160), 1.5, 2.0))


def write_still(path: Path, seed: int, shape: tuple[int, int] = (120, 160)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), make_speckle(np.random.default_rng(seed), shape, 1.5, 2.0))


def test_a_folder_of_clips_and_stills_is_read_and_grouped(tmp_path: Path) -> None:
    write_clip(tmp_path / "one.avi", 0)
    write_clip(tmp_path / "two.avi", 1)
    for i in range(3):
        write_still(tmp_path / "stills" / f"S1_{i}.png", i)
        write_still(tmp_path / "stills" / f"S2_{i}.png", 10 + i)
        write_still(tmp_path / "frames" / f"{i:03d}.png", 20 + i)
    found = read_real(tmp_path)
    assert found.problems == ()
    groups = {source.name: source.group for source in found.sources}
    assert groups == {name: name for name in ("one", "two", "stills/S1", "stills/S2", "frames")}
    clip = next(source for source in found.sources if source.name == "one")
    assert clip.is_clip and clip.is_real and clip.fps == pytest.approx(25) and len(clip.frames) == 24
    assert clip.mm_per_px == ASSUMED_MM_PER_PX and clip.is_assumed
    still = next(source for source in found.sources if source.name == "stills/S1")
    assert not still.is_clip and still.fps is None and len(still.frames) == 3


def test_rules_name_groups_spacings_and_what_to_leave_out(tmp_path: Path) -> None:
    for name in ("a_1", "a_2", "b_1", "bad"):
        write_clip(tmp_path / f"{name}.avi", 0)
    rules = [
        RealRule("a_*", group="a", mm_per_px=0.07),
        RealRule("b_*", moves=False),
        RealRule("bad*", use=False),
    ]
    found = {source.name: source for source in read_real(tmp_path, rules).sources}
    assert set(found) == {"a_1", "a_2", "b_1"}
    assert found["a_1"].group == found["a_2"].group == "a"
    assert found["a_1"].mm_per_px == 0.07 and not found["a_1"].is_assumed
    assert not found["b_1"].is_clip


def test_a_manifest_says_who_and_how_large(tmp_path: Path) -> None:
    write_clip(tmp_path / "clips/c1.avi", 0)
    write_clip(tmp_path / "clips/c2.avi", 1)
    clips = [
        ClipSource(f"c{i}", tmp_path / f"clips/c{i}.avi", "anna", mm_per_px=0.08, split="train")
        for i in (1, 2)
    ]
    write_manifest(tmp_path, clips)
    found = read_real(tmp_path).sources
    assert [(source.name, source.group, source.mm_per_px) for source in found] == [
        ("c1", "anna", 0.08),
        ("c2", "anna", 0.08),
    ]


def test_one_bad_file_never_stops_the_rest(tmp_path: Path) -> None:
    write_clip(tmp_path / "good.avi", 0)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    found = read_real(tmp_path)
    assert [source.name for source in found.sources] == ["good"]
    assert len(found.problems) == 2 and all("broken" in problem for problem in found.problems)


def test_only_the_start_of_a_long_clip_is_read(tmp_path: Path) -> None:
    write_clip(tmp_path / "long.avi", 0, frames=40)
    (source,) = read_real(tmp_path, max_frames=30).sources
    assert len(source.frames) == 30


@pytest.mark.parametrize("make", ["nothing", "missing"])
def test_a_folder_without_anything_is_an_error(tmp_path: Path, make: str) -> None:
    folder = tmp_path if make == "nothing" else tmp_path / "missing"
    with pytest.raises(RecordingError):
        read_real(folder)


def test_a_rule_with_a_wrong_key_is_an_error() -> None:
    with pytest.raises(SettingError, match="patern"):
        RealRule.from_mapping({"patern": "a*"})
    with pytest.raises(SettingError, match="pattern"):
        RealRule.from_mapping({"group": "a"})
    assert RealRule.from_mapping({"pattern": "a*", "group": "x"}).group == "x"


def test_the_region_lies_inside_the_imaging_area() -> None:
    x0, y0, x1, y1 = find_region((100, 50, 500, 450))
    assert (x0, x1) == (100 + 400 * SIDE_INSET, 500 - 400 * SIDE_INSET)
    assert (y0, y1) == (50 + 400 * DEPTH_SHARE[0], 50 + 400 * DEPTH_SHARE[1])
    assert find_region((3, 3, 4, 4)) == (3, 3, 4, 4)


@pytest.mark.real
def test_real_muscle_is_measured(real_data: Path) -> None:
    rules = [
        RealRule("gm_p6_passive*", group="p6", mm_per_px=0.0883),
        RealRule("timtrack_vl_S1*"),
        RealRule("*", use=False),
    ]
    found = read_real(real_data / "muscle", rules, max_frames=40)
    assert {source.group for source in found.sources} == {"p6", "timtrack_vl_S1_L20/S1"}
    for source in found.sources:
        values = measure_source(source)
        # Wavelengths of 6-15 MHz are 0.1-0.26 mm; a grain is a few of them.
        assert 0.2 < values["grain_axial_mm"] < 1.0
        assert 1.1 < values["grain_lateral_mm"] < 3.0
        assert values["coherence"] > 0.5
    clip = next(source for source in found.sources if source.is_clip)
    assert set(measure_source(clip)) == {statistic.name for statistic in STATISTICS}
