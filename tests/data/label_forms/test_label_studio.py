from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fascnet.data.label_forms.label_studio import is_label_studio, read_label_studio
from fascnet.data.label_forms.rater_events import FrameSpan, PercentBox
from fascnet.errors import LabelError

from . import forms
from .fixtures import write_fixture


def read(tmp_path: Path, *results: dict[str, Any], **changes: Any) -> Any:
    path = forms.write_json(tmp_path / "p.json", [forms.label_studio_task(list(results), **changes)])
    return read_label_studio(path)


def test_frames_from_one_and_the_disabled_key_frame_is_shown(tmp_path: Path) -> None:
    (rating,) = read_label_studio(write_fixture("label_studio", tmp_path)).ratings
    box, line = rating.events
    # Frames 11 to 21 from 1 are 10 to 20 from 0, the last included.
    assert box.span == FrameSpan(10, 21) and box.region == PercentBox(25, 50, 18.75, 25)
    assert line.span == FrameSpan(49, 60) and line.region is None
    assert rating.rater == "annotator_11" and rating.n_frames == forms.N_FRAMES
    assert rating.names == ("/data/upload/8/1fd99634-clip_a.mp4",)


def test_lifespans_end_where_a_key_frame_is_disabled(tmp_path: Path) -> None:
    keys = [forms.label_studio_key(f, e) for f, e in ((5, True), (9, False), (20, True), (30, True))]
    (rating,) = read(tmp_path, forms.label_studio_box(keys)).ratings
    assert [event.span for event in rating.events] == [FrameSpan(4, 9), FrameSpan(19, forms.N_FRAMES)]
    (rating,) = read(tmp_path, forms.label_studio_box(keys, frames=None)).ratings
    assert rating.events[1].span == FrameSpan(19, 30)


def test_labels_may_stand_in_a_result_of_their_own(tmp_path: Path) -> None:
    box = forms.label_studio_box([forms.label_studio_key(5, False)])
    del box["value"]["labels"]
    label = {
        "id": box["id"],
        "type": "labels",
        "value": {"labels": ["Breathing"]},
        "from_name": "l",
        "to_name": "video",
    }
    sure = {"id": box["id"], "type": "choices", "from_name": "certainty", "value": {"choices": ["possible"]}}
    (rating,) = read(tmp_path, box, label, sure).ratings
    assert (rating.events[0].label, rating.events[0].certainty) == ("Breathing", "possible")
    with pytest.raises(LabelError, match=r"task 28 region M-XU: has no label"):
        read(tmp_path, box)


def test_only_what_a_person_finished_counts(tmp_path: Path) -> None:
    box = forms.label_studio_box([forms.label_studio_key(5, False)])
    contents = read(tmp_path, box, was_cancelled=True)
    assert contents.ratings == () and "no finished annotation" in contents.notes[0]
    task = forms.label_studio_task([])
    task["predictions"] = [{"result": [box]}]
    (rating,) = read_label_studio(forms.write_json(tmp_path / "p.json", task)).ratings
    assert rating.events == (), "finished, and no region: no twitch seen; the model's own are no labels"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ({"frame": 0}, "frame is 0, outside 1"),
        ({"frame": 1e300}, "frame is 1e\\+300"),
        ({"frame": "5"}, "frame is not a number"),
        ({"x": None}, "x is not a number"),
        ({"x": 1e9}, "outside -100 to 200"),
        ({"width": 0}, "no area"),
        ({"rotation": True}, "rotation is not a number"),
    ],
)
def test_values_that_cannot_be(key: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=said) as refusal:
        read(tmp_path, forms.label_studio_box([forms.label_studio_key(5, False) | key]))
    assert "p.json task 28 region M-XU" in str(refusal.value)


def test_other_json_is_not_of_label_studio(tmp_path: Path) -> None:
    for tree in ([], {}, [1], [{"data": {}}], {"images": [], "annotations": []}, None, "x"):
        assert not is_label_studio(tree)
        with pytest.raises(LabelError, match="not of Label Studio"):
            read_label_studio(forms.write_json(tmp_path / "p.json", tree))
    with pytest.raises(LabelError, match="no list"):
        read_label_studio(forms.write_json(tmp_path / "p.json", {"data": {"video": "a"}, "annotations": 3}))
