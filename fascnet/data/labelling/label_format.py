"""The form of `fascnet-labels/1`: a JSON tree to `Labels` and back. Unknown keys are refused by name."""

from __future__ import annotations

import difflib
import json
import math
from pathlib import Path, PurePosixPath

from fascnet.data.labelling.regions import measure_area_px
from fascnet.errors import LabelError
from fascnet.types import FASCICULATION, Box, Event, Interval, Labels, MaskFile, Point, Polygon, Region

FORMAT = "fascnet-labels/1"
CERTAINTIES = ("definite", "probable", "possible")

_TOP_KEYS = ("format", "clip_id", "rater", "examined", "events")
_EVENT_KEYS = ("onset_s", "offset_s", "peak_s", "label", "certainty", "region", "ignore_region", "peak_mm")
_REGION_KEYS = ("polygon", "box", "point", "mask")


def parse_labels(tree: object, path: Path) -> Labels:
    """Turn a JSON tree into labels.

    Args:
        tree: what `json.loads` gave.
        path: the label file, for messages and because masks lie beside it.

    Raises:
        LabelError: one line that names the file, the key and the remedy.
    """
    top = _take_object(tree, _TOP_KEYS, _TOP_KEYS, f"{path}")
    if top["format"] != FORMAT:
        raise LabelError(f"{path}: format is {_show(top['format'])}, expected '{FORMAT}'; convert the file")
    examined = _parse_examined(top["examined"], f"{path}: examined")
    events = _take_list(top["events"], f"{path}: events")
    return Labels(
        clip_id=_take_text(top["clip_id"], f"{path}: clip_id"),
        rater=_take_text(top["rater"], f"{path}: rater"),
        examined=examined,
        events=tuple(
            _parse_event(event, f"{path}: events[{i}]", path.parent) for i, event in enumerate(events)
        ),
    )


def format_labels(labels: Labels, path: Path) -> str:
    """Turn labels into the text of a label file, an event a line.

    Raises:
        LabelError: the labels break the format, or a mask does not lie in the file's folder.
    """
    where = f"{path}"
    events = [
        _build_event(event, f"{where}: events[{i}]", path.parent) for i, event in enumerate(labels.events)
    ]
    tree: dict[str, object] = {
        "format": FORMAT,
        "clip_id": labels.clip_id,
        "rater": labels.rater,
        "examined": [[float(a), float(b)] for a, b in labels.examined],
    }
    parse_labels({**tree, "events": events}, path)
    lines = [f" {json.dumps(key)}: {json.dumps(value, allow_nan=False)}," for key, value in tree.items()]
    rows = ",\n".join(f"  {json.dumps(event, allow_nan=False)}" for event in events)
    lines.append(f' "events": [\n{rows}\n ]' if events else ' "events": []')
    return "{\n" + "\n".join(lines) + "\n}\n"


def _parse_examined(tree: object, where: str) -> tuple[Interval, ...]:
    intervals: list[Interval] = []
    for i, pair in enumerate(_take_list(tree, where)):
        start, end = _take_numbers(pair, 2, f"{where}[{i}]")
        if not 0 <= start < end:
            raise LabelError(
                f"{where}[{i}]: {start:g} to {end:g} s is not an interval; give 0 <= start < end"
            )
        if intervals and start < intervals[-1][1]:
            raise LabelError(
                f"{where}[{i}]: starts before the one before it ends; sort and merge the intervals"
            )
        intervals.append((start, end))
    return tuple(intervals)


def _parse_event(tree: object, where: str, folder: Path) -> Event:
    keys = _take_object(tree, _EVENT_KEYS, ("onset_s", "offset_s", "label", "region"), where)
    onset_s = _take_number(keys["onset_s"], f"{where}.onset_s")
    offset_s = _take_number(keys["offset_s"], f"{where}.offset_s")
    if not 0 <= onset_s < offset_s:
        raise LabelError(
            f"{where}: onset {onset_s:g} s and offset {offset_s:g} s; give 0 <= onset_s < offset_s"
        )
    peak_s = None if keys.get("peak_s") is None else _take_number(keys["peak_s"], f"{where}.peak_s")
    if peak_s is not None and not onset_s <= peak_s <= offset_s:
        raise LabelError(
            f"{where}: peak {peak_s:g} s lies outside {onset_s:g}-{offset_s:g} s; mend peak_s or leave it out"
        )
    peak_mm = None if keys.get("peak_mm") is None else _take_number(keys["peak_mm"], f"{where}.peak_mm")
    if peak_mm is not None and peak_mm < 0:
        raise LabelError(f"{where}.peak_mm: is {peak_mm:g}, a displacement is 0 or more; mend it")
    label = _take_text(keys["label"], f"{where}.label")
    # A misspelt 'fasciculation' would count as a confounder, that is, as the opposite of what was meant.
    if label != FASCICULATION and difflib.SequenceMatcher(None, label.lower(), FASCICULATION).ratio() > 0.8:
        raise LabelError(f"{where}.label: '{label}' is unknown; did you mean '{FASCICULATION}'?")
    certainty = None if keys.get("certainty") is None else _take_text(keys["certainty"], f"{where}.certainty")
    if certainty is not None and certainty not in CERTAINTIES:
        raise LabelError(f"{where}.certainty: '{certainty}' must be one of {', '.join(CERTAINTIES)}")
    return Event(
        onset_s=onset_s,
        offset_s=offset_s,
        peak_s=peak_s,
        label=label,
        certainty=certainty,
        region=_parse_region(keys["region"], f"{where}.region", folder),
        ignore_region=_parse_region(keys.get("ignore_region"), f"{where}.ignore_region", folder),
        peak_mm=peak_mm,
    )


def _parse_region(tree: object, where: str, folder: Path) -> Region | None:
    if tree is None:
        return None
    keys = _take_object(tree, _REGION_KEYS, (), where)
    if len(keys) != 1:
        raise LabelError(
            f"{where}: give exactly one of {', '.join(_REGION_KEYS)}, or null when only the time is known"
        )
    kind, value = next(iter(keys.items()))
    where = f"{where}.{kind}"
    if kind == "point":
        return Point(*_take_numbers(value, 2, where))
    if kind == "mask":
        return MaskFile(_parse_mask_path(value, where, folder))
    if kind == "box":
        box = Box(*_take_numbers(value, 4, where))
        if not (box.x0 < box.x1 and box.y0 < box.y1):
            raise LabelError(f"{where}: has no area; give [x0, y0, x1, y1] with x0 < x1 and y0 < y1")
        return box
    corners = [_take_numbers(pair, 2, f"{where}[{i}]") for i, pair in enumerate(_take_list(value, where))]
    polygon = Polygon(tuple((x, y) for x, y in corners))
    if len(corners) < 3 or measure_area_px(polygon) == 0:
        raise LabelError(f"{where}: has no area; give at least three corners that do not lie on one line")
    return polygon


def _parse_mask_path(value: object, where: str, folder: Path) -> Path:
    text = _take_text(value, where)
    relative = PurePosixPath(text)
    if relative.is_absolute() or ".." in relative.parts or "\\" in text:
        raise LabelError(
            f"{where}: '{text}' leads out of the label folder; put the mask beside the label file"
        )
    return folder / relative


def _build_event(event: Event, where: str, folder: Path) -> dict[str, object]:
    tree: dict[str, object] = {"onset_s": float(event.onset_s), "offset_s": float(event.offset_s)}
    if event.peak_s is not None:
        tree["peak_s"] = float(event.peak_s)
    tree["label"] = event.label
    if event.certainty is not None:
        tree["certainty"] = event.certainty
    tree["region"] = _build_region(event.region, where, folder)
    if event.ignore_region is not None:
        tree["ignore_region"] = _build_region(event.ignore_region, where, folder)
    if event.peak_mm is not None:
        tree["peak_mm"] = float(event.peak_mm)
    return tree


def _build_region(region: Region | None, where: str, folder: Path) -> dict[str, object] | None:
    if region is None:
        return None
    if isinstance(region, Polygon):
        return {"polygon": [[float(x), float(y)] for x, y in region.points]}
    if isinstance(region, Box):
        return {"box": [float(v) for v in (region.x0, region.y0, region.x1, region.y1)]}
    if isinstance(region, Point):
        return {"point": [float(region.x), float(region.y)]}
    try:
        relative = region.path.resolve().relative_to(folder.resolve())
    except ValueError as error:
        raise LabelError(
            f"{where}: mask '{region.path}' lies outside {folder}; put it beside the label file"
        ) from error
    return {"mask": relative.as_posix()}


def _take_object(
    tree: object, known: tuple[str, ...], required: tuple[str, ...], where: str
) -> dict[str, object]:
    if not isinstance(tree, dict):
        raise LabelError(f"{where}: is {_show(tree)}, expected an object with {', '.join(known)}")
    for key in tree:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.6)
            hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
            raise LabelError(f"{where}: there is no key '{key}'; {hint}")
    for key in required:
        if key not in tree:
            raise LabelError(f"{where}: lacks the key '{key}'; add it")
    return tree


def _take_list(tree: object, where: str) -> list[object]:
    if not isinstance(tree, list):
        raise LabelError(f"{where}: is {_show(tree)}, expected a list")
    return tree


def _take_text(tree: object, where: str) -> str:
    if not isinstance(tree, str) or not tree.strip():
        raise LabelError(f"{where}: is {_show(tree)}, expected a text")
    return tree


def _take_number(tree: object, where: str) -> float:
    # bool is an int in Python, not in JSON; integers past 1e308 do not fit a float.
    if (
        isinstance(tree, bool)
        or not isinstance(tree, int | float)
        or abs(tree) > 1e9
        or not math.isfinite(tree)
    ):
        raise LabelError(f"{where}: is {_show(tree)}, expected a finite number")
    return float(tree)


def _take_numbers(tree: object, count: int, where: str) -> tuple[float, ...]:
    values = _take_list(tree, where)
    if len(values) != count:
        raise LabelError(f"{where}: has {len(values)} values, expected {count}")
    return tuple(_take_number(value, f"{where}[{i}]") for i, value in enumerate(values))


def _show(tree: object) -> str:
    text = json.dumps(tree, default=str)
    return text if len(text) <= 40 else f"{text[:37]}..."
