from __future__ import annotations

import dataclasses
import io
import json
from unittest.mock import Mock

import pytest
from rich.console import Console

from fascnet.errors import FascnetError, OutputError
from fascnet.inference import study as study_module
from fascnet.inference.movement.unscored import RejectRule
from fascnet.inference.progress import StudyProgress
from fascnet.inference.run_record import RunRecord
from fascnet.inference.study import predict_study
from fascnet.inference.tables import read_tables
from fascnet.types import Prediction

from .fakes import BrightnessPredictor, paint_twitch, write_video


@pytest.fixture
def clips(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write_video(folder / "quiet.avi", paint_twitch(20, range(0)))
    write_video(folder / "twitch.avi", paint_twitch(30))
    (folder / "broken.mp4").write_text("no video")
    return folder


def run(clips, output, predictor=None, **kwargs):
    predictor = BrightnessPredictor() if predictor is None else predictor
    return predict_study(clips, output, predictor, show_progress=False, overlay=False, **kwargs)


def by_id(result):
    return {p.clip_id: p for p in result.predictions}


def test_a_study_with_a_broken_clip_ends_and_lists_it(clips, tmp_path):
    result = run(clips, tmp_path / "out", config={"a": 1})
    found = by_id(result)
    assert [p.clip_id for p in result.failed] == ["broken"]
    assert (len(found["twitch"].events), len(found["quiet"].events)) == (1, 0)
    assert found["twitch"].score > 0.9
    assert found["quiet"].score < 0.1
    assert result.frames == 50
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "events.csv",
        "intervals.csv",
        "quiet",
        "run.json",
        "scores.csv",
        "twitch",
    ]
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["finished"] is True
    assert record["clips"] == {"ok": 2, "partial": 0, "failed": 1, "kept": 0}
    assert record["config"] == {"a": 1}


def test_a_recording_that_vanishes_while_it_is_predicted_keeps_its_muscle(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    write_video(tmp_path / "in" / "a.avi", paint_twitch(10, range(0)))
    (tmp_path / "in" / "manifest.csv").write_text(
        "clip_id,path,subject_id,muscle,side\na,a.avi,p1,trapezius,L\n"
    )

    def vanish(*_):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(RunRecord, "put_input", vanish)
    failed = run(tmp_path / "in", tmp_path / "out").failed[0]
    assert (failed.muscle, failed.side, failed.subject_id) == ("trapezius", "L", "p1")
    assert "became unreadable (No such file or directory)" in failed.reason


def test_running_again_keeps_what_is_done_and_tries_what_failed(clips, tmp_path):
    first = run(clips, tmp_path / "out")
    before = (tmp_path / "out" / "scores.csv").read_text().splitlines()
    again = run(clips, tmp_path / "out")
    assert sorted(again.skipped) == ["quiet", "twitch"]
    assert again.frames == 0
    assert again.frames_per_second is None
    assert sorted((tmp_path / "out" / "scores.csv").read_text().splitlines()) == sorted(before)
    assert by_id(again)["twitch"].score == pytest.approx(by_id(first)["twitch"].score, abs=1e-6)
    assert run(clips, tmp_path / "out", overwrite=True).skipped == ()


def test_a_missing_or_damaged_file_or_a_changed_clip_is_done_again(clips, tmp_path):
    out = tmp_path / "out"
    run(clips, out)
    (out / "quiet" / "heatmap.npz").write_bytes(b"half")
    assert run(clips, out).skipped == ("twitch",)
    write_video(clips / "twitch.avi", paint_twitch(30, range(0)))
    result = run(clips, out)
    assert result.skipped == ("quiet",)
    assert by_id(result)["twitch"].events == ()
    # Without an overlay from the earlier run, asking for one now means predicting again.
    with_overlay = predict_study(clips / "quiet.avi", out, BrightnessPredictor(), show_progress=False)
    assert with_overlay.skipped == ()
    assert (out / "quiet" / "overlay.mp4").is_file()


def test_another_model_is_not_mixed_in(clips, tmp_path):
    out = tmp_path / "out"
    run(clips, out)
    other = BrightnessPredictor(settings={"model": "other"})
    with pytest.raises(
        OutputError, match="written with another model or other rules: use overwrite=true or another output"
    ):
        run(clips, out, other)
    with pytest.raises(OutputError, match="use another output"):
        run(clips / "quiet.avi", out, other, overwrite=True)
    assert run(clips, out, other, overwrite=True).skipped == ()


def test_clips_of_other_inputs_stay_in_the_tables(clips, tmp_path):
    out = tmp_path / "out"
    run(clips / "quiet.avi", out)
    run(clips / "twitch.avi", out, overwrite=True)
    assert sorted(read_tables(out)) == ["quiet", "twitch"]


def test_a_kill_keeps_every_finished_clip(clips, tmp_path, monkeypatch):
    out = tmp_path / "out"
    real = study_module.predict_clip

    def predict_or_stop(source, *args, **kwargs):
        if source.clip_id == "twitch":
            raise KeyboardInterrupt
        return real(source, *args, **kwargs)

    monkeypatch.setattr(study_module, "predict_clip", predict_or_stop)
    with pytest.raises(KeyboardInterrupt):
        run(clips, out)
    assert sorted(read_tables(out)) == ["broken", "quiet"]
    assert json.loads((out / "run.json").read_text())["finished"] is False
    assert not list(out.rglob("*.part"))
    monkeypatch.undo()
    assert run(clips, out).skipped == ("quiet",)


def test_a_kill_of_a_run_that_does_all_again_keeps_what_it_has_not_begun(clips, tmp_path, monkeypatch):
    out = tmp_path / "out"
    run(clips, out)
    monkeypatch.setattr(study_module, "predict_clip", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(clips, out, overwrite=True)
    assert sorted(read_tables(out)) == ["quiet", "twitch"], "only the first, broken, was begun"
    monkeypatch.undo()
    assert run(clips, out).skipped == ("quiet", "twitch")


def test_overlays_of_earlier_runs_are_no_recordings(clips, tmp_path):
    predict_study(clips, clips / "out", BrightnessPredictor(), show_progress=False)
    assert (clips / "out" / "twitch" / "overlay.mp4").is_file()
    assert len(run(clips, clips / "out").predictions) == 3
    assert len(run(clips, tmp_path / "elsewhere").predictions) == 3


def test_bad_input_and_output_are_one_line_before_any_work(clips, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FascnetError) as no_clips:
        run(tmp_path / "empty", tmp_path / "out")
    assert "\n" not in str(no_clips.value)
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        run(clips, tmp_path / "file")


def test_a_log_gets_one_line_a_clip_and_silence_when_asked():
    for show, lines in ((True, 1), (False, 0)):
        text = io.StringIO()
        with StudyProgress(2, 1, show, Console(file=text, width=40)) as progress:
            progress.begin("[clip]")
            progress.count(10)
            progress.end(
                Prediction("[clip]", "partial", score=0.5, reason="ends after 10 of 300 frames " * 4)
            )
        assert len(text.getvalue().splitlines()) == lines
        assert ("[2/2] [clip]: score 0.50, 0 events, partial (ends" in text.getvalue()) is show


def test_a_terminal_gets_a_bar():
    text = io.StringIO()
    with StudyProgress(1, 0, True, Console(file=text, force_terminal=True, width=100)) as progress:
        progress.begin("clip_a")
        progress.count(20)
        progress._bar.refresh()
        progress.end(dataclasses.replace(Prediction("clip_a", "ok"), score=0.1))
    assert "clip_a" in text.getvalue()
    assert "frames/s" in text.getvalue()


def test_kinematics_that_an_earlier_run_left_out_are_made_up_for(clips, tmp_path):
    out = tmp_path / "out"
    run(clips, out, kinematics=False)
    assert run(clips, out, kinematics=False).skipped == ("quiet", "twitch")
    again = run(clips, out)
    assert again.skipped == ("quiet",)
    assert by_id(again)["twitch"].events[0].kinematics is not None
    assert run(clips, out).skipped == ("quiet", "twitch")


def test_other_rules_about_movement_do_not_mix_with_what_is_there(clips, tmp_path):
    out = tmp_path / "out"
    run(clips, out)
    with pytest.raises(OutputError, match="other rules"):
        run(clips, out, reject=RejectRule())
    # The frames of these clips equal each other: they are frozen, and nothing of them is scored.
    found = by_id(run(clips, out, reject=RejectRule(), overwrite=True))
    assert found["quiet"].reason.endswith("s not scored: frozen")
    assert found["quiet"].scored_s == 0.0
    assert "quiet" in run(clips, out, reject=RejectRule()).skipped
