from __future__ import annotations

import numpy as np
import pytest

from fascnet.errors import OutputError
from fascnet.inference.heatmap_store import HeatmapStore, is_whole, quantise


def test_quantises_to_the_nearest_of_255_steps():
    assert quantise(np.array([0.0, 0.5, 1.0, -0.1, 1.2, 1 / 255])).tolist() == [0, 128, 255, 0, 255, 1]


@pytest.mark.parametrize("chunks", [(10,), (1,) * 10, (3, 0, 7)])
def test_round_trip_in_any_chunks(tmp_path, chunks):
    heat = np.random.default_rng(0).random((10, 5, 7)).astype(np.float32)
    with HeatmapStore(tmp_path / "clip", (5, 7)) as store:
        for part in np.split(heat, np.cumsum(chunks)[:-1]):
            store.append(part)
        assert np.array_equal(store.read(3, 6), quantise(heat[3:6]))
        assert store.read(8, 99).shape == (2, 5, 7)
        path = store.finish(fps=30.0, mm_per_px=None, box=(1, 2, 3, 4))
        assert np.array_equal(store.read(0, 1), quantise(heat[:1]))
    with np.load(path, allow_pickle=False) as saved:
        assert np.array_equal(saved["heatmap"], quantise(heat))
        assert saved["heatmap"].dtype == np.uint8
        assert float(saved["fps"]) == 30.0
        assert np.isnan(float(saved["mm_per_px"]))
        assert saved["box"].tolist() == [1, 2, 3, 4]
    assert [p.name for p in path.parent.iterdir()] == ["heatmap.npz"]
    assert is_whole(path)


def test_what_is_rewritten_takes_the_place_of_what_was(tmp_path):
    heat = np.random.default_rng(1).integers(1, 255, (600, 3, 4), dtype=np.uint8)
    with HeatmapStore(tmp_path, (3, 4)) as store:
        assert store.find_highest().tolist() == np.zeros((3, 4)).tolist()
        store.append(heat[:500] / 255.0)
        store.rewrite(255, np.zeros((4, 3, 4), np.uint8))
        store.append(heat[500:] / 255.0)
        heat[255:259] = 0
        assert np.array_equal(store.find_highest(), heat.max(axis=0))
        path = store.finish(fps=30.0, mm_per_px=0.1, box=(0, 0, 4, 3))
    assert np.array_equal(np.load(path)["heatmap"], heat)


def test_an_interrupted_clip_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), HeatmapStore(tmp_path, (2, 2)) as store:
        store.append(np.zeros((4, 2, 2)))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_no_ticks_and_wrong_sizes(tmp_path):
    with HeatmapStore(tmp_path, (2, 3)) as store:
        with pytest.raises(OutputError, match="size"):
            store.append(np.zeros((1, 3, 3)))
        store.finish(fps=1.0, mm_per_px=0.1, box=(0, 0, 1, 1))
    assert np.load(tmp_path / "heatmap.npz")["heatmap"].shape == (0, 2, 3)


def test_damaged_files_are_not_whole(tmp_path):
    bad = tmp_path / "heatmap.npz"
    assert not is_whole(bad)
    bad.write_bytes(b"PK\x03\x04 nothing")
    assert not is_whole(bad)


def test_unwritable_folder_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        HeatmapStore(tmp_path / "file", (2, 2))
