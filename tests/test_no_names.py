"""No name, number, date or institution of a DICOM header, and no burned-in text, reaches any output."""

from __future__ import annotations

import base64
import logging
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.multival import MultiValue

from fascnet.commands.main import run
from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.labelling.labels import write_labels
from fascnet.data.recording.recordings import open_recording
from fascnet.data.recording.video_writer import VideoWriter
from fascnet.types import ClipSource, Event, Labels

from .data.tiny import make_texture, shift
from .named_dicom import BOX, PERSON, TISSUE_MAX, write_named_dicom

PERSONAL = frozenset(
    (
        *("PatientID", "OtherPatientIDs", "IssuerOfPatientID", "PatientAddress", "PatientTelephoneNumbers"),
        *("PatientComments", "PatientMotherBirthName", "MedicalRecordLocator", "AccessionNumber", "StudyID"),
        *("InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "StationName"),
        *("DeviceSerialNumber", "StudyDescription", "SeriesDescription", "ImageComments", "ProtocolName"),
        *("RequestedProcedureDescription", "SourceApplicationEntityTitle", "StudyInstanceUID"),
        *("SeriesInstanceUID", "SOPInstanceUID", "MediaStorageSOPInstanceUID", "FrameOfReferenceUID"),
    )
)
"""Elements that identify by their meaning; those with names and dates are known by their kind."""

GENERIC = frozenset(("anonymized", "hospital", "address", "report", "femoral"))
"""Words of real headers that are no names and may well stand in a page."""

OVERLAY_FOOTER_PX = 40


def list_secrets(path: Path) -> set[str]:
    """Every text in a header that names somebody, some day or some place, in every form that it may take."""
    secrets: set[str] = set()
    header: Any = pydicom.dcmread(path, stop_before_pixels=True)
    for element in (*header.file_meta, *header.iterall()):
        if element.VR not in {"PN", "DA", "DT"} and element.keyword not in PERSONAL:
            continue
        values = element.value if isinstance(element.value, MultiValue) else [element.value]
        for text in map(str, values):
            secrets.add(text)
            if element.VR in {"DA", "DT"}:
                secrets |= write_dates(re.sub(r"\D", "", text)[:8])
            elif element.VR == "PN" or element.keyword == "InstitutionName":
                secrets |= {word for word in re.split(r"[\W_]+", text) if len(word) >= 5}
    secrets |= {fold(secret) for secret in secrets}
    # A shorter number cannot be told from a count of frames; names that were overwritten by X are none.
    told = {secret.lower() for secret in secrets if len(secret.strip()) >= 5}
    return {secret for secret in told if not set(secret) <= set("x^ ")} - GENERIC


def fold(text: str) -> str:
    for letter, plain in (("ö", "oe"), ("ä", "ae"), ("ü", "ue")):
        text = text.replace(letter, plain)
    return text


def write_dates(date: str) -> set[str]:
    year, month, day = date[:4], date[4:6], date[6:8]
    orders = [(year, month, day), (day, month, year), (month, day, year)]
    written = {separator.join(order) for order in orders for separator in ("", "-", ".", "/", "_")}
    return {text for text in written if len(text) >= 8}


def read_all(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes and whatever is packed in them."""
    data = path.read_bytes()
    yield data
    yield path.name.encode()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    if path.suffix == ".png":
        with Image.open(path) as picture:
            yield repr(picture.info).encode()
    if path.suffix in {".mp4", ".avi"}:
        with av.open(str(path)) as container:
            yield repr((container.metadata, container.streams.video[0].metadata)).encode()
    for packed in re.findall(rb"base64,([A-Za-z0-9+/=]+)", data):
        yield base64.b64decode(packed)


def search(folder: Path, secrets: set[str]) -> dict[str, list[str]]:
    """Search every file below a folder, whatever the case and whether UTF-8, Latin-1 or UTF-16."""
    found: dict[str, list[str]] = {}
    for path in (path for path in sorted(folder.rglob("*")) if path.is_file()):
        for data in read_all(path):
            codes = ("utf-8", "latin-1", "utf-16-le")
            forms = [data.decode(code, errors="replace").lower() for code in codes]
            for secret in secrets:
                if any(secret in form for form in forms):
                    found.setdefault(path.relative_to(folder).as_posix(), []).append(secret)
    return found


def predict(study: Path, output: Path) -> int:
    return run(["predict", f"input={study}", f"output={output}", "detector=farneback"])


def read_pictures(path: Path) -> np.ndarray:
    """Overlay frames, RGB (T, H, W, 3)."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def measure_white(rgb: np.ndarray) -> float:
    """Share of near-white pixels: burned-in text is white, tissue is not, marks are coloured."""
    return float((rgb.min(axis=-1) > 210).mean())


@pytest.fixture
def named_set(tmp_path: Path) -> Path:
    """A data set of three cines of one invented person under pseudonyms, with labels."""
    root = tmp_path / "set"
    root.mkdir()
    clips = []
    for k in range(3):
        path = write_named_dicom(root / f"c{k}.dcm", seed=k)
        clips.append(ClipSource(f"c{k}", path, f"s{k}", "quadriceps"))
        events = (Event(0.3, 0.7),) * int(k != 1)
        write_labels(root / "labels", Labels(f"c{k}", "anna", ((0.0, 1.5),), events))
    write_manifest(root, clips)
    return root


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    secrets = list_secrets(write_named_dicom(tmp_path / "a.dcm"))
    assert {"zwetschgenknödel", "zwetschgenknoedel", "zk-778899-q", "17.07.1938", "20240229"} <= secrets
    assert {"grottenolm", "krankenhaus sankt nimmerlein", "zwergenpacs", "murmeltier"} <= secrets
    assert len([value for value in PERSON.values() if value.lower() in secrets]) >= len(PERSON) - 2
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a.csv").write_text("x,GROTTENOLM", encoding="utf-16")
    np.savez_compressed(folder / "b.npz", x=np.frombuffer(b"born 1938-07-17 " * 9, np.uint8))
    (folder / "c.html").write_text(f"data:;base64,{base64.b64encode(b'ZK-778899-Q').decode()}")
    (folder / "sankt nimmerlein.txt").write_text("x")
    assert set(search(folder, secrets)) == {"a.csv", "b.npz", "c.html", "sankt nimmerlein.txt"}


def test_predictions_and_their_benchmark_name_nobody(
    named_set: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = list_secrets(named_set / "c0.dcm")
    breaks_off = named_set / "c2.dcm"
    breaks_off.write_bytes(breaks_off.read_bytes()[:-500_000])
    predict(named_set, tmp_path / "out/predicted")
    labels = f"labels={named_set / 'labels'}"
    judged = [f"predictions={tmp_path / 'out/predicted'}", labels, f"output={tmp_path / 'out/judged'}"]
    run(["benchmark", *judged, "bootstrap.resamples=10"])
    assert len(list((tmp_path / "out").rglob("*.mp4"))) >= 2
    assert (tmp_path / "out/judged/report.html").is_file()
    assert search(tmp_path / "out", secrets) == {}
    said = "".join(capfd.readouterr()).lower() + caplog.text.lower()
    assert [secret for secret in secrets if secret in said] == []


def test_a_check_names_nobody_even_where_the_manifest_does(
    named_set: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = list_secrets(named_set / "c0.dcm")
    named = named_set / "Zwetschgenknödel_19380717.dcm"
    write_named_dicom(named, seed=7)
    clips = [ClipSource(f"c{k}", named_set / f"c{k}.dcm", f"s{k}") for k in range(3)]
    clips.append(ClipSource("Grottenolm_zk", named, "778899"))
    write_manifest(named_set, clips)
    assert run(["check", f"data.root={named_set}", f"output={tmp_path / 'out'}", "workers=0"]) == 0
    assert search(tmp_path / "out", secrets) == {}
    problems = (tmp_path / "out/problems.csv").read_text(encoding="utf-8")
    assert "names_patient" in problems and "one_patient" in problems
    assert caplog.text == ""


def test_implanted_clips_name_nobody(named_set: Path, tmp_path: Path) -> None:
    overrides = [f"input={named_set}", f"output={tmp_path / 'out'}", "assume_no_twitches=true"]
    assert run(["implant", *overrides, "clips_per_background=1", "duration_s=[1.0,1.5]"]) == 0
    assert list((tmp_path / "out").rglob("*.json"))
    assert search(tmp_path / "out", list_secrets(named_set / "c0.dcm")) == {}


def test_what_stands_around_the_tissue_changes_no_output(tmp_path: Path) -> None:
    outputs = []
    for name, text in (("one", "ZWETSCHGENKNOEDEL 17.07.1938"), ("two", "OTHER")):
        study = tmp_path / name / "study"
        study.mkdir(parents=True)
        write_named_dicom(study / "c0.dcm", burned_in=text)
        assert predict(study, tmp_path / name / "out") == 0
        outputs.append(tmp_path / name / "out" / "c0")
    for file in ("heatmap.npz", "summary.png"):
        one, two = ((output / file).read_bytes() for output in outputs)
        assert one == two, file
    # Not the bytes of the video: x264 is not reproducible on every machine.
    frames = read_pictures(outputs[0] / "overlay.mp4")[:, :-OVERLAY_FOOTER_PX]
    assert frames.shape[1] / frames.shape[2] == pytest.approx((BOX[3] - BOX[1]) / (BOX[2] - BOX[0]), rel=0.01)
    assert measure_white(frames) < 1e-4
    with np.load(outputs[0] / "heatmap.npz", allow_pickle=False) as heatmap:
        assert tuple(heatmap["box"].tolist()) == BOX


def test_captions_are_cut_where_the_header_does_not_say_where_the_tissue_is(tmp_path: Path) -> None:
    path = write_named_dicom(tmp_path / "c0.dcm", region=False)
    x0, y0, x1, y1 = open_recording(path).info.box
    assert y0 > 30 and y1 < 235, "the caption above and below"
    assert x0 <= BOX[0] + 4 and x1 >= BOX[2] - 4, "and no tissue"
    assert predict(tmp_path, tmp_path / "out") == 0
    assert measure_white(read_pictures(tmp_path / "out/c0/overlay.mp4")[:, :-OVERLAY_FOOTER_PX]) < 1e-4


def write_named_sector(path: Path) -> Path:
    """A video of moving tissue in a sector: a name in its upper corners, and the date on the tissue."""
    mask = np.zeros((260, 340), np.uint8)
    cv2.ellipse(mask, (170, 6), (240, 240), 0, 55, 125, 1, cv2.FILLED)
    texture = make_texture(260, 340, 3)
    with VideoWriter(path, 260, 340, 30.0, codec="ffv1") as writer:
        for k in range(45):
            moved = shift(texture, 2.0 * np.sin(k / 3.0), 0.5 * np.cos(k / 4.0))
            frame = np.clip(moved * TISSUE_MAX / 255.0, 5, TISSUE_MAX).astype(np.uint8) * mask
            for place, size, text in (
                ((4, 40), 0.45, "ZWETSCHGEN"),
                ((245, 40), 0.45, "KNOEDEL"),
                ((125, 180), 0.5, "17.07.1938"),
            ):
                cv2.putText(frame, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, 255, 1, cv2.LINE_AA)
            writer.write(frame)
    return path


def test_text_beside_a_sector_and_on_its_tissue_is_in_no_picture(tmp_path: Path) -> None:
    root = tmp_path / "set"
    root.mkdir()
    path = write_named_sector(root / "c0.avi")
    x0, y0, x1, y1 = open_recording(path).info.box
    stored = next(open_recording(path, find_area=False).frames()).image
    assert (stored[y0:y1, x0:x1] > 210).mean() > 5e-3, "the text lies within the box of the sector"
    assert max(frame.image.max() for frame in open_recording(path).frames()) <= TISSUE_MAX
    assert predict(root, tmp_path / "out") == 0
    assert measure_white(read_pictures(tmp_path / "out/c0/overlay.mp4")[:, :-OVERLAY_FOOTER_PX]) < 1e-4
    write_manifest(root, [ClipSource("c0", path, "s0")])
    run(["check", f"data.root={root}", f"output={tmp_path / 'checked'}", "workers=0"])
    page = (tmp_path / "checked/check.html").read_text(encoding="utf-8")
    (thumbnail,) = re.findall(r"base64,([A-Za-z0-9+/=]+)", page)
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(thumbnail), np.uint8), cv2.IMREAD_GRAYSCALE)
    # JPEG overshoots by a few levels.
    assert picture.max() < TISSUE_MAX + 25


@pytest.mark.real
def test_real_files_under_neutral_names_name_nobody(real_data: Path, tmp_path: Path) -> None:
    study, root = tmp_path / "study", tmp_path / "set"
    study.mkdir()
    root.mkdir()
    secrets: set[str] = set()
    clips = []
    # The file names of the originals hold words of their headers.
    for number, original in enumerate(sorted((real_data / "dicom").glob("*.dcm"))):
        secrets |= list_secrets(original)
        for folder in (study, root):
            (folder / f"c{number}.dcm").symlink_to(original)
        clips.append(ClipSource(f"c{number}", root / f"c{number}.dcm", f"s{number}"))
    assert {"zzz test patientfive^new^p^", "10101010101", "1951-08-29", "cleveland", "30.01.1994"} <= secrets
    write_manifest(root, clips)
    assert predict(study, tmp_path / "out/predicted") == 1, "a single image is no clip"
    run(["check", f"data.root={root}", f"output={tmp_path / 'out/checked'}", "workers=0"])
    assert len(list((tmp_path / "out").rglob("overlay.mp4"))) == len(clips) - 1
    assert search(tmp_path / "out", secrets) == {}
    check_crops(tmp_path / "out/predicted", study)


def check_crops(predicted: Path, study: Path) -> None:
    """Pictures are as large as the imaging area that was given or found, and no larger."""
    for overlay in sorted(predicted.rglob("overlay.mp4")):
        x0, y0, x1, y1 = open_recording(study / f"{overlay.parent.name}.dcm").info.box
        height, width = read_pictures(overlay).shape[1:3]
        assert (height - OVERLAY_FOOTER_PX) / width == pytest.approx((y1 - y0) / (x1 - x0), rel=0.02)
