from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from fascnet.data.recording import dicom_header
from fascnet.data.recording.dicom_header import is_dicom, open_dicom
from fascnet.errors import RecordingError
from tests.data.recording.test_dicom import PATIENT, make_dataset, make_frames, make_region, save


def test_no_patient_is_read_into_memory(tmp_path: Path) -> None:
    dataset = make_dataset(make_frames(), PatientID="4711", InstitutionName="St. Elsewhere")
    dataset.SequenceOfUltrasoundRegions = [make_region()]
    with open_dicom(save(dataset, tmp_path / "a.dcm")) as file:
        text = f"{file.header} {file.header.file_meta}"
        assert file.header.Rows == 24 and len(file.header.SequenceOfUltrasoundRegions) == 1
    assert not any(secret in text for secret in (PATIENT, "4711", "Elsewhere"))


def test_known_by_its_content(tmp_path: Path) -> None:
    assert is_dicom(save(make_dataset(make_frames()), tmp_path / "IM1"))
    (tmp_path / "short").write_bytes(b"DICM")
    assert not is_dicom(tmp_path / "short")
    assert not is_dicom(tmp_path / "absent")


def test_what_inflates_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset(make_frames())
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = save(dataset, tmp_path / "a.dcm")
    with open_dicom(path) as file:
        inflated = file.n_bytes
    monkeypatch.setattr(dicom_header, "MAX_INFLATED_BYTES", inflated)
    with open_dicom(path) as file:
        assert file.header.Rows == 24
    monkeypatch.setattr(dicom_header, "MAX_INFLATED_BYTES", inflated - 1)
    with pytest.raises(RecordingError, match="inflates to more"), open_dicom(path):
        pass


def test_a_bomb_needs_no_more_memory_than_its_limit(tmp_path: Path) -> None:
    dataset = make_dataset(make_frames())
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    data = save(dataset, tmp_path / "a.dcm").read_bytes()
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    zeros = b"\0" * (1 << 20)
    bomb = b"".join(packer.compress(zeros) for _ in range(300)) + packer.flush()
    meta = 144 + int.from_bytes(data[140:144], "little")
    (tmp_path / "bomb.dcm").write_bytes(data[:meta] + bomb)
    with pytest.raises(RecordingError, match="256 MiB"), open_dicom(tmp_path / "bomb.dcm"):
        pass


@pytest.mark.parametrize("length", [0, 131, 132, 140, 180, 400])
def test_cut_headers_are_named(tmp_path: Path, length: int) -> None:
    data = save(make_dataset(make_frames()), tmp_path / "whole.dcm").read_bytes()
    (tmp_path / "cut.dcm").write_bytes(data[:length])
    with pytest.raises(RecordingError, match=r"cut\.dcm: .*; "), open_dicom(tmp_path / "cut.dcm"):
        pass
