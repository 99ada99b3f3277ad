from __future__ import annotations

from pathlib import Path

import pytest

from fascnet.data.recording.video_end import lacks_end
from tests.data.recording.test_video_facts import write_video
from tests.data.recording.test_video_stream import write_gif


@pytest.mark.parametrize(("name", "knows"), [("a.gif", True), ("a.wmv", True), ("a.mp4", False)])
def test_whole_and_cut(tmp_path: Path, name: str, knows: bool) -> None:
    path = tmp_path / name
    if name == "a.gif":
        write_gif(path, 20)
    else:
        write_video(path, "wmv2" if name == "a.wmv" else "libx264", form="asf" if name == "a.wmv" else None)
    data = path.read_bytes()
    assert not lacks_end(path)
    path.write_bytes(data + b"\0" * 9)  # padded to a block, as some burners do
    assert not lacks_end(path)
    for length in (len(data) // 2, len(data) - 60):
        path.write_bytes(data[:length])
        assert lacks_end(path) == knows
