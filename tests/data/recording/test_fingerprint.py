from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from fascnet.data.recording.fingerprint import stamp_files, take_fingerprint
from tests.data.recording.test_meta_image import write_meta
from tests.data.recording.test_picture_folder import write_pictures
from tests.data.recording.test_recordings import write_clip


def test_of_one_file(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.avi")
    data = (tmp_path / "a.avi").read_bytes()
    print_ = take_fingerprint(tmp_path / "a.avi")
    assert (print_.n_bytes, print_.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    (tmp_path / "a.avi.recording.json").write_text('{"fps": 20}')
    assert take_fingerprint(tmp_path / "a.avi") != print_


@pytest.mark.parametrize("kind", ["pictures", "header"])
def test_every_file_counts(tmp_path: Path, kind: str) -> None:
    if kind == "pictures":
        path, changed = tmp_path / "a", tmp_path / "a" / "2.png"
        write_pictures(path, ["1.png", "2.png"])
    else:
        path, changed = write_meta(tmp_path / "a.mhd", data_file="a.raw"), tmp_path / "a.raw"
    before, stamps = take_fingerprint(path), stamp_files(path)
    assert before == take_fingerprint(path) and stamps == stamp_files(path)
    data = bytearray(changed.read_bytes())
    data[-20] ^= 1
    changed.write_bytes(data)
    assert take_fingerprint(path).sha256 != before.sha256
    os.utime(changed, ns=(1, 1))
    assert stamp_files(path) != stamps


def test_what_cannot_be_opened_stands_for_itself(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    assert take_fingerprint(tmp_path / "a.mp4").n_bytes == 8
    with pytest.raises(OSError, match=r"absent\.mp4"):
        take_fingerprint(tmp_path / "absent.mp4")
