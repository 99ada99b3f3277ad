from __future__ import annotations

import numpy as np

from fascnet.training.heatmap_spool import LOGIT_STEP, HeatmapSpool
from fascnet.types import ClipCalibration


def compute_logits(p: np.ndarray) -> np.ndarray:
    return np.log(p / (1 - p.astype(np.float64)))


def test_heatmaps_come_back_clip_by_clip() -> None:
    rng = np.random.default_rng(0)
    clips = [rng.random((5, 3, 4), dtype=np.float32), rng.random((2, 6, 2), dtype=np.float32)]
    with HeatmapSpool() as spool:
        for clip in clips:
            spool.begin((clip.shape[1], clip.shape[2]))
            spool.append(clip[:1])
            spool.append(clip[1:])
        # In any order, and more than once.
        for index in (1, 0, 1):
            logits = compute_logits(np.stack(list(spool.read(index))))
            np.testing.assert_allclose(logits, compute_logits(clips[index]), atol=LOGIT_STEP / 2 + 1e-3)


def test_a_clip_without_heatmaps_gives_none() -> None:
    with HeatmapSpool() as spool:
        spool.begin((3, 4))
        assert list(spool.read(0)) == []


def test_none_and_all_stay_so_and_long_clips_come_in_pieces() -> None:
    heatmaps = np.zeros((150, 2, 2), np.float32)
    heatmaps[:, 0, 0] = 1.0
    heatmaps[:, 0, 1] = np.linspace(0.1, 0.9, 150)
    with HeatmapSpool() as spool:
        spool.begin((2, 2))
        spool.append(heatmaps)
        pieces = list(spool.read_chunks(0))
        assert len(pieces) > 1
        np.testing.assert_allclose(np.concatenate(pieces), heatmaps, atol=0.02)
        assert (np.concatenate(pieces)[:, 1] == 0.0).all()


def test_what_was_kept_is_read_calibrated() -> None:
    heatmaps = np.array([[[0.0, 0.2, 0.5, 0.999]]], np.float32)
    with HeatmapSpool() as spool:
        spool.begin((1, 4))
        spool.append(heatmaps)
        spool.calibrate(ClipCalibration(slope=0.5, intercept=-1.0))
        (read,) = spool.read(0)
    assert read[0, 0] == 0.0
    wanted = 0.5 * compute_logits(heatmaps[0, 0, 1:]) - 1.0
    np.testing.assert_allclose(compute_logits(read[0, 1:]), wanted, atol=LOGIT_STEP / 4 + 1e-3)
