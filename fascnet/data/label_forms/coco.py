"""Reads COCO and YouTube-VIS JSON: boxes and areas (polygons, run lengths) a frame, or tracks of them.

Formats: cocodataset.org (data format) and youtube-vos.org (YouTube-VIS: `videos`, and lists of segmentations
a track). Places count from the corner of the image: half a pixel less is the centre.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fascnet.data.label_forms.file_limits import MAX_FRAME, MAX_SIDE_PX, read_json
from fascnet.data.label_forms.rater_events import FormContents, FormRegion, RaterEvents
from fascnet.data.label_forms.run_lengths import unpack_columns
from fascnet.data.label_forms.shapes import FrameShape, crop_mask, join_regions, join_shapes, span_frames
from fascnet.errors import LabelError
from fascnet.types import Box, Polygon

_HALF_PX = 0.5
_TRACK_KEYS = ("track_id", "instance_id", "object_id")
_NUMBERED = re.compile(r"(.*?)[_\-./\\ ]*(?:frame[_\-]?)?(\d+)\.\w+$", re.IGNORECASE)


def is_coco(tree: object) -> bool:
    """Whether a JSON tree is COCO (`images`) or YouTube-VIS (`videos`) with annotations and categories."""
    return (
        isinstance(tree, dict)
        and {"annotations", "categories"} <= set(tree)
        and bool({"images", "videos"} & set(tree))
    )


def read_coco(path: Path, first_frame: int = 0) -> FormContents:
    """Read areas a frame as events; those of one track, or overlapping in following frames, are one event.

    A recording is a `video`, or the images of one folder or name up to their number. What was examined are
    the frames that the file lists.

    Args:
        path: the file.
        first_frame: the number that file names give to the recording's first frame.

    Raises:
        LabelError: not such a file, or a value that cannot be.
    """
    tree = read_json(path)
    if not is_coco(tree):
        raise LabelError(f"{path}: is JSON but neither COCO nor YouTube-VIS; export it again")
    reader = _Reader(path, tree, first_frame)
    for number, annotation in enumerate(reader.list_of("annotations"), start=1):
        where = f"{path} annotation {annotation.get('id', number)}"
        if "video_id" in annotation and "image_id" not in annotation:
            reader.add_track(annotation, where)
        else:
            reader.add_shape(annotation, where)
    return FormContents(tuple(reader.finish()))


class _Reader:
    """Collects a file's shapes by recording."""

    def __init__(self, path: Path, tree: Mapping[str, Any], first_frame: int) -> None:
        self.path, self.tree, self.first_frame = path, tree, first_frame
        self.labels = {one.get("id"): str(one.get("name")) for one in self.list_of("categories")}
        self.videos = {one.get("id"): one for one in self.list_of("videos")}
        self.images = {one.get("id"): one for one in self.list_of("images")}
        self.names: dict[str, tuple[str, ...]] = {}
        self.sizes: dict[str, tuple[int, int]] = {}
        self.frames: dict[str, set[int]] = {}
        self.shapes: dict[str, list[FrameShape]] = {}
        for image in self.images.values():
            key, frame = self._place(image)
            self._register(key, image, {frame})
        for video in self.videos.values():
            if isinstance(video.get("file_names"), list) or "length" in video:
                self._register(f"video {video.get('id')}", video, set(self._number_frames(video)))

    def list_of(self, name: str) -> list[dict[str, Any]]:
        found = self.tree.get(name, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise LabelError(f"{self.path}: '{name}' is no list of objects; export it again")
        return found

    def add_shape(self, annotation: Mapping[str, Any], where: str) -> None:
        image = self.images.get(annotation.get("image_id"))
        if image is None:
            raise LabelError(
                f"{where}: image {annotation.get('image_id')} is not in 'images'; export it again"
            )
        key, frame = self._place(image)
        region = _read_region(
            annotation.get("segmentation"), annotation.get("bbox"), self.sizes.get(key), where
        )
        identity = next(
            (f"{annotation[name]}" for name in _TRACK_KEYS if annotation.get(name) is not None), None
        )
        self._add(key, frame, region, annotation, identity, where)

    def add_track(self, annotation: Mapping[str, Any], where: str) -> None:
        video = self.videos.get(annotation.get("video_id"))
        if video is None:
            raise LabelError(
                f"{where}: video {annotation.get('video_id')} is not in 'videos'; export it again"
            )
        key = f"video {video.get('id')}"
        areas = annotation.get("segmentations")
        boxes = annotation.get("bboxes")
        count = max((len(one) for one in (areas, boxes) if isinstance(one, list)), default=0)
        frames = self._number_frames(video)
        if count > len(frames):
            raise LabelError(f"{where}: has {count} frames, its video {len(frames)}; export it again")
        for index in range(count):
            area = areas[index] if isinstance(areas, list) and index < len(areas) else None
            box = boxes[index] if isinstance(boxes, list) and index < len(boxes) else None
            if area or box:
                region = _read_region(area, box, self.sizes.get(key), where)
                self._add(key, frames[index], region, annotation, f"track {annotation.get('id')}", where)

    def finish(self) -> list[RaterEvents]:
        found = []
        for key, names in self.names.items():
            frames = sorted(self.frames[key])
            steps = np.diff(frames)
            step = int(steps.min()) if len(steps) else 1
            events = tuple(join_shapes(self.shapes.get(key, []), step))
            examined = tuple(span_frames(frames, step))
            found.append(
                RaterEvents(names, f"{self.path}", events, examined=examined, size=self.sizes.get(key))
            )
        return found

    def _add(
        self,
        key: str,
        frame: int,
        region: FormRegion,
        annotation: Mapping[str, Any],
        identity: str | None,
        where: str,
    ) -> None:
        label = self.labels.get(annotation.get("category_id"))
        if label is None:
            raise LabelError(
                f"{where}: category {annotation.get('category_id')} has no name; export it again"
            )
        shape = FrameShape(frame, region, label, f"{where} frame {frame}", identity)
        self.shapes.setdefault(key, []).append(shape)

    def _register(self, key: str, holder: Mapping[str, Any], frames: set[int]) -> None:
        self.frames.setdefault(key, set()).update(frames)
        width, height = holder.get("width"), holder.get("height")
        if isinstance(width, int) and isinstance(height, int):
            if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX):
                raise LabelError(f"{self.path}: images of {width}x{height} pixels are none; export it again")
            self.sizes[key] = (width, height)
        if key not in self.names:
            self.names[key] = self._name(key, holder)

    def _name(self, key: str, holder: Mapping[str, Any]) -> tuple[str, ...]:
        names = [str(holder[name]) for name in ("name", "file_name") if isinstance(holder.get(name), str)]
        listed = holder.get("file_names")
        if isinstance(listed, list) and listed and isinstance(listed[0], str):
            names.append(_split_name(listed[0])[0])
        if not key.startswith("video "):
            names = [key, *names]
        elif holder.get("video_id") is not None:
            video = self.videos.get(holder["video_id"], {})
            names = [str(video[one]) for one in ("name", "file_name") if isinstance(video.get(one), str)]
        names = [name for name in names if name]
        return tuple(names) if names else (self.path.stem,)

    def _place(self, image: Mapping[str, Any]) -> tuple[str, int]:
        """Return the recording that an image belongs to and its frame."""
        name = str(image.get("file_name", ""))
        prefix, number = _split_name(name)
        frame = next(
            (image[one] for one in ("frame_id", "frame_index") if isinstance(image.get(one), int)), None
        )
        if frame is None:
            if number is None:
                raise LabelError(
                    f"{self.path}: image '{name[-60:]}' has no frame number; put it at the name's end"
                )
            frame = number - self.first_frame
        if not 0 <= frame <= MAX_FRAME:
            raise LabelError(
                f"{self.path}: image '{name[-60:]}' is frame {frame}; give the first's number: first_frame=…"
            )
        if image.get("video_id") is not None:
            return f"video {image['video_id']}", int(frame)
        return prefix if prefix else self.path.stem, int(frame)

    def _number_frames(self, video: Mapping[str, Any]) -> list[int]:
        listed = video.get("file_names")
        if isinstance(listed, list):
            numbers = [_split_name(str(name))[1] for name in listed]
            frames = [number - self.first_frame for number in numbers if number is not None]
            if (
                len(frames) == len(listed)
                and frames == sorted(set(frames))
                and (not frames or frames[0] >= 0)
            ):
                return frames
            return list(range(len(listed)))
        length = video.get("length", 0)
        if not isinstance(length, int) or not 0 <= length <= MAX_FRAME:
            raise LabelError(f"{self.path}: a video of {length} frames is none; export it again")
        return list(range(length))


def _split_name(name: str) -> tuple[str, int | None]:
    found = _NUMBERED.fullmatch(name)
    if found is None or len(found.group(2)) > 8:
        return name, None
    return found.group(1), int(found.group(2))


def _read_region(area: object, box: object, size: tuple[int, int] | None, where: str) -> FormRegion:
    if isinstance(area, dict):
        shape, counts = area.get("size"), area.get("counts")
        if not (isinstance(shape, list) and len(shape) == 2 and all(isinstance(n, int) for n in shape)):
            raise LabelError(f"{where}: a mask has no size; export it again")
        if size is not None and (shape[1], shape[0]) != size:
            raise LabelError(
                f"{where}: a mask of {shape[1]}x{shape[0]} lies on an image of {size[0]}x{size[1]}"
            )
        if not isinstance(counts, str | list):
            raise LabelError(f"{where}: a mask has no run lengths; export it again")
        mask = crop_mask(unpack_columns(counts, shape[1], shape[0], where))
        if mask is None:
            raise LabelError(f"{where}: a mask is empty; remove it")
        return mask
    if isinstance(area, list) and area:
        parts: list[FormRegion] = [_read_polygon(part, where) for part in area]
        return parts[0] if len(parts) == 1 else join_regions(parts, where)
    numbers = _take_numbers(box, where)
    if len(numbers) != 4 or numbers[2] <= 0 or numbers[3] <= 0:
        raise LabelError(f"{where}: has neither an area nor a box [x, y, width, height]; mend or remove it")
    x, y, width, height = numbers
    return Box(x - _HALF_PX, y - _HALF_PX, x + width - _HALF_PX, y + height - _HALF_PX)


def _read_polygon(part: object, where: str) -> Polygon:
    numbers = _take_numbers(part, where)
    if len(numbers) < 6 or len(numbers) % 2:
        raise LabelError(
            f"{where}: a polygon of {len(numbers)} numbers is none; give x and y of three or more"
        )
    corners = zip(numbers[::2], numbers[1::2], strict=True)
    return Polygon(tuple((x - _HALF_PX, y - _HALF_PX) for x, y in corners))


def _take_numbers(tree: object, where: str) -> list[float]:
    found = tree if isinstance(tree, list) else []
    for number in found:
        if (
            isinstance(number, bool)
            or not isinstance(number, int | float)
            or not math.isfinite(number)
            or abs(number) > 1e7
        ):
            raise LabelError(f"{where}: a place is not a number; export it again")
    return [float(number) for number in found]
