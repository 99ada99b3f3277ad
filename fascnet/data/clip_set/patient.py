"""Whose DICOM file it is, compared in memory: no name, number or date of a header leaves this module."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.filereader import read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian

from fascnet.data.clip_set.known_names import KnownNames, fold, is_nobody
from fascnet.data.recording.dicom_header import DAMAGE, is_dicom

_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")

_NAMES = (
    *("PatientName", "ReferringPhysicianName", "PerformingPhysicianName"),
    *("RequestingPhysician", "OperatorsName"),
)

_NUMBERS = ("PatientID", "OtherPatientIDs", "PatientBirthDate", "AccessionNumber")

_TAGS = [*_NAMES, *_NUMBERS, *_UIDS, "IssuerOfPatientID"]


@dataclass(frozen=True, slots=True)
class PatientMark:
    """What a header says about the person, as far as it may be kept.

    Attributes:
        mark: salted hash of the patient's number (and its issuer); empty when there is none.
        named_in: which of the texts that were given hold a name, a number or a UID of the header.
    """

    mark: str = ""
    named_in: tuple[str, ...] = ()


def read_patient(path: Path, salt: str, texts: Mapping[str, str]) -> PatientMark:
    """Compare a DICOM header with the names that a data set gives; other files have no mark.

    Args:
        path: the recording.
        salt: of the hash; drawn for each run and never written, so that marks mean nothing afterwards.
        texts: what to look into, by what it is called (`path`, `clip_id`, `subject_id`).
    """
    if not is_dicom(path):
        return PatientMark()
    try:
        with _quiet():
            values = _read_values(path)
    except DAMAGE:
        return PatientMark()  # the reader reports the damage
    number = fold(values["PatientID"])
    mark = ""
    if not is_nobody(number):
        issuer = fold(values["IssuerOfPatientID"])
        mark = hashlib.sha256(f"{salt}|{issuer}|{number}".encode()).hexdigest()
    names = KnownNames([values[tag] for tag in _NAMES], [values[tag] for tag in _NUMBERS])
    uids = [values[tag] for tag in _UIDS if values[tag]]
    named = tuple(
        what for what, text in texts.items() if names.stand_in(text) or any(uid in text for uid in uids)
    )
    return PatientMark(mark, named)


def _read_values(path: Path) -> dict[str, str]:
    # A deflated file would have to be inflated whole, whatever its size; those few stay unknown.
    if read_file_meta_info(path).TransferSyntaxUID == DeflatedExplicitVRLittleEndian:
        return dict.fromkeys(_TAGS, "")
    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS)
    return {tag: _read_text(header, tag) for tag in _TAGS}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep pydicom's warnings back: they quote header values, and a configured log would print them."""
    logger = logging.getLogger("pydicom")
    before, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def _read_text(header: Any, tag: str) -> str:
    value = header.get(tag)
    return "" if value is None else f"{value}".strip()
