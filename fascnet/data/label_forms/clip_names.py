"""Which clip a label form means: forms name recordings by path, file name, address or task name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from fascnet.data.recording.find_clips import RECORDING_SUFFIXES
from fascnet.errors import LabelError
from fascnet.types import ClipSource

_UPLOAD_MARK = re.compile(r"[0-9a-f]{8}-(?=.)")
"""Label Studio puts eight hexadecimal digits before the name of an uploaded file."""


class ClipNames:
    """Finds clips by the names that label forms use.

    Args:
        clips: the clips of the manifest or folder.
    """

    def __init__(self, clips: Sequence[ClipSource]) -> None:
        self.clips = tuple(clips)
        self._by_key: dict[str, list[ClipSource]] = {}
        for clip in clips:
            keys = {clip.clip_id, _simplify(clip.path.name), _simplify(_cut_suffix(clip.path.name))}
            for key in keys:
                self._by_key.setdefault(key, []).append(clip)

    def find(self, names: Iterable[str], where: str) -> ClipSource | None:
        """Return the clip that the first fitting name means, None when no name fits any clip.

        A name fits a clip's clip_id, its file name, or its file name without suffix; folders and the marks
        of an upload are passed over. Where several clips have the file name, the longer path
        decides.

        Args:
            names: the form's names of one recording, the surest first.
            where: file and row, for messages.

        Raises:
            LabelError: a name fits several clips equally well.
        """
        for name in names:
            for key in _list_keys(name):
                found = self._by_key.get(key, [])
                if len(found) > 1:
                    found = _keep_longest_match(found, name)
                if len(found) > 1:
                    listed = ", ".join(clip.clip_id for clip in found[:4])
                    raise LabelError(
                        f"{where}: '{_show(name)}' may be any of {listed}; write the clip_id instead"
                    )
                if found:
                    return found[0]
        return None


def _list_keys(name: str) -> list[str]:
    base = _find_base(name)
    bare = [base, _UPLOAD_MARK.sub("", base, count=1)]
    keys = [name.strip(), *bare, *(_simplify(text) for text in bare)]
    return list(dict.fromkeys([*keys, *(_simplify(_cut_suffix(text)) for text in bare)]))


def _find_base(name: str) -> str:
    """Return the last part of a path (of any system) or address; `%20` is read as a blank."""
    text = re.sub(r"%([0-9A-Fa-f]{2})", lambda match: chr(int(match.group(1), 16)), name.strip())
    return re.split(r"[/\\=]", text.rstrip("/\\"))[-1]


def _cut_suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in RECORDING_SUFFIXES else name


def _simplify(name: str) -> str:
    """Spaces become `_` when files are uploaded; upper and lower case differ between file systems."""
    return re.sub(r"\s", "_", name).lower()


def _keep_longest_match(clips: list[ClipSource], name: str) -> list[ClipSource]:
    wanted = [part for part in re.split(r"[/\\]", name) if part][::-1]

    def count(clip: ClipSource) -> int:
        same = 0
        for ours, theirs in zip(clip.path.parts[::-1], wanted, strict=False):
            if ours != theirs:
                break
            same += 1
        return same

    most = max(count(clip) for clip in clips)
    return [clip for clip in clips if count(clip) == most]


def _show(text: str) -> str:
    return text if len(text) <= 60 else f"...{text[-57:]}"
