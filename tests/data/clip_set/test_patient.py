from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage, generate_uid

from fascnet.data.clip_set.patient import PatientMark, read_patient

TEXTS = {"path": "clips/a.dcm", "clip_id": "a", "subject_id": "s"}


def write_header(path: Path, **values: str) -> Path:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID = UltrasoundMultiFrameImageStorage
    header.SOPInstanceUID = generate_uid()
    header.SpecificCharacterSet = "ISO_IR 192"
    for name, value in values.items():
        setattr(header, name, value)
    header.save_as(path, enforce_file_format=True)
    return path


def test_one_number_gives_one_mark_and_the_salt_changes_it(tmp_path: Path) -> None:
    a = write_header(tmp_path / "a.dcm", PatientID="MRN-4711", PatientName="Muster^Erika")
    b = write_header(tmp_path / "b.dcm", PatientID=" mrn-4711", PatientName="Muster^E.")
    c = write_header(tmp_path / "c.dcm", PatientID="MRN-4712")
    marks = [read_patient(path, "salt", TEXTS).mark for path in (a, b, c)]
    assert marks[0] == marks[1] != marks[2] and len(marks[0]) == 64
    assert read_patient(a, "other", TEXTS).mark != marks[0]
    other_hospital = write_header(tmp_path / "d.dcm", PatientID="MRN-4711", IssuerOfPatientID="B")
    assert read_patient(other_hospital, "salt", TEXTS).mark != marks[0]


@pytest.mark.parametrize("number", ["", "0", "000000", "ANON", "Anonymized", "XXXX", "n/a", "Unknown", "12"])
def test_what_anonymisers_write_is_nobody(tmp_path: Path, number: str) -> None:
    assert read_patient(write_header(tmp_path / "a.dcm", PatientID=number), "salt", TEXTS) == PatientMark()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("scans/Müller_2.dcm", True),
        ("scans/MULLER/1.dcm", True),
        ("scans/20240101_4711-22.dcm", True),
        ("scans/mullerstrasse.dcm", False),
        ("scans/von_p01.dcm", False),
        ("p01/gm_L.dcm", False),
        ("scans/19510829/1.dcm", True),
        ("scans/1.2.3.44.5.dcm", True),
        ("scans/1.2.3.44.6.dcm", False),
        ("ward_of_dr_haus/1.dcm", True),
    ],
)
def test_names_numbers_and_birth_dates_are_found_as_whole_words(
    tmp_path: Path, text: str, named: bool
) -> None:
    path = write_header(
        tmp_path / "a.dcm",
        PatientID="XY/4711",
        PatientName="von Müller^Jo",
        PatientBirthDate="19510829",
        ReferringPhysicianName="Haus^G",
        StudyInstanceUID="1.2.3.44.5",
    )
    found = read_patient(path, "salt", {**TEXTS, "path": text}).named_in
    assert found == (("path",) if named else ())


def test_other_and_damaged_files_have_no_mark(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.avi").write_bytes(b"RIFF")
    assert read_patient(tmp_path / "a.avi", "salt", TEXTS) == PatientMark()
    assert read_patient(tmp_path / "absent.dcm", "salt", TEXTS) == PatientMark()
    whole = write_header(tmp_path / "a.dcm", PatientID="MRN-4711", PatientName="Muster^Erika").read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(200):
        damaged = bytearray(whole[: int(rng.integers(140, len(whole)))])
        for place in rng.integers(132, len(damaged), 4):
            damaged[place] ^= 1 << int(rng.integers(8))
        (tmp_path / "b.dcm").write_bytes(damaged)
        assert isinstance(read_patient(tmp_path / "b.dcm", "salt", TEXTS), PatientMark)
    assert caplog.text == "", "pydicom's log quotes header values"
