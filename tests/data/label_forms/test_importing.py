"""Each form: a fixture of its documented fields, imported, exported, imported again: equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fascnet.data.label_forms.clip_labels import read_clip_labels
from fascnet.data.label_forms.export_clip import ExportClip
from fascnet.data.label_forms.exporting import export_clips
from fascnet.data.label_forms.importing import ImportSettings
from fascnet.data.label_forms.recognise import FORMS, FormContext
from fascnet.data.labelling.labels import load_labels
from fascnet.data.labelling.regions import read_mask
from fascnet.errors import LabelError, SettingError
from fascnet.types import Labels, MaskFile

from . import forms
from .fixtures import write_fixture


def flatten(found: dict[str, dict[str, Labels]]) -> list[Any]:
    """All that labels say, masks as their pixels."""
    flat: list[Any] = []
    for clip_id, raters in found.items():
        for rater, labels in raters.items():
            flat.append((clip_id, rater, labels.examined))
            for event in labels.events:
                region: Any = event.region
                if isinstance(region, MaskFile):
                    region = read_mask(region.path).tobytes()
                flat.append((event.onset_s, event.offset_s, event.label, event.certainty, region))
    return flat


def list_times(found: dict[str, dict[str, Labels]]) -> list[tuple[float, float]]:
    labels = [one for raters in found.values() for one in raters.values()]
    return sorted((event.onset_s, event.offset_s) for one in labels for event in one.events)


def export_and_import(
    found: dict[str, dict[str, Labels]], form: str, folder: Path, context: FormContext
) -> dict[str, dict[str, Labels]]:
    clips = [
        ExportClip(clip, context.clock_of(clip), labels, False)
        for clip in context.clips.clips
        for labels in found.get(clip.clip_id, {}).values()
    ]
    export_clips(clips, form, folder / "out")
    name = {"cvat": "", "label_studio": "label_studio.json", "csv": "events.csv"}[form]
    again, _ = forms.run_import(
        folder / "out" / name, folder / "labels", context, None if form == "csv" else "anna"
    )
    return again


TIMED = [form for form in FORMS if form != "counts"]
IN_FRAMES = {"tagawa_csv", "tagawa_excel", "cvat", "label_studio", "coco", "nifti", "png_masks"}
CLOCKS = {"29.97 Hz": forms.make_clock(), "uneven": forms.make_uneven_clock()}


@pytest.mark.parametrize("rate", CLOCKS)
@pytest.mark.parametrize("form", TIMED)
def test_imported_exported_imported_again_is_equal(form: str, rate: str, tmp_path: Path) -> None:
    clock = CLOCKS[rate]
    context = forms.make_context(forms.make_clips(tmp_path, "clip_a", "clip_b"), clock)
    first, report = forms.run_import(write_fixture(form, tmp_path / "in"), tmp_path / "labels", context)
    assert [named for _, named in report.forms] == [form], "recognised by content"
    assert report.n_events > 0 and "clip_a" in first
    frame_s = float(np.diff(clock.times_s).max())
    for again in ("cvat", "label_studio", "csv"):
        second = export_and_import(first, again, tmp_path / again, context)
        # To a frame; a form in frames, and a table of seconds, lose nothing.
        exact = form in IN_FRAMES or again == "csv"
        assert np.allclose(list_times(first), list_times(second), rtol=0, atol=1e-6 if exact else frame_s)
        assert flatten(export_and_import(second, again, tmp_path / f"{again}2", context)) == flatten(second)
    if form in IN_FRAMES - {"tagawa_excel"}:
        assert flatten(export_and_import(first, "cvat", tmp_path / "third", context)) == flatten(first)


def test_frames_are_the_recordings_own_times(tmp_path: Path) -> None:
    """Frame 10 to 20 at 30000/1001 Hz, and where steps vary."""
    clips = forms.make_clips(tmp_path, "clip_a", "clip_b")
    source = write_fixture("tagawa_csv", tmp_path / "in")
    even, _ = forms.run_import(source, tmp_path / "even", forms.make_context(clips))
    event = even["clip_a"]["anna"].events[0]
    assert event.onset_s == pytest.approx(10 * 1001 / 30000, abs=1e-6)
    assert event.offset_s == pytest.approx(21 * 1001 / 30000, abs=1e-6)
    clock = forms.make_uneven_clock()
    uneven, _ = forms.run_import(source, tmp_path / "uneven", forms.make_context(clips, clock))
    event = uneven["clip_a"]["anna"].events[0]
    # Two rounds of four steps and two more; then two rounds and three steps more.
    assert event.onset_s == pytest.approx(2 * 0.299 + 0.043 + 0.078)
    assert event.offset_s == pytest.approx(5 * 0.299 + 0.043)


def test_counts_never_become_no_twitch(tmp_path: Path) -> None:
    context = forms.make_context(forms.make_clips(tmp_path, "clip_a", "clip_b"))
    source = write_fixture("counts", tmp_path / "in")
    found, report = forms.run_import(source, tmp_path / "labels", context)
    # Three fasciculations without times: no label file; none seen in 2.5 s: a label file of 2.5 s.
    assert set(found) == {"clip_b"}
    assert found["clip_b"]["anna"].examined == ((0.0, 2.5),) and found["clip_b"]["anna"].events == ()
    said = read_clip_labels(tmp_path / "labels")
    assert (said["clip_a"]["anna"].count, said["clip_a"]["anna"].grade) == (3, "2")
    assert said["clip_a"]["anna"].present is True and said["clip_b"]["anna"].present is False
    assert report.clip_labels is not None
    again, _ = forms.run_import(report.clip_labels, tmp_path / "again", context)
    assert again == found and read_clip_labels(tmp_path / "again") == said


def test_what_examined_means(tmp_path: Path) -> None:
    context = forms.make_context(forms.make_clips(tmp_path, "clip_a", "clip_b"))
    end_s = round(context.clocks["clip_a"].end_s, 6)

    def examine(form: str, examined: str) -> object:
        folder = tmp_path / form / examined
        found, _ = forms.run_import(
            write_fixture(form, folder / "in"), folder / "out", context, examined=examined
        )
        return found["clip_a"]["anna"].examined

    assert examine("tongue", "form") == examine("kobe", "whole") == ((0.0, end_s),)
    events = load_labels(tmp_path / "kobe" / "whole" / "out")["clip_a"]["anna"].events
    assert (
        examine("kobe", "form") == examine("kobe", "listed") == tuple((e.onset_s, e.offset_s) for e in events)
    )
    # Pictures of frames 10 to 29 only.
    clock = context.clocks["clip_a"]
    assert examine("png_masks", "form") == ((clock.time_of(10), clock.time_of(30)),)


def test_clips_that_no_file_speaks_of(tmp_path: Path) -> None:
    context = forms.make_context(forms.make_clips(tmp_path, "clip_a", "clip_b", "clip_c"))
    source = write_fixture("tongue", tmp_path / "in")
    silent, _ = forms.run_import(source, tmp_path / "silent", context)
    assert set(silent) == {"clip_a", "clip_b"}
    seen, _ = forms.run_import(source, tmp_path / "seen", context, unlisted="no_twitch")
    assert seen["clip_c"]["anna"].events == () and len(seen["clip_c"]["anna"].examined) == 1


def test_recordings_that_the_manifest_does_not_list(tmp_path: Path) -> None:
    context = forms.make_context(forms.make_clips(tmp_path, "clip_a"))
    source = write_fixture("tongue", tmp_path / "in")
    with pytest.raises(LabelError, match=r"manual_annotations.csv: 'videos/clip_b.mp4' is no clip"):
        forms.run_import(source, tmp_path / "refused", context)
    assert not (tmp_path / "refused").exists(), "nothing is written before everything was read"
    found, report = forms.run_import(source, tmp_path / "skipped", context, unknown_clips="skip")
    assert set(found) == {"clip_a"} and len(report.notes) == 1


def test_files_that_are_there_are_kept(tmp_path: Path) -> None:
    context = forms.make_context(forms.make_clips(tmp_path, "clip_a", "clip_b"))
    source = write_fixture("tongue", tmp_path / "in")
    forms.run_import(source, tmp_path / "labels", context)
    with pytest.raises(LabelError, match=r"clip_a.anna.json: is there already; use overwrite=true"):
        forms.run_import(source, tmp_path / "labels", context)
    forms.run_import(source, tmp_path / "labels", context, overwrite=True)


def test_a_corrected_count_takes_the_place_of_no_twitch(tmp_path: Path) -> None:
    """The label file of the first table says that nothing twitches; training would go by it for ever."""
    context = forms.make_context(forms.make_clips(tmp_path, "clip_a"))
    source = tmp_path / "counts.csv"
    source.write_text("clip_id,count,examined_s,rater\nclip_a,0,1,anna\n")
    forms.run_import(source, tmp_path / "labels", context, None)
    assert (tmp_path / "labels" / "clip_a.anna.json").is_file()
    source.write_text("clip_id,count,examined_s,rater\nclip_a,3,1,anna\n")
    with pytest.raises(LabelError, match=r"clip_a.anna.json: is there already; use overwrite=true"):
        forms.run_import(source, tmp_path / "labels", context, None)
    forms.run_import(source, tmp_path / "labels", context, None, overwrite=True)
    assert not (tmp_path / "labels" / "clip_a.anna.json").exists()
    assert read_clip_labels(tmp_path / "labels")["clip_a"]["anna"].count == 3
    source.write_text("clip_id,count,examined_s,rater\nclip_a,4,1,anna\n")
    with pytest.raises(LabelError, match=r"clip_labels.csv: says something else of clip 'clip_a' by 'anna'"):
        forms.run_import(source, tmp_path / "labels", context, None)


def test_somebody_must_say_who_the_rater_is(tmp_path: Path) -> None:
    context = forms.make_context(forms.make_clips(tmp_path, "clip_a", "clip_b"))
    with pytest.raises(SettingError, match="give rater=NAME"):
        forms.run_import(write_fixture("tongue", tmp_path / "in"), tmp_path / "out", context, rater=None)
    task = forms.label_studio_task([])
    task["annotations"].append({**task["annotations"][0], "completed_by": {"id": 12, "email": "x@y.example"}})
    source = forms.write_json(tmp_path / "two.json", [task])
    found, _ = forms.run_import(source, tmp_path / "own", context, rater=None)
    assert set(found["clip_a"]) == {"annotator_11", "annotator_12"}
    with pytest.raises(SettingError, match="names 2 raters"):
        forms.run_import(source, tmp_path / "both", context, rater="anna")
    with pytest.raises(SettingError, match="names a file"):
        ImportSettings(rater="Dr. Who")


def test_statements_that_contradict_marks_are_refused(tmp_path: Path) -> None:
    context = forms.make_context(forms.make_clips(tmp_path, "clip_a", "clip_b"))
    write_fixture("tongue", tmp_path / "in")
    forms.write_text(tmp_path / "in" / "counts.csv", "clip_id,present\nclip_a,no\n")
    with pytest.raises(LabelError, match="no twitch was seen, and marks some"):
        forms.run_import(tmp_path / "in", tmp_path / "out", context)


def test_several_files_of_one_clip_are_one_label_file(tmp_path: Path) -> None:
    context = forms.make_context(forms.make_clips(tmp_path, "clip_a", "clip_b"))
    write_fixture("tongue", tmp_path / "in")
    write_fixture("tagawa_csv", tmp_path / "in")
    found, report = forms.run_import(tmp_path / "in", tmp_path / "out", context)
    assert {form for _, form in report.forms} == {"tongue", "tagawa_csv"}
    assert len(found["clip_a"]["anna"].events) == 5
    onsets = [event.onset_s for event in found["clip_a"]["anna"].events]
    assert onsets == sorted(onsets) and len(found["clip_a"]["anna"].examined) == 1


def test_no_name_of_a_person_is_taken_over(tmp_path: Path) -> None:
    context = forms.make_context(forms.make_clips(tmp_path, "clip_a", "clip_b"))
    for form in ("cvat", "label_studio"):
        source = write_fixture(form, tmp_path / form)
        forms.run_import(source, tmp_path / "out" / form, context)
    written = "".join(path.read_text() for path in (tmp_path / "out").rglob("*.json"))
    assert written and "dr.who" not in written and "@" not in written and json.dumps(11) + '"' not in written
