"""DICOM cines of invented people, whose names stand in every kind of element and burned into the picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage, generate_uid

from tests.data.tiny import make_texture, shift

BOX = (40, 60, 280, 220)
"""Where the tissue is."""

TISSUE_MAX = 150
"""Tissue stays below, burned-in text stands far above."""

PERSON = {
    "PatientName": "Zwetschgenknödel^Ottokar^Wendelin",
    "PatientID": "ZK-778899-Q",
    "OtherPatientIDs": "ALT-665544",
    "PatientBirthDate": "19380717",
    "PatientBirthTime": "034217",
    "PatientAddress": "Nimmerleinsgasse 17, Hinterwald",
    "PatientTelephoneNumbers": "+99 555 0142867",
    "PatientMotherBirthName": "Quendelmoser",
    "PatientComments": "comes with his niece Rosamunde",
    "MedicalRecordLocator": "shelf Zinnober",
    "StudyDate": "20240229",
    "SeriesDate": "20240229",
    "AcquisitionDate": "20240229",
    "ContentDate": "20240229",
    "AcquisitionDateTime": "20240229134456.789012",
    "StudyTime": "134456.789012",
    "AccessionNumber": "ACC20240229007",
    "StudyID": "STU-313131",
    "InstitutionName": "Krankenhaus Sankt Nimmerlein",
    "InstitutionAddress": "Uhrmacherplatz 4, Hinterwald",
    "InstitutionalDepartmentName": "Neurologie Zwergenstation",
    "ReferringPhysicianName": "Haselmaus^Philomena",
    "PerformingPhysicianName": "Grottenolm^Balduin",
    "OperatorsName": "Siebenschläfer^Kunigunde",
    "RequestingPhysician": "Murmeltier^Adalbert",
    "StationName": "ZWERG-US-09",
    "DeviceSerialNumber": "SN-909090-XY",
    "StudyDescription": "Zuckungen bei Herrn Zwetschgenknödel",
    "SeriesDescription": "Quadrizeps, auf Wunsch von Frau Haselmaus",
    "ImageComments": "Haselmaus was present",
    "ProtocolName": "Nimmerlein-Protokoll",
}


def write_named_dicom(
    path: Path,
    *,
    burned_in: str = "ZWETSCHGENKNOEDEL 17.07.1938",
    region: bool = True,
    seed: int = 0,
    n_frames: int = 45,
) -> Path:
    """Write a cine whose tissue moves inside `BOX` and whose screen shows a name above and below it.

    Args:
        path: the file.
        burned_in: text on the screen, outside `BOX`.
        region: whether the header says where the tissue is.
        seed: of the tissue.
        n_frames: frames, 30 a second.
    """
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.SourceApplicationEntityTitle = "ZWERGENPACS"
    header.SOPClassUID = UltrasoundMultiFrameImageStorage
    header.SOPInstanceUID = generate_uid(entropy_srcs=["a", f"{path}"])
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.StudyInstanceUID = generate_uid(entropy_srcs=["b", f"{path}"])
    header.SeriesInstanceUID = generate_uid(entropy_srcs=["c", f"{path}"])
    header.SpecificCharacterSet = "ISO_IR 192"
    for name, value in PERSON.items():
        setattr(header, name, value)
    request = Dataset()
    request.RequestedProcedureDescription = "Haselmaus asks for Zwetschgenknödel"
    header.RequestAttributesSequence = Sequence([request])
    header.private_block(0x0011, "ZWERGENSCANNER", create=True).add_new(
        0x01, "LO", "private Zwetschgenknödel"
    )
    frames = _draw_frames(burned_in, seed, n_frames)
    header.PhotometricInterpretation, header.SamplesPerPixel = "MONOCHROME2", 1
    header.NumberOfFrames, header.Rows, header.Columns = frames.shape
    header.BitsAllocated = header.BitsStored = 8
    header.HighBit, header.PixelRepresentation = 7, 0
    header.FrameTime = 1000.0 / 30.0
    if region:
        header.SequenceOfUltrasoundRegions = Sequence([_describe_region()])
    header.BurnedInAnnotation = "YES"
    header.PixelData = frames.tobytes()
    header.save_as(path, enforce_file_format=True)
    return path


def _describe_region() -> Dataset:
    region = Dataset()
    region.RegionSpatialFormat = region.RegionDataType = 1
    region.RegionFlags = 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = BOX[:2]
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = BOX[2] - 1, BOX[3] - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = 0.015
    return region


def _draw_frames(burned_in: str, seed: int, n_frames: int) -> NDArray[np.uint8]:
    x0, y0, x1, y1 = BOX
    screen = np.zeros((260, 340), np.uint8)
    for place, size in (((8, 24), 0.5), ((8, 248), 0.4)):
        cv2.putText(screen, burned_in, place, cv2.FONT_HERSHEY_SIMPLEX, size, 255, 1, cv2.LINE_AA)
    texture = make_texture(y1 - y0, x1 - x0, seed)
    frames = np.repeat(screen[None], n_frames, axis=0)
    for k in range(n_frames):
        moved = shift(texture, 2.0 * np.sin(k / 3.0), 0.5 * np.cos(k / 4.0))
        frames[k, y0:y1, x0:x1] = np.clip(moved * TISSUE_MAX / 255.0, 5, TISSUE_MAX).astype(np.uint8)
    return frames
