from __future__ import annotations

from pathlib import Path

import pytest

from fascnet.data.recording.opened import check_file, choose_spacing, make_info
from fascnet.errors import RecordingError


def test_what_is_given_goes_first() -> None:
    assert choose_spacing(0.2, "sidecar", 0.1, "dicom") == (0.2, "sidecar")
    assert choose_spacing(None, "manifest", 0.1, "dicom") == (0.1, "dicom")
    assert choose_spacing(None, "manifest", None, "dicom") is None


@pytest.mark.parametrize(("n_frames", "duration_s"), [(50, 2.0), (None, 9.0)])
def test_info(n_frames: int | None, duration_s: float) -> None:
    info = make_info(
        height=4, width=6, n_frames=n_frames, fps=25.0, duration_s=9.0, spacing=(0.1, "file"), box=None
    )
    assert (info.duration_s, info.box) == (duration_s, (0, 0, 6, 4))
    assert (info.mm_per_px, info.mm_per_px_from) == (0.1, "file")


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name, says in (("", "folder"), ("empty", "0 bytes"), ("absent", "cannot be read")):
        with pytest.raises(RecordingError, match=says):
            check_file(tmp_path / name)
    (tmp_path / "full").write_text("x")
    assert check_file(tmp_path / "full") == tmp_path / "full"
