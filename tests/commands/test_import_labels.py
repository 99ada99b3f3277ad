"""The command as it is typed: labels of other tools become label files of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fascnet.commands.config import compose_config
from fascnet.commands.import_labels import run
from fascnet.data.clip_set.check import check_data_set
from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.labelling.labels import load_labels
from fascnet.errors import FascnetError
from fascnet.types import ClipSource

from ..data.label_forms import forms
from ..data.tiny import FPS, PITCH_MM, make_frames, write_clip


def make_data_set(root: Path) -> Path:
    clips = []
    for name in ("clip_a", "clip_b"):
        path = write_clip(root / "videos" / f"{name}.avi", make_frames(90, len(clips), None))
        clips.append(ClipSource(name, path, f"s{len(clips)}", mm_per_px=PITCH_MM))
    write_manifest(root, clips)
    return root


def import_labels(*overrides: str) -> int:
    return run(compose_config("import_labels", list(overrides)))


def test_from_a_file_to_a_sound_data_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_data_set(tmp_path / "data")
    source = forms.write_text(tmp_path / "in" / "manual_annotations.csv", forms.TONGUE)
    labels = root / "labels"
    assert import_labels(f"input={source}", f"output={labels}", f"manifest={root}", "rater=anna") == 0
    said = capsys.readouterr().out
    assert "manual_annotations.csv: read as tongue" in said and "2 label files with 3 events" in said
    found = load_labels(labels)
    event = found["clip_a"]["anna"].events[0]
    assert (event.onset_s, event.offset_s) == pytest.approx((28 / FPS - 0.1, 28 / FPS + 0.4), abs=1e-6)
    assert found["clip_a"]["anna"].examined == ((0.0, 3.0),)
    assert check_data_set(root, labels) == [] or not any(
        "label" in str(p) for p in check_data_set(root, labels)
    )


def test_a_moment_lasts_as_long_as_is_said(tmp_path: Path) -> None:
    root = make_data_set(tmp_path / "data")
    source = forms.write_text(tmp_path / "a.csv", forms.TONGUE)
    settings = ["rater=anna", "moment.before_s=0", "moment.after_s=0.25", "examined=listed"]
    import_labels(f"input={source}", f"output={tmp_path / 'out'}", f"manifest={root}", *settings)
    labels = load_labels(tmp_path / "out")["clip_b"]["anna"]
    assert labels.examined == ((pytest.approx(10 / FPS, abs=1e-6), pytest.approx(10 / FPS + 0.25, abs=1e-6)),)


def test_words_and_whole_clips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_data_set(tmp_path / "data")
    forms.write_text(
        tmp_path / "in" / "events.csv", "video,onset_s,offset_s,label\nclip_a.avi,1,1.5,Twitch\n"
    )
    forms.write_text(tmp_path / "in" / "counts.csv", "video,count\nclip_b.avi,4\n")
    given = [f"input={tmp_path / 'in'}", f"output={tmp_path / 'out'}", f"manifest={root / 'manifest.csv'}"]
    with pytest.raises(FascnetError, match=r"events.csv row 2: nobody said what 'Twitch' is"):
        import_labels(*given, "rater=anna")
    assert import_labels(*given, "rater=anna", "labels={twitch: fasciculation}") == 0
    said = capsys.readouterr().out
    assert "clip_labels.csv: what was said about whole clips" in said
    found = load_labels(tmp_path / "out")
    assert set(found) == {"clip_a"} and len(found["clip_a"]["anna"].fasciculations()) == 1


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("form=word", "form=word must be auto or one of tongue"),
        ("examined=all", "examined=all must be one of form, whole, listed"),
        ("unlisted=maybe", "unlisted=maybe must be one of"),
        ("unknown_clips=maybe", "unknown_clips=maybe must be one of"),
        ("rater='Dr. Who'", "rater=Dr. Who names a file"),
        ("labels=[a]", "must be a mapping"),
        ("labels={a: B C}", "labels.a=B C"),
        ("absent_grades=0", "must be a list"),
        ("moment.before_s=soon", "must be a number of seconds"),
        ("moment.after_s=0", "after_s=0"),
        ("first_frame=-1", "must be a whole number"),
        ("layout=xyz", "must be auto, thw, hwt or wht"),
        ("overwrite=perhaps", "must be true or false"),
        ("manifest=nowhere", "no such file or folder"),
        ("input=nowhere", "no such file or folder"),
    ],
)
def test_wrong_settings_are_one_line_and_write_nothing(override: str, said: str, tmp_path: Path) -> None:
    root = make_data_set(tmp_path / "data")
    source = forms.write_text(tmp_path / "a.csv", forms.TONGUE)
    given = [f"input={source}", f"output={tmp_path / 'out'}", f"manifest={root}", "rater=anna"]
    with pytest.raises(FascnetError, match=said.replace("[", r"\[")) as refusal:
        import_labels(*given, override)
    assert "\n" not in str(refusal.value) and not (tmp_path / "out").exists()


def test_real_clip_at_2997_hz(real_data: Path, tmp_path: Path) -> None:
    """A box at the frames of the probable twitch of 2.57-2.97 s, in the Tagawa form."""
    name = "neurosense_sample2_first15s.mp4"
    row = f"FAS_0001,{name},77,88,00:00:02.569,00:00:02.936,0.367,1,100,100,200,180,x.mp4\n"
    source = forms.write_text(tmp_path / "a.csv", forms.TAGAWA_CSV.splitlines()[0] + "\n" + row)
    recording = real_data / "muscle" / name
    import_labels(f"input={source}", f"output={tmp_path / 'out'}", f"manifest={recording}", "rater=anna")
    labels: Any = load_labels(tmp_path / "out")["neurosense_sample2_first15s"]["anna"]
    (event,) = labels.events
    assert (event.onset_s, event.offset_s) == pytest.approx((77 * 1001 / 30000, 89 * 1001 / 30000), abs=2e-4)
    assert labels.examined[0][1] == pytest.approx(450 * 1001 / 30000, abs=1e-3)
