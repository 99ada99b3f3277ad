from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fascnet.data.clip_set.check import Problem, check_data_set, review_data_set
from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.labelling.labels import write_labels
from fascnet.data.recording.video_writer import VideoWriter
from fascnet.types import Box, ClipSource, Event, Labels


def write_clip(path: Path, seed: int, n_frames: int = 40) -> Path:
    rng = np.random.default_rng(seed)
    with VideoWriter(path, 32, 48, 30, "ffv1") as writer:
        for _ in range(n_frames):
            writer.write(rng.integers(0, 256, (32, 48), dtype=np.uint8))
    return path


@pytest.fixture
def clips(tmp_path: Path) -> list[ClipSource]:
    """Write a sound data set of two clips, one a split, both with a fasciculation."""
    sources = []
    for k, split in enumerate(("train", "test")):
        path = write_clip(tmp_path / "clips" / f"c{k}.avi", k)
        sources.append(ClipSource(f"c{k}", path, f"s{k}", mm_per_px=0.1, split=split))
        event = Event(0.2, 0.5, region=Box(2, 2, 10, 10))
        write_labels(tmp_path / "labels", Labels(f"c{k}", "r", ((0.0, 40 / 30),), (event,)))
    write_manifest(tmp_path, sources)
    return sources


def find(root: Path, clips: list[ClipSource] | None = None) -> list[Problem]:
    if clips is not None:
        write_manifest(root, clips)
    return check_data_set(root, None)


def expect_one(problems: list[Problem], file: str, what: str) -> None:
    assert len(problems) == 1, [str(p) for p in problems]
    assert file in problems[0].file
    assert what in problems[0].what
    assert problems[0].remedy
    assert "\n" not in str(problems[0])


def test_a_sound_data_set_has_no_problems(tmp_path: Path, clips: list[ClipSource]) -> None:
    assert find(tmp_path) == []
    assert check_data_set(tmp_path, tmp_path / "labels") == []


def test_recordings(tmp_path: Path, clips: list[ClipSource]) -> None:
    path = clips[0].path
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    expect_one(find(tmp_path), "c0.avi", "of 40 frames")
    path.write_text("a letter")
    expect_one(find(tmp_path), "c0.avi", "not a readable video")
    path.unlink()
    expect_one(find(tmp_path), "c0.avi", "cannot be read")


def test_short_clips(tmp_path: Path, clips: list[ClipSource]) -> None:
    write_clip(clips[0].path, 0, n_frames=25)
    write_labels(tmp_path / "labels", Labels("c0", "r", ((0.0, 0.8),), (Event(0.2, 0.5),)))
    expect_one(find(tmp_path), "c0.avi", "lasts 0.83 s")


def test_rate_and_spacing(tmp_path: Path, clips: list[ClipSource]) -> None:
    assert find(tmp_path, [replace(clips[0], fps=29.97), clips[1]]) == []
    expect_one(find(tmp_path, [replace(clips[0], fps=25.0), clips[1]]), "manifest.csv", "fps 25")
    expect_one(find(tmp_path, [replace(clips[0], mm_per_px=None), clips[1]]), "manifest.csv", "mm_per_px")


def test_labels(tmp_path: Path, clips: list[ClipSource]) -> None:
    good = tmp_path / "labels" / "c0.r.json"
    text = good.read_text()
    twitch = Event(0.2, 0.5)

    write_labels(tmp_path / "labels", Labels("c0", "r", ((0.0, 1.0),), (Event(0.2, 3.0),)))
    expect_one(find(tmp_path), "c0.r.json", "outside the clip")
    write_labels(
        tmp_path / "labels", Labels("c0", "r", ((0.0, 1.0),), (replace(twitch, region=Box(0, 0, 60, 9)),))
    )
    expect_one(find(tmp_path), "c0.r.json", "outside the image")
    write_labels(tmp_path / "labels", Labels("c0", "r", (), (twitch,)))
    expect_one(find(tmp_path), "c0.r.json", "no second was examined")
    good.write_text(text)

    (tmp_path / "labels" / "c9.r.json").write_text(text.replace('"c0"', '"c9"'))
    expect_one(find(tmp_path), "c9.r.json", "'c9', which is not in")
    (tmp_path / "labels" / "c9.r.json").unlink()
    (tmp_path / "labels" / "c0.other.json").write_text("{")
    expect_one(find(tmp_path), "c0.other.json", "not valid JSON")
    (tmp_path / "labels" / "c0.other.json").unlink()
    assert find(tmp_path) == []


def test_missing_labels(tmp_path: Path, clips: list[ClipSource]) -> None:
    two, three = (write_clip(tmp_path / "clips" / f"c{k}.avi", k) for k in (2, 3))
    extra = [replace(clips[0], clip_id="c2", path=two), replace(clips[0], clip_id="c3", path=three)]
    expect_one(find(tmp_path, [*clips, extra[0]]), "manifest.csv", "'c2' has no label")
    expect_one(find(tmp_path, [*clips, *extra]), "manifest.csv", "2 clips ('c2', 'c3') have no label")
    expect_one(check_data_set(tmp_path, tmp_path / "absent"), "absent", "no such folder")


def test_unknown_words_are_named_once_each(tmp_path: Path, clips: list[ClipSource]) -> None:
    for clip in clips:
        events = (Event(0.2, 0.5), Event(0.6, 0.8, label="hicup"), Event(0.9, 1.0, label="hicup"))
        write_labels(tmp_path / "labels", Labels(clip.clip_id, "r", ((0.0, 1.3),), events))
    problems = find(tmp_path)
    expect_one(problems, "c0.r.json", "'hicup' and 1 more files")
    assert problems[0].clip_ids == ("c0", "c1")


def test_severities_are_in_order_and_notes_are_for_the_review(
    tmp_path: Path, clips: list[ClipSource]
) -> None:
    write_labels(tmp_path / "labels", Labels("c0", "r", ((0.0, 1.3),), (Event(0.2, 0.21),)))
    clips[1].path.unlink()
    find(tmp_path, [clips[0], replace(clips[1], fps=None)])
    (tmp_path / "labels" / "c1.r.json").unlink()
    review = review_data_set(tmp_path)
    assert [p.kind for p in review.problems] == ["unreadable", "no_labels", "no_positives", "event_length"]
    assert [review.count(severity) for severity in ("error", "warning", "note")] == [1, 2, 1]
    assert [p.kind for p in check_data_set(tmp_path)] == ["unreadable", "no_labels", "no_positives"]


def test_workers_find_the_same(tmp_path: Path, clips: list[ClipSource]) -> None:
    clips[1].path.write_bytes(clips[0].path.read_bytes())
    done: list[tuple[int, int]] = []
    alone = review_data_set(tmp_path, thumbnails=True)
    spawned = review_data_set(
        tmp_path, workers=2, thumbnails=True, on_clip=lambda *so_far: done.append(so_far)
    )
    assert alone.problems == spawned.problems != () and done == [(1, 2), (2, 2)]
    assert alone.facts["c0"].thumbnail == spawned.facts["c0"].thumbnail != b""
    assert alone.same_person == (("s0", "s1"),)


def test_splits(tmp_path: Path, clips: list[ClipSource]) -> None:
    write_labels(
        tmp_path / "labels", Labels("c1", "r", ((0.0, 1.0),), (Event(0.1, 0.2, label="probe_motion"),))
    )
    expect_one(find(tmp_path), "manifest.csv", "split 'test' holds no labelled fasciculation")
    write_labels(tmp_path / "labels", Labels("c1", "r", ((0.0, 1.0),), (Event(0.1, 0.2),)))
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("s1", "s0"))
    expect_one(find(tmp_path), "manifest.csv", "subject 's0'")


def test_a_labelled_clip_without_a_split_among_others_is_an_error(
    tmp_path: Path, clips: list[ClipSource]
) -> None:
    extra = replace(clips[0], clip_id="c2", path=write_clip(tmp_path / "clips" / "c2.avi", 2), split=None)
    (no_labels,) = find(tmp_path, [*clips, extra])
    assert no_labels.kind == "no_labels", "train leaves clips without labels out, with or without a split"
    (tmp_path / "labels" / "clip_labels.csv").write_text("clip_id,rater,present\nc2,r,no\n", encoding="utf-8")
    expect_one(find(tmp_path), "manifest.csv", "clip 'c2' has no split while others have")
    (problem,) = find(tmp_path, [replace(clips[0], split=None), clips[1], extra])
    assert "2 clips ('c0', 'c2') have no split" in problem.what
    assert (problem.kind, problem.severity, problem.clip_ids) == ("missing_split", "error", ("c0", "c2"))
    assert find(tmp_path, [replace(clip, split=None) for clip in (*clips, extra)]) == []


def test_copies_are_found_even_in_another_container(tmp_path: Path, clips: list[ClipSource]) -> None:
    clips[1].path.write_bytes(clips[0].path.read_bytes())
    expect_one(find(tmp_path), "c1.avi", "holds the same frames as")
    other = write_clip(tmp_path / "clips" / "c1.mkv", 0)
    expect_one(
        find(tmp_path, [clips[0], replace(clips[1], path=other)]), "c1.mkv", "holds the same frames as"
    )


def test_everything_is_collected(tmp_path: Path, clips: list[ClipSource]) -> None:
    clips[0].path.write_text("a letter")
    (tmp_path / "labels" / "c1.r.json").write_text("{")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(manifest.read_text() + "c 3,x.avi,s3,,,,,\nc4,y.avi,s4,,,nan,,\n")
    files = " ".join(str(p) for p in find(tmp_path))
    for part in ("c0.avi", "c1.r.json", "row 4", "row 5", "split 'test'"):
        assert part in files


def test_without_a_manifest(tmp_path: Path) -> None:
    expect_one(check_data_set(tmp_path, None), "manifest.csv", "cannot be read")


def test_statements_about_whole_clips_are_checked(tmp_path: Path, clips: list[ClipSource]) -> None:
    (tmp_path / "labels" / "c0.r.json").unlink()
    table = tmp_path / "labels" / "clip_labels.csv"
    table.write_text("clip_id,rater,count,present\nc0,r,2,\nc1,r,5,\nc9,r,,no\n", encoding="utf-8")
    problems = find(tmp_path)
    # A count is a label: nobody is told to write an empty file for c0.
    assert "no_labels" not in [problem.kind for problem in problems]
    (contradiction,) = (problem for problem in problems if problem.kind == "contradiction")
    assert contradiction.file == f"{table}" and "counts 5, but c1.r.json has 1" in contradiction.what
    (unknown,) = (problem for problem in problems if problem.kind == "unknown_clip")
    assert "'c9'" in unknown.what
    table.write_text("clip_id,rater,count\nc0,r,-2\n", encoding="utf-8")
    (wrong,) = (problem for problem in find(tmp_path) if problem.kind == "label_file")
    assert "clip_labels.csv" in wrong.file
