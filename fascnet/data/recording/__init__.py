"""Recordings in and out: video, DICOM, and where they lie."""
