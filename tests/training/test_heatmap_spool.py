from __future__ import annotations

import numpy as np

from fascnet.training.heatmap_spool import HeatmapSpool


def test_heatmaps_come_back_clip_by_clip() -> None:
    rng = np.random.default_rng(0)
    clips = [rng.random((5, 3, 4), dtype=np.float32), rng.random((2, 6, 2), dtype=np.float32)]
    with HeatmapSpool() as spool:
        for clip in clips:
            spool.begin((clip.shape[1], clip.shape[2]))
            spool.append(clip[:1])
            spool.append(clip[1:])
        assert len(spool) == 2
        # In any order, and more than once.
        for index in (1, 0, 1):
            np.testing.assert_allclose(np.stack(list(spool.read(index))), clips[index], atol=1 / 510 + 1e-6)


def test_a_clip_without_heatmaps_gives_none() -> None:
    with HeatmapSpool() as spool:
        spool.begin((3, 4))
        assert list(spool.read(0)) == []
