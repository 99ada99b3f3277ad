"""A file of each form, made from its documented fields; each speaks of clip_a, some of clip_b."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import openpyxl
from PIL import Image

from . import forms


def write_fixture(form: str, folder: Path) -> Path:
    """Write a form's file or folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    return WRITERS[form](folder)


def write_tongue(folder: Path) -> Path:
    return forms.write_text(folder / "manual_annotations.csv", forms.TONGUE)


def write_tagawa_csv(folder: Path) -> Path:
    return forms.write_text(folder / "fasciculation_annotations.csv", forms.TAGAWA_CSV)


def write_tagawa_excel(folder: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.append(forms.TAGAWA_EXCEL_HEADER)
    book.active.append(["clip_a", 1, "00:00:00.334-00:00:00.667", 8, 30, 6, 28])
    book.save(folder / "labels.xlsx")
    return folder / "labels.xlsx"


def write_kobe(folder: Path) -> Path:
    forms.write_text(folder / "landmarks.csv", forms.KOBE_LANDMARKS)
    return forms.write_text(folder / "peaks.csv", forms.KOBE_PEAKS)


def write_counts(folder: Path) -> Path:
    text = "clip_id;rater;count;grade;present;examined_s\nclip_a;anna;3;2;;30\n\nclip_b;anna;0;0;no;2,5\n"
    return forms.write_text(folder / "counts.csv", text)


def write_events(folder: Path) -> Path:
    forms.write_text(folder / "scores.csv", "clip_id,scored_s\nclip_a,3.0\nclip_b,2.5\n")
    text = "clip_id,onset_s,offset_s,peak_s,x_px,y_px\nclip_a,0.5,0.9,0.6,20,21.5\n"
    return forms.write_text(folder / "events.csv", text)


def write_cvat(folder: Path) -> Path:
    places = ((10, (8, 6, 30, 28), 0), (20, (10, 6, 32, 28), 0), (22, (10, 6, 32, 28), 1))
    box = "".join(forms.cvat_box(frame, place, outside) for frame, place, outside in places)
    tracks = f'<track id="0" label="fasciculation" source="manual">{box}</track>'
    for number, frame in enumerate((40, 41), start=1):
        mask = forms.cvat_mask(frame, 0) + forms.cvat_mask(frame + 1, 1)
        tracks += f'<track id="{number}" label="fasciculation">{mask}</track>'
    return forms.write_text(folder / "annotations.xml", forms.format_cvat(tracks))


def write_label_studio(folder: Path) -> Path:
    keys = [forms.label_studio_key(11, True), forms.label_studio_key(21, False, x=31.25)]
    line = {
        "id": "t",
        "type": "timelinelabels",
        "from_name": "timeline",
        "to_name": "video",
        "value": {"ranges": [{"start": 50, "end": 60}], "timelinelabels": ["fasciculation"]},
    }
    task = forms.label_studio_task([forms.label_studio_box(keys), line])
    return forms.write_json(folder / "project.json", [task])


def write_coco(folder: Path) -> Path:
    triangle = [[4, 4, 20, 4, 20, 20]]
    track = {
        "id": 5,
        "video_id": 1,
        "category_id": 1,
        "segmentations": [None] * 10 + [triangle] * 5 + [None] * (forms.N_FRAMES - 15),
    }
    size = {"width": forms.WIDTH, "height": forms.HEIGHT, "length": forms.N_FRAMES}
    tree = {
        "videos": [{"id": 1, "name": "clip_a", **size}],
        "categories": [{"id": 1, "name": "fasciculation"}],
        "annotations": [track],
    }
    return forms.write_json(folder / "instances.json", tree)


def write_nifti(folder: Path) -> Path:
    volume = np.zeros((forms.WIDTH, forms.HEIGHT, forms.N_FRAMES), np.uint8)
    volume[10:20, 5:9, 12:18] = 1
    volume[40:44, 30:34, 12:15] = 2
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), folder / "clip_a.nii.gz")
    return folder / "clip_a.nii.gz"


def write_png_masks(folder: Path) -> Path:
    (folder / "clip_a").mkdir(exist_ok=True)
    for frame in range(10, 30):
        picture = np.zeros((forms.HEIGHT, forms.WIDTH), np.uint8)
        picture[5:9, 10:20] = 3 if 12 <= frame < 18 else 0
        Image.fromarray(picture).save(folder / "clip_a" / f"frame_{frame:06d}.png")
    return folder / "clip_a"


WRITERS: dict[str, Callable[[Path], Path]] = {
    "tongue": write_tongue,
    "tagawa_csv": write_tagawa_csv,
    "tagawa_excel": write_tagawa_excel,
    "kobe": write_kobe,
    "counts": write_counts,
    "events": write_events,
    "cvat": write_cvat,
    "label_studio": write_label_studio,
    "coco": write_coco,
    "nifti": write_nifti,
    "png_masks": write_png_masks,
}
