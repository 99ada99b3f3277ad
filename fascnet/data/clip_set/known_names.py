"""Looks for a person's names and numbers in paths and ids, also where they are glued to other words.

Only what is certain counts: a name that begins an unknown word (`muellerstrasse`) may be a street.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

LEAST_LETTERS = 4
"""Shorter parts of a name or number also occur in other words."""

LEAST_GLUED_DIGITS = 6
"""Shorter numbers glued to a word (`clip0012`) count clips more often than they name anybody."""

LEAST_BESIDE_INITIAL = 5
"""A name of four letters and an initial is often another word."""

LEAST_TOGETHER = 5
"""Letters of two short names written as one word (`wujin`)."""

LONGEST = 40
"""Longer words without a break are not taken apart: the ways to do so grow with every letter."""

_NOBODY = re.compile(
    r"0*|.{0,2}|x+|none|null|n/?a|unknown|unbekannt|test|patient|name|anon.*|de-?identified|removed|no\s*name"
)
"""What anonymisers and empty forms write: no mark of a person."""

_BESIDE = frozenset(
    {
        *("dr", "fr", "frau", "herr", "mr", "mrs", "ms", "prof", "pat", "patient"),
        *("cine", "clip", "scan", "us", "video", "left", "li", "links", "re", "rechts", "right"),
    }
)
"""What is often written together with a name."""

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe"})
_WITHOUT_E = re.compile(r"(?<=[aou])e")


class KnownNames:
    """Names and numbers of one header, to be looked for in texts.

    Args:
        names: names of persons as written, their parts in any order and separated by anything.
        numbers: numbers, with or without letters, and dates.
    """

    def __init__(self, names: Iterable[str], numbers: Iterable[str]) -> None:
        of_names, of_numbers = _list_words(names), _list_words(numbers)
        self._whole = frozenset(word for word in of_names | of_numbers if len(word) >= LEAST_LETTERS)
        self._names = frozenset(word for word in of_names if len(word) > 1)
        self._initials = frozenset(word[0] for word in of_names)

    def stand_in(self, text: str) -> bool:
        """Whether a text holds one of them: as a word, before a capital, beside digits, or glued together."""
        return any(
            self._names_somebody(word) for way in _write_cased(text) for word in re.split(r"[\W_]+", way)
        )

    def _names_somebody(self, word: str) -> bool:
        if any(way in self._whole for way in _spell(word.casefold())):
            return True
        for run in re.findall(r"\d+|[^\W\d_]+", word):
            if run.isdecimal():
                if len(run) >= LEAST_GLUED_DIGITS and run in self._whole:
                    return True
            elif any(self._is_known(part) for part in (*_part_at_capitals(run), run)):
                return True
        return False

    def _is_known(self, letters: str) -> bool:
        return any(way in self._whole or self._is_made_of_names(way) for way in _spell(letters.casefold()))

    def _is_made_of_names(self, letters: str) -> bool:
        """Whether letters are names and nothing else but titles or an initial: `hansmueller`, `jmueller`."""
        if letters[:1] in self._initials and self._is_long(letters[1:]):
            return True
        if letters[-1:] in self._initials and self._is_long(letters[:-1]):
            return True
        return len(letters) <= LONGEST and any(self._is_telling(parts) for parts in self._divide(letters))

    def _is_long(self, letters: str) -> bool:
        return len(letters) >= LEAST_BESIDE_INITIAL and letters in self._whole

    def _is_telling(self, parts: tuple[str, ...]) -> bool:
        if any(part in self._whole for part in parts):
            return True
        return len(set(parts)) > 1 and len("".join(parts)) >= LEAST_TOGETHER and self._names.issuperset(parts)

    def _divide(self, letters: str) -> Iterator[tuple[str, ...]]:
        """Yield every way to see letters as names and what is written beside them, none left over."""
        if not letters:
            yield ()
        for known in self._names | _BESIDE:
            if letters.startswith(known):
                for rest in self._divide(letters[len(known) :]):
                    yield (known, *rest)


def _list_words(values: Iterable[str]) -> set[str]:
    """Return the words of header elements in every spelling, without what anonymisers write."""
    ways = {way.casefold() for value in values for way in _write_cased(value)}
    words = {word for way in ways for word in re.split(r"[\W_]+", way) if word}
    # Two letters are nobody's whole name, but may be a part of one (`Jo`), or begin it (`J`).
    return {way for word in words if len(word) < 3 or not is_nobody(word) for way in _spell(word)}


def is_nobody(word: str) -> bool:
    """Whether a folded word is what anonymisers and empty forms write."""
    return _NOBODY.fullmatch(word) is not None


def fold(text: str) -> str:
    """Lower case, without accents and outer spaces, so that two ways to write a name compare equal."""
    return _drop_accents(text).casefold().strip()


def _drop_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _write_cased(text: str) -> set[str]:
    """Return a text without accents, with umlauts as one letter and as two (`Muller`, `Mueller`)."""
    composed = unicodedata.normalize("NFKC", text)
    # Capitals are told from small letters later; an umlaut begins a name as any letter does.
    spelled = "".join(
        c.lower().translate(_UMLAUTS).capitalize() if c.isupper() else c.translate(_UMLAUTS) for c in composed
    )
    return {_drop_accents(composed), _drop_accents(spelled)}


def _spell(word: str) -> set[str]:
    """Return a folded word as it is, and as written by a system without umlauts (`mueller` as `muller`)."""
    short = _WITHOUT_E.sub("", word)
    return {word, short} if len(short) >= LEAST_LETTERS else {word}


def _part_at_capitals(run: str) -> list[str]:
    """Part letters where a small one is followed by a capital, and before the last of several capitals."""
    parts = [""]
    for index, letter in enumerate(run):
        before, after = run[index - 1 : index], run[index + 1 : index + 2]
        if letter.isupper() and (before.islower() or (before.isupper() and after.islower())):
            parts.append("")
        parts[-1] += letter
    return parts
