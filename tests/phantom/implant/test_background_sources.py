from __future__ import annotations

import re
from pathlib import Path

import pytest

from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.labelling.labels import write_labels
from fascnet.errors import LabelError, RecordingError
from fascnet.phantom.implant.background_sources import find_backgrounds, find_label_problems, take_fingerprint
from fascnet.types import ClipSource, Event, Labels

from ..backgrounds import write_recording, write_still


def test_recordings_and_stills_of_a_folder(tmp_path: Path) -> None:
    write_recording(tmp_path / "Doe_Jane.avi", n_frames=2)
    write_recording(tmp_path / "Roe_Max.avi", n_frames=2, seed=1)
    for k in range(2):
        write_still(tmp_path / "Poe_Ann" / f"{k}.png", k)
    (tmp_path / ".hidden.png").write_bytes(b"x")
    found = find_backgrounds(tmp_path)
    assert [(s.clip.path.name, s.is_still) for s in found] == [
        ("Doe_Jane.avi", False),
        ("0.png", True),
        ("1.png", True),
        ("Roe_Max.avi", False),
    ]
    doe, ann, also_ann, roe = (s.subject_id for s in found)
    assert ann == also_ann and len({doe, ann, roe}) == 3
    assert len({s.fingerprint for s in found}) == 4


def test_a_person_has_the_same_hidden_name_in_every_set(tmp_path: Path) -> None:
    first = write_recording(tmp_path / "a" / "Doe_Jane.avi", n_frames=2)
    write_recording(tmp_path / "a" / "Abe.avi", n_frames=2, seed=1)
    copy = tmp_path / "b" / "renamed.avi"
    copy.parent.mkdir()
    copy.write_bytes(first.read_bytes())
    of_a = {s.clip.path.name: s.subject_id for s in find_backgrounds(tmp_path / "a")}
    assert find_backgrounds(tmp_path / "b")[0].subject_id == of_a["Doe_Jane.avi"] != of_a["Abe.avi"]
    assert re.fullmatch(r"b[0-9a-f]{8}", of_a["Abe.avi"])


def test_stills_alone_and_one_still(tmp_path: Path) -> None:
    still = write_still(tmp_path / "stills" / "a.png")
    assert [s.clip.path for s in find_backgrounds(tmp_path / "stills")] == [still]
    assert [s.clip.path for s in find_backgrounds([still, str(still)])] == [still]
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordingError, match="holds no recording"):
        find_backgrounds(tmp_path / "empty")
    with pytest.raises(RecordingError, match="no such file"):
        find_backgrounds(tmp_path / "nowhere")


def test_a_manifest_gives_subjects_but_not_their_names(tmp_path: Path) -> None:
    clips = []
    for k, person in enumerate(["Jane Doe", "Max Roe", "Jane Doe"]):
        path = write_recording(tmp_path / f"{k}.avi", k, n_frames=2)
        clips.append(ClipSource(f"clip{k}", path, person, mm_per_px=0.1))
    write_manifest(tmp_path, clips)
    write_still(tmp_path / "not_listed.png")
    found = find_backgrounds(tmp_path)
    jane, max_, again = (s.subject_id for s in found)
    assert jane == again != max_
    assert "Jane" not in jane and "Roe" not in max_


def test_unlabelled_recordings_need_somebody_to_vouch(tmp_path: Path) -> None:
    for name in ("quiet", "twitching", "unseen", "broken"):
        write_recording(tmp_path / f"{name}.avi", n_frames=2)
    write_still(tmp_path / "still.png")
    labels = tmp_path / "labels"
    write_labels(labels, Labels("quiet", "a", ((0.0, 1.0),), ()))
    write_labels(labels, Labels("twitching", "a", ((0.0, 1.0),), (Event(0.2, 0.5), Event(0.6, 0.9))))
    (labels / "broken.a.json").write_text("{", encoding="utf-8")
    sources = find_backgrounds(tmp_path)
    names = [s.clip.clip_id for s in sources]
    refused = find_label_problems(sources, labels, False)
    assert {names[k] for k in refused.failed} == {"unseen", "broken"}
    assert "assume_no_twitches=true" in refused.failed[names.index("unseen")]
    assert {names[k]: why for k, why in refused.skipped.items()} == {
        "twitching": "its labels hold 2 fasciculations"
    }
    assert {names[k] for k in find_label_problems(sources, labels, True).failed} == {"broken"}
    with pytest.raises(LabelError, match="no such folder"):
        find_label_problems(sources, tmp_path / "nowhere", True)


def test_a_fingerprint_follows_the_content(tmp_path: Path) -> None:
    for name, text in (("a", b"one"), ("b", b"one"), ("c", b"two")):
        (tmp_path / name).write_bytes(text)
    a, b, c = (take_fingerprint(tmp_path / name) for name in "abc")
    assert a == b != c
    assert take_fingerprint(tmp_path / "missing") == ""


def test_a_manifest_may_list_stills(tmp_path: Path) -> None:
    picture = tmp_path / "still.png"
    write_still(picture)
    write_manifest(tmp_path, [ClipSource("still", picture, "anna", mm_per_px=0.1)])

    (source,) = find_backgrounds(tmp_path)

    assert source.is_still
    assert source.clip.mm_per_px == pytest.approx(0.1)
    assert "anna" not in source.subject_id


def test_a_recording_and_a_still_of_one_subject_are_one_person(tmp_path: Path) -> None:
    clips = []
    for k, person in enumerate(["anna", "max"]):
        recording = write_recording(tmp_path / f"{k}.avi", k, n_frames=2)
        still = write_still(tmp_path / f"{k}.png", k)
        clips += [ClipSource(f"video{k}", recording, person), ClipSource(f"still{k}", still, person)]
    write_manifest(tmp_path, clips)

    found = find_backgrounds(tmp_path)

    assert [s.is_still for s in found] == [False, True, False, True]
    anna, also_anna, max_, also_max = (s.subject_id for s in found)
    assert anna == also_anna != max_ == also_max
    given_twice = find_backgrounds([tmp_path / "0.png", tmp_path])
    assert [s.subject_id for s in given_twice] == [s.subject_id for s in found]
