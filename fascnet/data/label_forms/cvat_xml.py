"""Reads CVAT's XML 1.1, "for video" (tracks) and "for images", plain or in the ZIP that CVAT gives.

Format: docs.cvat.ai, XML annotation format; frames are those of the source video (CVAT adds its start frame
and step before it writes them: cvat/apps/dataset_manager/bindings.py, abs_frame_id).
"""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from fascnet.data.label_forms.cvat_shapes import SHAPES, UNREADABLE_SHAPES, read_number, read_shape
from fascnet.data.label_forms.cvat_tracks import build_frame_shape, read_frame, read_group, read_track
from fascnet.data.label_forms.file_limits import check_file_size, check_zip_size
from fascnet.data.label_forms.rater_events import FormContents, FormEvent, FrameSpan, RaterEvents
from fascnet.data.label_forms.shapes import FrameShape, join_shapes
from fascnet.errors import LabelError


@dataclass(slots=True)
class _Task:
    """What the head of the file says about the task."""

    names: list[str] = field(default_factory=list)
    start: int | None = None
    stop: int | None = None
    step: int = 1
    size: tuple[int, int] | None = None


def read_cvat(path: Path) -> FormContents:
    """Read a task: each stretch in which a track is visible is an event, from its first frame on.

    What was examined are the task's frames. Shapes that belong to no track (CVAT writes them as tracks of one
    frame) are joined over following frames where they overlap.

    Raises:
        LabelError: not such a file, damaged, or with shapes that are no regions.
    """
    check_file_size(path)
    if path.suffix.lower() != ".zip":
        try:
            with path.open("rb") as file:
                return _read(file, path)
        except OSError as error:
            raise LabelError(f"{path}: cannot be read ({error.strerror}); check the file") from error
    check_zip_size(path)
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [name for name in archive.namelist() if name.lower().endswith(".xml")]
            if len(inside) != 1:
                raise LabelError(
                    f"{path}: holds {len(inside)} XML files, expected annotations.xml; unpack it"
                )
            with archive.open(inside[0]) as file:
                return _read(file, path)
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        raise LabelError(f"{path}: is a damaged or locked ZIP file; export it again") from error


def _read(file: IO[bytes], path: Path) -> FormContents:
    task = _Task()
    events: list[FormEvent] = []
    loose: list[FrameShape] = []
    root: Element | None = None
    try:
        for when, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
            if root is None:
                root = element
                if element.tag != "annotations":
                    raise LabelError(f"{path}: is XML but not of CVAT; export 'CVAT for video 1.1'")
            if when == "start":
                continue
            if element.tag == "meta":
                task = _read_task(element, path)
            elif element.tag == "track":
                end = None if task.stop is None else task.stop + task.step
                read_track(element, task.step, end, f"{path} track {element.get('id', '?')}", events, loose)
                element.clear()
            elif element.tag == "image":
                loose += _read_image(element, f"{path} image {element.get('id', '?')}", task)
                element.clear()
    except DefusedXmlException as error:
        raise LabelError(f"{path}: defines entities, which label files never do; export it again") from error
    except (ParseError, ValueError, LookupError) as error:
        raise LabelError(f"{path}: is not well-formed XML ({error}); export it again") from error
    if root is None:
        raise LabelError(f"{path}: is empty; export it again")
    events += join_shapes(loose, task.step)
    names = (*task.names, path.stem)
    examined = None
    if task.start is not None and task.stop is not None:
        examined = (FrameSpan(task.start, task.stop + 1),)
    return FormContents((RaterEvents(names, f"{path}", tuple(events), examined=examined, size=task.size),))


def _read_task(meta: Element, path: Path) -> _Task:
    if meta.find("project") is not None:
        raise LabelError(f"{path}: is the export of a project; export each of its tasks")
    found = meta.find("task")
    task = _Task()
    # Newer versions write a job's head in place of a task's; the source stands beside it or inside.
    head = found if found is not None else meta.find("job")
    for place, name in ((meta, "source"), (head, "source"), (head, "name")):
        text = None if place is None else place.findtext(name)
        if text is not None and text.strip():
            task.names.append(text.strip())
    if head is None:
        return task
    task.start, task.stop = (
        read_frame(head.findtext(name), f"{path}: {name}") for name in ("start_frame", "stop_frame")
    )
    step = re.search(r"step\s*=\s*(\d{1,6})", head.findtext("frame_filter") or "")
    task.step = max(1, int(step.group(1))) if step is not None else 1
    size = head.find("original_size")
    size = meta.find("original_size") if size is None else size
    if size is not None:
        where = f"{path}: original_size"
        numbers = {name: (size.findtext(name) or "") for name in ("width", "height")}
        task.size = (int(read_number(numbers, "width", where)), int(read_number(numbers, "height", where)))
    return task


def _read_image(image: Element, where: str, task: _Task) -> list[FrameShape]:
    number = re.search(r"(\d+)(?:\.\w+)?$", image.get("name", ""))
    frame = read_frame(image.get("id"), f"{where}: id") if number is None else int(number.group(1)[-8:])
    if frame is None:
        raise LabelError(f"{where}: has no frame number; export 'CVAT for video 1.1'")
    if task.size is None and image.get("width") is not None:
        task.size = (
            int(read_number(image.attrib, "width", where)),
            int(read_number(image.attrib, "height", where)),
        )
    shapes = []
    for element in image:
        if element.tag in UNREADABLE_SHAPES:
            raise LabelError(
                f"{where}: holds a {element.tag}, which marks no area; use a box, polygon or mask"
            )
        if element.tag not in (*SHAPES, "tag"):
            continue
        label = element.get("label")
        if label is None:
            raise LabelError(f"{where}: a {element.tag} has no label; export it again")
        region = None if element.tag == "tag" else read_shape(element.tag, element.attrib, where)
        shapes.append(build_frame_shape(element, frame, region, label, read_group(element), where))
    return shapes
