from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fascnet.data.clip_set.manifest import is_clip_id, read_manifest, scan_manifest, write_manifest
from fascnet.errors import ManifestError, SplitError
from fascnet.types import ClipSource


def write(root: Path, text: str) -> Path:
    root.joinpath("manifest.csv").write_text(text, encoding="utf-8")
    return root


def test_cells_stay_text(tmp_path: Path) -> None:
    write(tmp_path, "clip_id,path,subject_id,muscle\n007,a/x.mp4,007,NA\nb,b.avi,NA,\n")
    first, second = read_manifest(tmp_path)
    assert (first.clip_id, first.subject_id, first.muscle) == ("007", "007", "NA")
    assert first.path == tmp_path / "a" / "x.mp4"
    assert second == ClipSource("b", tmp_path / "b.avi", "NA")


def test_optional_cells(tmp_path: Path) -> None:
    header = "clip_id,path,subject_id,side,fps,mm_per_px,split,scanner\n"
    write(tmp_path, f"\ufeff{header}\na,a.mp4,s,L,29.97, 0.08 ,val,GE\nb,b.mp4,t,,,,,\n")
    first, second = read_manifest(tmp_path)
    assert (first.side, first.fps, first.mm_per_px, first.split) == ("L", 29.97, 0.08, "val")
    assert (second.side, second.fps, second.mm_per_px, second.split) == ("", None, None, None)


def test_an_imaging_area_may_be_given(tmp_path: Path) -> None:
    write(tmp_path, "clip_id,path,subject_id,box\na,a.mp4,s,210 43  937 622\nb,b.mp4,t,\n")
    clips = read_manifest(tmp_path)
    assert [clip.box for clip in clips] == [(210, 43, 937, 622), None]
    write_manifest(tmp_path, clips)
    assert read_manifest(tmp_path) == clips
    write_manifest(tmp_path, clips[1:])
    assert "box" not in (tmp_path / "manifest.csv").read_text()


@pytest.mark.parametrize(
    "cell", ["1 2 3", "1 2 1 4", "1 9 3 4", "a b c d", "-1 2 3 4", "1 2 3.5 4", "1,2,3,4"]
)
def test_no_imaging_area_is_named(tmp_path: Path, cell: str) -> None:
    write(tmp_path, f'clip_id,path,subject_id,box\na,a.mp4,s,"{cell}"\n')
    with pytest.raises(ManifestError, match=r"row 2: box .* must be 'x0 y0 x1 y1' in whole pixels"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,a.mp4,,,,", "row 2: subject_id is empty"),
        ("a,nan,s,,,", "row 2: path is empty"),
        (",a.mp4,s,,,", "row 2: clip_id is empty"),
        ("a b,a.mp4,s,,,", "clip_id 'a b'"),
        (".a,a.mp4,s,,,", "clip_id '.a'"),
        ("ü,a.mp4,s,,,", "clip_id 'ü'"),
        ("a,a.mp4,s,nan,,", "fps 'nan'"),
        ("a,a.mp4,s,inf,,", "fps 'inf'"),
        ("a,a.mp4,s,0,,", "fps '0'"),
        ("a,a.mp4,s,,-0.1,", "mm_per_px '-0.1'"),
        ("a,a.mp4,s,,wide,", "mm_per_px 'wide' is not a number"),
        ("a,a.mp4,s,,,training", "split 'training'"),
        ("a,../a.mp4,s,,,", "leads out of"),
        ("a,x/../../a.mp4,s,,,", "leads out of"),
        ("a,/a.mp4,s,,,", "leads out of"),
        ("a,a.mp4,s,,", "has 5 cells where the header has 6"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, row: str, says: str) -> None:
    write(tmp_path, f"clip_id,path,subject_id,fps,mm_per_px,split\n{row}\n")
    with pytest.raises(ManifestError) as caught:
        read_manifest(tmp_path)
    assert says in str(caught.value)
    assert "manifest.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("clip_id,path,subject_id\n", "has no rows"),
        ("clip_id,path\na,b\n", "lacks the column subject_id"),
        ("clip_id;path;subject_id\na;b;c\n", "separated by ';'"),
        ("clip_id,path,subject_id,mm_per_pix\na,b,c,1\n", "did you mean 'mm_per_px'"),
        ("clip_id,path,subject_id,path\na,b,c,d\n", "'path' occurs twice"),
        ("clip_id,path,subject_id\na,b.mp4,s\na,c.mp4,s\n", "'a' is already in row 2"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ManifestError, match=r"manifest\.csv") as caught:
        read_manifest(write(tmp_path, text))
    assert says in str(caught.value)


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.csv").write_bytes(b"clip_id,path,subject_id\n\xff\xfe,a,b\n")
    with pytest.raises(ManifestError, match="UTF-8"):
        read_manifest(tmp_path)


def test_subject_in_two_splits_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "clip_id,path,subject_id,split\na,a.mp4,s,train\nb,b.mp4,s,test\n")
    with pytest.raises(SplitError, match="subject 's'"):
        read_manifest(tmp_path)


def test_scan_collects_every_problem_and_keeps_the_sound_rows(tmp_path: Path) -> None:
    write(tmp_path, "clip_id,path,subject_id,fps\na,a.mp4,s,x\nb,b.mp4,s,\n c,,s,\n")
    scan = scan_manifest(tmp_path / "manifest.csv")
    assert [clip.clip_id for clip in scan.clips] == ["b"]
    assert len(scan.problems) == 2


IDS = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,8}", fullmatch=True)
POSITIVE = st.none() | st.floats(min_value=1e-6, max_value=1e6)
TEXT = st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=8).map(str.strip)


@given(IDS, TEXT.filter(lambda t: t.lower() not in {"", "nan"}), TEXT, POSITIVE, POSITIVE)
def test_written_manifests_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    clip_id: str,
    subject: str,
    muscle: str,
    fps: float | None,
    mm_per_px: float | None,
) -> None:
    root = tmp_path_factory.mktemp("root")
    clip = ClipSource(clip_id, root / "clips" / "a, b.mp4", subject, muscle, "R", fps, mm_per_px, "test")
    write_manifest(root, [clip])
    assert read_manifest(root) == [clip]


def test_write_refuses_what_read_would(tmp_path: Path) -> None:
    clip = ClipSource("a", tmp_path / "a.mp4", "s")
    for bad in (
        [replace(clip, path=tmp_path.parent / "a.mp4")],
        [replace(clip, clip_id="a/b")],
        [clip, clip],
    ):
        with pytest.raises(ManifestError):
            write_manifest(tmp_path, bad)
    with pytest.raises(ManifestError, match="fps"):
        write_manifest(tmp_path, [replace(clip, fps=float("nan"))])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "fits"), [("a.b-c_1", True), ("", False), ("..", False), ("a/b", False), ("a\n", False)]
)
def test_clip_ids(text: str, fits: bool) -> None:
    assert is_clip_id(text) is fits
