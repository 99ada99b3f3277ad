"""What the words of other tools mean: fasciculation, a named confounder, or something only the user knows."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fascnet.data.labelling.label_format import CERTAINTIES
from fascnet.errors import LabelError
from fascnet.types import FASCICULATION

CONFOUNDERS = (
    "arterial_pulsation",
    "breathing",
    "fibrillation",
    "lift_off",
    "out_of_plane",
    "probe_motion",
    "probe_pressure",
    "pseudotremor",
    "swallowing",
    "voluntary_contraction",
)
"""Confounders that the phantom and the documents name; others are taken when the user maps a word to them."""

OF_RECORDINGS = ("codec_keyframe", "doubled_frames", "dropped_frames", "freeze", "gain_step")
"""What the recording does, in the phantom's words: no other tool means something else by them."""

_KNOWN = frozenset((FASCICULATION, *CONFOUNDERS, *OF_RECORDINGS))
_PLURALS = {"fasciculations": FASCICULATION}
_LABEL = re.compile(r"[a-z][a-z0-9_]*")


class LabelWords:
    """Turns a form's words into labels.

    A word that is not known is refused: read as a confounder it would mean the opposite of a twitch.

    Args:
        meaning: word -> label, as the user gives it; the label `ignore` leaves out what has the word.

    Raises:
        LabelError: a label is not made of small letters, digits and `_`.
    """

    def __init__(self, meaning: Mapping[str, str]) -> None:
        for word, label in meaning.items():
            if _LABEL.fullmatch(str(label)) is None:
                raise LabelError(
                    f"labels.{word}={label}: a label is small letters, digits and '_'; rename it"
                )
        self._meaning = {_simplify(str(word)): str(label) for word, label in meaning.items()}

    @property
    def words(self) -> frozenset[str]:
        """The words whose meaning the user gave, simplified."""
        return frozenset(self._meaning)

    def translate(self, word: str, where: str) -> str | None:
        """Return the label that a word means, None when it is to be left out.

        Raises:
            LabelError: nobody said what the word means.
        """
        simple = _simplify(word)
        label = self._meaning.get(simple, _PLURALS.get(simple, simple))
        if simple not in self._meaning and label not in _KNOWN:
            raise LabelError(
                f"{where}: nobody said what '{word[:40]}' is; give 'labels={{{word[:40]}: fasciculation}}', "
                "the name of a confounder, or ignore"
            )
        return None if label == "ignore" else label


def read_certainty(word: str, where: str) -> str | None:
    """Return a certainty, None for an empty word.

    Raises:
        LabelError: it is not one of the format's.
    """
    simple = _simplify(word)
    if simple in {"", "none", "unknown"}:
        return None
    if simple not in CERTAINTIES:
        raise LabelError(f"{where}: certainty '{word[:40]}' must be one of {', '.join(CERTAINTIES)}")
    return simple


def _simplify(word: str) -> str:
    return re.sub(r"[\s-]+", "_", word.strip().lower())
