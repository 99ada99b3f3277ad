"""Keeps paths and ids out of files that are passed on, where they are known to name a patient."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fascnet.data.clip_set.clip_facts import ClipFacts
from fascnet.data.clip_set.problem import Problem
from fascnet.types import ClipSource


class Withheld:
    """Rewrites texts for files: paths relative to the data set, known patients' names replaced.

    A name is known when a DICOM header holds the same (`names_patient`); others may as well be pseudonyms.

    Args:
        root: folder of the data set.
        labels_dir: folder of its labels.
        clips: the sound rows of its manifest.
        facts: of every clip.
    """

    def __init__(
        self, root: Path, labels_dir: Path, clips: Sequence[ClipSource], facts: Mapping[str, ClipFacts]
    ) -> None:
        # At the beginning of a path only: a folder called `a` must not be cut out of `data/b`.
        self._place = re.compile(
            r"(?<![^\s'\"(])(?:"
            + "|".join(re.escape(f"{place}{os.sep}") for place in _sort((root, labels_dir)))
            + ")"
        )
        self._folder = re.compile(rf"(?<![^\s'\"(]){re.escape(f'{labels_dir}')}(?![\w/.-])")
        self._instead: dict[str, str] = {}
        for number, clip in enumerate(clips, start=1):
            named = facts[clip.clip_id].patient.named_in
            path = clip.path.relative_to(root).as_posix()
            for what, text in (("path", path), ("clip_id", clip.clip_id), ("subject_id", clip.subject_id)):
                if what in named:
                    self._instead[text] = f"({what.removesuffix('_id')} {number}, withheld)"
        # Whole words only: an id such as 12 must not be cut out of other numbers.
        self._pattern = (
            re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, _sort(self._instead))) + r")(?![\w-])")
            if self._instead
            else None
        )

    def text(self, text: str) -> str:
        """Return a text without the machine's folders and without known names."""
        text = self._folder.sub("the folder of labels", self._place.sub("", text))
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda match: self._instead[match.group()], text)

    def problem(self, problem: Problem) -> Problem:
        """Return a problem with all of its texts rewritten."""
        return Problem(
            self.text(problem.file),
            self.text(problem.what),
            self.text(problem.remedy),
            problem.kind,
            tuple(self.text(clip_id) for clip_id in problem.clip_ids),
        )


def _sort(texts: Iterable[object]) -> list[str]:
    """Return texts with the longest first, so that none is cut by a shorter one."""
    return sorted((f"{text}" for text in texts), key=len, reverse=True)
