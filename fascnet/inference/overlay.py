"""`overlay.mp4`: the heatmap over the clip, cropped to the imaging area: names on screen stay out of it."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.video_writer import VideoWriter
from fascnet.errors import RecordingError
from fascnet.inference.heatmap_store import HeatmapStore
from fascnet.types import FASCICULATION, Event, PixelBox, Point, Recording

OVERLAY_FILE = "overlay.mp4"

FAINTEST_P = 0.1
"""Below this probability the picture is left untouched."""

STRONGEST_ALPHA = 0.75
"""Share of the colour at probability 1: speckle stays visible beneath."""

_MIN_WIDTH_PX = 480
_MAX_SIDE_PX = 960
_FOOTER_PX = 40
_BAR_PX = 140
_BATCH_TICKS = 64
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_RED_ORANGE = (255, 150, 60)
_WHITE = (240, 240, 240)
_GREY = (165, 165, 165)


class Colours(NamedTuple):
    """The fixed colour scale: inferno, perceptually ordered and readable with every colour vision.

    Attributes:
        rgb: uint8 (256, 3), colour of each heatmap value.
        alpha: float64 (256,), its share, 0 below `FAINTEST_P` and growing to `STRONGEST_ALPHA`.
        weighted: uint8 (256, 3), rgb times alpha.
        tissue: uint8 (256,), 255 times what is left for the picture.
    """

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.float64]
    weighted: NDArray[np.uint8]
    tissue: NDArray[np.uint8]


@functools.cache
def make_colours() -> Colours:
    """Make the 256 colours and shares, once a process."""
    ramp = np.arange(256, dtype=np.uint8).reshape(-1, 1)
    rgb = cv2.applyColorMap(ramp, cv2.COLORMAP_INFERNO)[:, 0, ::-1]
    p = np.arange(256, dtype=np.float64) / 255.0
    # Growing from nothing: the dark colours of low probabilities would black out the tissue beneath.
    alpha = STRONGEST_ALPHA * np.clip((p - FAINTEST_P) / (1.0 - FAINTEST_P), 0.0, 1.0)
    return Colours(
        rgb=_as_uint8(np.ascontiguousarray(rgb)),
        alpha=alpha,
        weighted=np.rint(rgb * alpha[:, None]).astype(np.uint8),
        tissue=np.rint(255.0 * (1.0 - alpha)).astype(np.uint8),
    )


def blend_heatmap(image: NDArray[np.uint8], heatmap: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a heatmap over a grey picture.

    Args:
        image: uint8 (H, W).
        heatmap: uint8 (h, w), 255 = probability 1; it covers the whole picture.

    Returns:
        RGB uint8 (H, W, 3); equal to the grey picture wherever the probability is below `FAINTEST_P`.
    """
    rgb = _as_uint8(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB))
    if heatmap.max(initial=0) < FAINTEST_P * 255:
        return rgb
    full = cv2.resize(heatmap, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    rows, cols = np.flatnonzero(full.max(axis=1)), np.flatnonzero(full.max(axis=0))
    # Twitches are small: only the rectangle around them is blended, in 8-bit steps.
    part = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    values = np.ascontiguousarray(full[part])
    colours = make_colours()
    tissue = cv2.multiply(np.ascontiguousarray(image[part]), cv2.LUT(values, colours.tissue), scale=1 / 255)
    colour = cv2.LUT(cv2.cvtColor(values, cv2.COLOR_GRAY2RGB), colours.weighted[None])
    rgb[part] = cv2.add(cv2.cvtColor(tissue, cv2.COLOR_GRAY2RGB), colour)
    return rgb


def write_overlay(
    path: Path,
    recording: Recording,
    store: HeatmapStore,
    *,
    box: PixelBox,
    heatmap_fps: float,
    events: Sequence[Event],
) -> int:
    """Decode the recording a second time and write the overlay, a frame for each of its frames.

    Args:
        path: the mp4 to write; whole or not at all.
        recording: the clip; if it breaks off, the overlay ends there too.
        store: its heatmaps; heatmap k stands at k / heatmap_fps.
        box: what the heatmaps cover, stored pixels; the picture is cropped to it.
        heatmap_fps: heatmaps per second.
        events: the events in order of onset, numbered from 1 in the picture as in `events.csv`; those with
            another label are counted and not marked.

    Returns:
        Frames written.

    Raises:
        OutputError: it cannot be written.
    """
    layout = _plan_layout(box)
    footer = _draw_footer(layout)
    written = 0
    batch = np.zeros((0, *store.shape), dtype=np.uint8)
    batch_start = 0
    x0, y0, x1, y1 = box
    with VideoWriter(
        path, layout.height, layout.width, recording.info.fps, codec="h264_fast", color=True
    ) as writer:
        frames = recording.frames()
        while True:
            try:
                frame = next(frames)
            except (StopIteration, RecordingError):
                break
            tick = min(round(frame.time_s * heatmap_fps), store.n_ticks - 1)
            if not batch_start <= tick < batch_start + len(batch):
                batch_start, batch = tick, store.read(tick, tick + _BATCH_TICKS)
            crop = frame.image[y0:y1, x0:x1]
            if layout.scale != 1.0:
                how = cv2.INTER_CUBIC if layout.scale > 1.0 else cv2.INTER_AREA
                crop = _as_uint8(cv2.resize(crop, (layout.width, layout.image_height), interpolation=how))
            canvas = np.empty((layout.height, layout.width, 3), dtype=np.uint8)
            canvas[: layout.image_height] = blend_heatmap(
                np.ascontiguousarray(crop), batch[tick - batch_start]
            )
            canvas[layout.image_height :] = footer
            now = [
                (n, e)
                for n, e in enumerate(events, 1)
                if e.onset_s <= frame.time_s < e.offset_s and e.label == FASCICULATION
            ]
            _mark_events(canvas[: layout.image_height], now, layout)
            _write_time(canvas, frame.time_s, now, layout)
            writer.write(canvas)
            written += 1
    return written


class _Layout(NamedTuple):
    width: int
    image_height: int
    height: int
    scale: float
    box: PixelBox


def _plan_layout(box: PixelBox) -> _Layout:
    """Fit the picture: small ones are enlarged to be legible, large ones reduced to encode fast."""
    width, height = box[2] - box[0], box[3] - box[1]
    scale = 1.0
    if width < _MIN_WIDTH_PX:
        scale = _MIN_WIDTH_PX / width
    elif width > _MAX_SIDE_PX:
        scale = _MAX_SIDE_PX / width
    scale = min(scale, max(1.0, _MAX_SIDE_PX / height)) if scale >= 1.0 else scale
    if height * scale > _MAX_SIDE_PX:
        scale = _MAX_SIDE_PX / height
    out_w, out_h = (max(2, 2 * math.ceil(side * scale / 2)) for side in (width, height))
    if (out_w, out_h) == (width + width % 2, height + height % 2):
        # An odd side grows by a pixel; resizing for that would blur, but the writer needs one size for all.
        scale = 1.0 if (out_w, out_h) == (width, height) else out_w / width + 1e-9
    return _Layout(out_w, out_h, out_h + _FOOTER_PX, scale, box)


def _draw_footer(layout: _Layout) -> NDArray[np.uint8]:
    """Draw what never changes: the colour bar with its scale."""
    strip = np.full((_FOOTER_PX, layout.width, 3), 18, dtype=np.uint8)
    bar_w = min(_BAR_PX, layout.width // 3)
    left, top = layout.width - bar_w - 26, 10
    p = np.linspace(0, 255, bar_w).astype(np.uint8)
    bar = np.broadcast_to(make_colours().rgb[p], (10, bar_w, 3))
    strip[top : top + 10, left : left + bar_w] = bar
    cv2.rectangle(strip, (left - 1, top - 1), (left + bar_w, top + 10), _GREY, 1)
    for value, label in ((0.0, "0"), (0.5, "0.5"), (1.0, "1")):
        at = left + round(value * (bar_w - 1))
        size = cv2.getTextSize(label, _FONT, 0.36, 1)[0][0]
        cv2.putText(strip, label, (at - size // 2, top + 24), _FONT, 0.36, _GREY, 1, cv2.LINE_AA)
    if layout.width >= 440:
        size = cv2.getTextSize("probability", _FONT, 0.36, 1)[0][0]
        place = (left - size - 10, top + 9)
        cv2.putText(strip, "probability", place, _FONT, 0.36, _GREY, 1, cv2.LINE_AA)
    return strip


def _mark_events(canvas: NDArray[np.uint8], now: Sequence[tuple[int, Event]], layout: _Layout) -> None:
    """Circle each event that lasts at this moment, with its number."""
    x0, y0, x1, y1 = layout.box
    sx, sy = layout.width / (x1 - x0), layout.image_height / (y1 - y0)
    for number, event in now:
        if not isinstance(event.region, Point):
            continue
        x, y = (event.region.x + 0.5 - x0) * sx - 0.5, (event.region.y + 0.5 - y0) * sy - 0.5
        area = 0.0 if event.area_px is None else event.area_px * sx * sy
        radius = round(min(max(14.0, 1.25 * math.sqrt(area / math.pi)), layout.image_height / 3))
        centre = (round(x), round(y))
        # A dark rim keeps the circle visible over bright fascia.
        cv2.circle(canvas, centre, radius, (0, 0, 0), 4, cv2.LINE_AA)
        cv2.circle(canvas, centre, radius, _RED_ORANGE, 2, cv2.LINE_AA)
        size = cv2.getTextSize(str(number), _FONT, 0.55, 2)[0]
        # At the circle's upper right.
        at_x = min(centre[0] + round(0.75 * radius) + 6, layout.width - size[0] - 3)
        at_y = min(max(centre[1] - round(0.75 * radius), size[1] + 3), layout.image_height - 4)
        _put_on_plate(canvas, str(number), (at_x, at_y), 0.55)


def _write_time(
    canvas: NDArray[np.uint8], time_s: float, now: Sequence[tuple[int, Event]], layout: _Layout
) -> None:
    base = layout.image_height + 25
    cv2.putText(canvas, f"{time_s:7.2f} s", (6, base), _FONT, 0.52, _WHITE, 1, cv2.LINE_AA)
    if not now or layout.width < 380:
        return
    numbers = ", ".join(str(number) for number, _ in now[:4]) + (", ..." if len(now) > 4 else "")
    word = "event" if len(now) == 1 else "events"
    cv2.putText(canvas, f"{word} {numbers}", (112, base), _FONT, 0.48, _RED_ORANGE, 1, cv2.LINE_AA)


def _put_on_plate(canvas: NDArray[np.uint8], text: str, place: tuple[int, int], size: float) -> None:
    """Write on a dark plate: bare strokes drown in speckle."""
    (width, height), below = cv2.getTextSize(text, _FONT, size, 2)
    x, y = place
    cv2.rectangle(canvas, (x - 3, y - height - 3), (x + width + 2, y + below), (18, 18, 18), cv2.FILLED)
    cv2.putText(canvas, text, place, _FONT, size, _RED_ORANGE, 2, cv2.LINE_AA)


def _as_uint8(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    return image.astype(np.uint8, copy=False)
