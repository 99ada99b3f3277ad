from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.recording.find_clips import find_clips
from fascnet.data.recording.picture_folder import PictureFolder, sort_naturally
from fascnet.data.recording.recordings import list_files, open_recording
from fascnet.errors import RecordingError
from fascnet.phantom.implant.background_sources import find_backgrounds
from fascnet.types import ClipSource


def write_pictures(
    folder: Path, names: list[str], size: tuple[int, int] = (40, 60), frames: np.ndarray | None = None
) -> np.ndarray:
    folder.mkdir(parents=True, exist_ok=True)
    if frames is None:
        frames = np.random.default_rng(0).integers(0, 256, (len(names), *size), dtype=np.uint8)
    for frame, name in zip(frames, names, strict=True):
        assert cv2.imwrite(str(folder / name), frame)
    return frames


def test_pictures_in_natural_order(tmp_path: Path) -> None:
    names = [f"frame_{k}.png" for k in range(1, 12)]
    frames = write_pictures(tmp_path / "a", names)
    (tmp_path / "a" / "notes.txt").write_text("x")
    (tmp_path / "a" / ".hidden.png").write_text("x")
    recording = open_recording(tmp_path / "a", fps=25.0, mm_per_px=0.1, find_area=False)
    read = list(recording.frames())
    assert np.array_equal(np.stack([f.image for f in read]), frames)
    assert [f.time_s for f in read] == pytest.approx(np.arange(11) / 25)
    assert recording.times_s == pytest.approx(np.arange(11) / 25)
    info = recording.info
    assert (info.n_frames, info.fps, info.mm_per_px, info.mm_per_px_from) == (11, 25, 0.1, "manifest")
    assert [file.name for file in recording.files] == names
    assert recording.notes == ()


def test_natural_order() -> None:
    names = ["b10", "B2", "b1x10", "b1x9", "a", "10", "9", "009"]
    assert sort_naturally(names) == ["009", "9", "10", "a", "b1x9", "b1x10", "B2", "b10"]
    long = ["1" * 5000, "2"]  # too long to be turned into a number
    assert sorted(sort_naturally(long)) == sorted(long)


@pytest.mark.parametrize("suffix", [".png", ".JPG", ".bmp", ".tif"])
def test_kinds_and_colours(tmp_path: Path, suffix: str) -> None:
    rgb = np.zeros((32, 32, 3), np.uint8)
    rgb[:] = (200, 80, 30)
    for k in range(2):
        Image.fromarray(rgb).save(tmp_path / f"{k}{suffix}")
    image = next(PictureFolder(tmp_path, fps=25.0).frames()).image
    assert np.abs(image - (0.299 * 200 + 0.587 * 80 + 0.114 * 30)).max() <= 1.5


def test_deep_transparent_and_palette_pictures(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (8, 1))
    Image.fromarray(ramp.astype(np.uint16) * 257).save(tmp_path / "0.png")
    Image.fromarray(np.dstack([ramp] * 3 + [np.zeros_like(ramp)])).save(tmp_path / "1.png")
    Image.fromarray(ramp).convert("P").save(tmp_path / "2.png")
    Image.fromarray(ramp).save(tmp_path / "3.png")
    for frame in PictureFolder(tmp_path, fps=25.0).frames():
        assert np.array_equal(frame.image, ramp), frame.index


def test_a_rate_is_asked_for(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a", ["1.png", "2.png"])
    with pytest.raises(RecordingError, match=r"fps column of a manifest\.csv, or write .*recording\.json"):
        open_recording(tmp_path / "a")
    (tmp_path / "a" / "recording.json").write_text(json.dumps({"fps": 50, "mm_per_px": 0.08}))
    info = open_recording(tmp_path / "a").info
    assert (info.fps, info.mm_per_px, info.mm_per_px_from) == (50, 0.08, "sidecar")
    assert list_files(tmp_path / "a") == tuple(
        tmp_path / "a" / name for name in ("1.png", "2.png", "recording.json")
    )


@pytest.mark.parametrize(
    ("names", "note"),
    [
        (["f_1.png", "f_2.png", "f_4.png", "f_5.png"], "go on by 1, but by 2 after f_2.png"),
        (["f_10.png", "f_12.png", "f_14.png"], "go on by 2; fps must be"),
        (["f_1.png", "last.png"], ""),
    ],
)
def test_missing_numbers_are_told(tmp_path: Path, names: list[str], note: str) -> None:
    write_pictures(tmp_path, names)
    notes = PictureFolder(tmp_path, fps=25.0).notes
    assert (note in notes[0]) if note else notes == ()


def test_bad_folders_are_named(tmp_path: Path) -> None:
    write_pictures(tmp_path / "one", ["1.png"])
    write_pictures(tmp_path / "twins", ["1.png", "1.jpg", "2.png"])
    write_pictures(tmp_path / "sizes", ["1.png"], (20, 30))
    write_pictures(tmp_path / "sizes", ["2.png"], (20, 32))
    write_pictures(tmp_path / "damaged", ["1.png", "2.png", "3.png"])
    data = (tmp_path / "damaged" / "3.png").read_bytes()
    (tmp_path / "damaged" / "3.png").write_bytes(data[: len(data) // 2])
    write_pictures(tmp_path / "text", ["2.png"])
    (tmp_path / "text" / "1.png").write_text("this is a letter")
    (tmp_path / "empty").mkdir()
    for name, says in (
        ("one", "1 pictures, not a clip"),
        ("empty", "0 pictures, not a clip"),
        ("twins", "both 1.jpg and 1.png|both 1.png and 1.jpg"),
        ("sizes", "32x20 pixels, the first picture 30x20"),
        ("damaged", "3.png: is not a readable picture"),
        ("text", "1.png: is not a readable picture"),
        ("absent", "cannot be read"),
    ):
        with pytest.raises(RecordingError, match=says) as caught:
            list(PictureFolder(tmp_path / name, fps=25.0).frames())
        assert "; " in str(caught.value) and "\n" not in str(caught.value)


def test_a_damaged_picture_between_sound_ones_is_held(tmp_path: Path) -> None:
    frames = write_pictures(tmp_path, ["1.png", "2.png", "3.png", "4.png"])
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:40])
    read = list(PictureFolder(tmp_path, fps=25.0).frames())
    assert [(f.index, f.time_s, f.held) for f in read] == [(k, k / 25.0, k == 1) for k in range(4)]
    assert np.array_equal([f.image for f in read], frames[[0, 0, 2, 3]])


def test_a_picture_that_claims_too_much_is_not_decoded(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["1.png", "2.png"])
    data = bytearray((tmp_path / "1.png").read_bytes())
    data[16:24] = (60000).to_bytes(4, "big") * 2  # width and height of IHDR, whose checksum is then wrong
    (tmp_path / "1.png").write_bytes(data)
    with pytest.raises(RecordingError, match=r"60000x60000|not a readable picture"):
        PictureFolder(tmp_path, fps=25.0)


def test_a_search_takes_only_folders_that_say_so(tmp_path: Path) -> None:
    write_pictures(tmp_path / "stills", ["1.png", "2.png"])
    write_pictures(tmp_path / "p1" / "clip", ["1.png", "2.png"])
    (tmp_path / "p1" / "clip" / "recording.json").write_text('{"fps": 25}')
    found = find_clips(tmp_path)
    assert [(c.clip_id, c.path) for c in found] == [("p1__clip", tmp_path / "p1" / "clip")]
    assert [(c.clip_id, c.path) for c in find_clips(tmp_path / "p1" / "clip")] == [
        ("clip", tmp_path / "p1" / "clip")
    ]
    with pytest.raises(RecordingError, match=r"but pictures; .*recording\.json"):
        find_clips(tmp_path / "stills")


def test_a_manifest_names_folders(tmp_path: Path) -> None:
    frames = write_pictures(tmp_path / "clips" / "a", ["1.png", "2.png"])
    write_manifest(tmp_path, [ClipSource("a", tmp_path / "clips" / "a", "s1", fps=30.0)])
    (clip,) = find_clips(tmp_path)
    recording = open_recording(clip.path, fps=clip.fps)
    assert np.array_equal([f.image for f in recording.frames()], frames)


def test_stills_are_still_found_as_backgrounds(tmp_path: Path) -> None:
    write_pictures(tmp_path / "stills", ["1.png", "2.png"])
    sources = find_backgrounds(tmp_path / "stills")
    assert [source.is_still for source in sources] == [True, True]
