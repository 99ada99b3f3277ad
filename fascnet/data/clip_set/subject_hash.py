"""Subjects as salted hashes: a known name can be looked up, an unknown one cannot be read."""

from __future__ import annotations

import hashlib


def hash_subject(subject_id: str, salt: str) -> str:
    """Hash a subject as model files do: sha256 of `salt:subject_id`."""
    return hashlib.sha256(f"{salt}:{subject_id}".encode()).hexdigest()


def hash_input_subject(subject_id: str, salt: str) -> str:
    """Hash a subject as `inputs` of `run.json` does: sha256 of `salt` + `subject_id`."""
    return hashlib.sha256(f"{salt}{subject_id}".encode()).hexdigest()
