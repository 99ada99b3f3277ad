from __future__ import annotations

import hashlib

from fascnet.data.clip_set.subject_hash import hash_input_subject, hash_subject


def test_both_forms_are_those_that_files_hold() -> None:
    assert hash_subject("p01", "salt") == hashlib.sha256(b"salt:p01").hexdigest()
    assert hash_input_subject("p01", "salt") == hashlib.sha256(b"saltp01").hexdigest()
    assert hash_subject("p01", "salt") != hash_subject("p01", "pepper")
