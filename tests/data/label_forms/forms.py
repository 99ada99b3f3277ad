"""Fixtures of label forms, made from their documented fields, and a clock that needs no recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.label_forms.clip_names import ClipNames
from fascnet.data.label_forms.frame_clock import FrameClock
from fascnet.data.label_forms.importing import ImportReport, ImportSettings, import_labels
from fascnet.data.label_forms.label_words import LabelWords
from fascnet.data.label_forms.recognise import FormContext
from fascnet.data.label_forms.settle import SettleSettings
from fascnet.data.labelling.labels import load_labels
from fascnet.types import ClipSource, Labels

N_FRAMES, WIDTH, HEIGHT = 90, 64, 48
NTSC_HZ = 30000 / 1001


def make_clock(n_frames: int = N_FRAMES, rate_hz: float = NTSC_HZ) -> FrameClock:
    return FrameClock(np.arange(n_frames) / rate_hz, n_frames / rate_hz, WIDTH, HEIGHT)


def make_uneven_clock(n_frames: int = N_FRAMES) -> FrameClock:
    """Steps of 43 to 112 ms in turn, as a hand-held scanner writes them."""
    steps = np.resize([0.043, 0.078, 0.112, 0.066], n_frames)
    return FrameClock(np.concatenate(([0.0], np.cumsum(steps)[:-1])), float(steps.sum()), WIDTH, HEIGHT)


def make_clips(folder: Path, *names: str) -> list[ClipSource]:
    return [ClipSource(name, folder / f"{name}.mp4", f"s{index}") for index, name in enumerate(names)]


def make_context(
    clips: list[ClipSource],
    clock: FrameClock | None = None,
    meaning: dict[str, str] | None = None,
    **keys: Any,
) -> FormContext:
    context = FormContext(ClipNames(clips), LabelWords({} if meaning is None else meaning), **keys)
    for clip in clips:
        context.clocks[clip.clip_id] = make_clock() if clock is None else clock
    return context


def run_import(
    source: Path,
    output: Path,
    context: FormContext,
    rater: str | None = "anna",
    examined: str = "form",
    **settings: Any,
) -> tuple[dict[str, dict[str, Labels]], ImportReport]:
    settling = SettleSettings(examined, 0.1, 0.4, context.words)
    report = import_labels(source, output, context, settling, ImportSettings(rater=rater, **settings))
    return load_labels(output), report


def write_text(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding)
    return path


def write_json(path: Path, tree: object) -> Path:
    return write_text(path, json.dumps(tree))


def write_empty_manifest(root: Path, clips: list[ClipSource]) -> Path:
    return write_manifest(root, clips)


# The tables keep the documented columns, however long.
# ruff: noqa: E501
TONGUE = """video_path,frame_idx,time_sec,x,y,note
clip_a.mp4,28,0.934267,46,24,
clip_a.mp4,60,2.002000,20,30,small
videos/clip_b.mp4,10,0.333667,5,6,
"""

TAGAWA_CSV = """event,video,start_frame,end_frame,start_time,end_time,duration,roi,xmin,ymin,xmax,ymax,roi_clip
FAS_0001,clip_a.mp4,10,20,00:00:00.334,00:00:00.667,0.334,1,8,6,30,28,clip_a_FAS_0001_ROI_01.mp4
FAS_0001,clip_a.mp4,10,20,00:00:00.334,00:00:00.667,0.334,2,40,6,60,28,clip_a_FAS_0001_ROI_02.mp4
FAS_0002,clip_a.mp4,50,50,00:00:01.668,00:00:01.668,0.0,1,8,6,30,28,clip_a_FAS_0002_ROI_01.mp4
"""

TAGAWA_EXCEL_HEADER = [
    "Main_Video",
    "Clip_in_Main_Video",
    "Fasciculation_Interval",
    "ROI_xmin",
    "ROI_xmax",
    "ROI_ymin",
    "ROI_ymax",
]

KOBE_PEAKS = """recording,source,window,fps,peak_frame,peak_s,x,y,method
clip_a,/data/clip_a.mp4,1,29.97002997002997,30,1.001,40,20,review
clip_a,/data/clip_a.mp4,3,29.97002997002997,30,2.002,12,30,auto
"""

KOBE_LANDMARKS = """segment,contraction_ms,relaxation_ms,total_ms,time_to_peak_contraction_ms,\
time_to_peak_relaxation_ms,start_frame,peak_contraction_frame,reversal_frame,peak_relaxation_frame,end_frame
clip_a_01000,183.5,367.0,550.5,133.5,100.1,3,7,8.5,11.5,19.5
"""


def format_cvat(
    tracks: str, *, start: int = 0, stop: int = N_FRAMES - 1, frame_filter: str = "", size: bool = True
) -> str:
    original = (
        f"<original_size><width>{WIDTH}</width><height>{HEIGHT}</height></original_size>" if size else ""
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><id>7</id><name>a task</name><size>{stop - start + 1}</size>
<mode>interpolation</mode><start_frame>{start}</start_frame><stop_frame>{stop}</stop_frame>
<frame_filter>{frame_filter}</frame_filter><labels><label><name>fasciculation</name></label></labels>
<owner><username>dr.who</username><email>dr.who@clinic.example</email></owner>{original}</task>
<dumped>2026-01-01</dumped><source>clip_a.mp4</source></meta>
{tracks}
</annotations>
"""


def cvat_box(
    frame: int, place: tuple[float, float, float, float], outside: int = 0, keyframe: int = 1
) -> str:
    xtl, ytl, xbr, ybr = place
    return (
        f'<box frame="{frame}" keyframe="{keyframe}" outside="{outside}" occluded="0" '
        f'xtl="{xtl:.2f}" ytl="{ytl:.2f}" xbr="{xbr:.2f}" ybr="{ybr:.2f}" z_order="0"></box>'
    )


def cvat_mask(frame: int, outside: int) -> str:
    """Four pixels of 3x2: all but the upper left and the lower left."""
    return (
        f'<mask frame="{frame}" keyframe="1" outside="{outside}" occluded="0" rle="1, 2, 1, 2" '
        'left="3" top="4" width="3" height="2" z_order="0"></mask>'
    )


def label_studio_task(results: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    annotation = {"id": 7, "result": results, "was_cancelled": False, "completed_by": 11, **changes}
    video = "/data/upload/8/1fd99634-clip_a.mp4"
    return {"id": 28, "data": {"video": video}, "annotations": [annotation], "predictions": []}


def label_studio_key(
    frame: int, enabled: bool, x: float = 25.0, y: float = 50.0, **more: Any
) -> dict[str, Any]:
    key = {"frame": frame, "time": frame / 24, "enabled": enabled, "rotation": 0, "x": x, "y": y}
    return {**key, "width": 12.5, "height": 25.0, **more}


def label_studio_box(keys: list[dict[str, Any]], frames: int | None = N_FRAMES) -> dict[str, Any]:
    value: dict[str, Any] = {"labels": ["Fasciculation"], "sequence": keys}
    if frames is not None:
        value |= {"framesCount": frames, "duration": frames / NTSC_HZ}
    return {"id": "M-XU", "type": "videorectangle", "value": value, "from_name": "box", "to_name": "video"}
