"""Whose DICOM file it is, compared in memory: no name, number or date of a header leaves this module."""

from __future__ import annotations

import hashlib
import logging
import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.filereader import read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian

from fascnet.data.recording.dicom_header import DAMAGE, is_dicom

_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")

_WORDS = (
    *("PatientName", "PatientID", "OtherPatientIDs", "PatientBirthDate", "AccessionNumber"),
    *("ReferringPhysicianName", "PerformingPhysicianName", "RequestingPhysician", "OperatorsName"),
)

_TAGS = [*_WORDS, *_UIDS, "IssuerOfPatientID"]

_NOBODY = re.compile(
    r"0*|.{0,2}|x+|none|null|n/?a|unknown|unbekannt|test|patient|name|anon.*|de-?identified|removed|no\s*name"
)
"""What anonymisers and empty forms write: no mark of a person."""

_LEAST_LETTERS = 4
"""Shorter parts of a name or number also occur in other words."""


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
    number = values["PatientID"]
    mark = ""
    if not _NOBODY.fullmatch(number):
        mark = hashlib.sha256(f"{salt}|{values['IssuerOfPatientID']}|{number}".encode()).hexdigest()
    parts = {
        part
        for tag in _WORDS
        for part in re.split(r"[\W_]+", values[tag])
        if len(part) >= _LEAST_LETTERS and not _NOBODY.fullmatch(part)
    }
    uids = [values[tag] for tag in _UIDS if values[tag]]
    named = tuple(
        what
        for what, text in texts.items()
        if parts & set(re.split(r"[\W_]+", _fold(text))) or any(uid in text for uid in uids)
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
    return "" if value is None else _fold(f"{value}")


def _fold(text: str) -> str:
    """Lower case, without accents and outer spaces, so that two ways to write a name compare equal."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold().strip()
