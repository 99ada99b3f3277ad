from __future__ import annotations

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from fascnet.data.clip_set import check_page
from fascnet.data.clip_set.check_page import write_page
from fascnet.types import Polygon

from .reviewed import review_set

VOID = {"meta", "br", "img", "rect", "polygon"}


class Balance(HTMLParser):
    """Follows opening and closing tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in VOID or self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_problems_come_first_and_every_clip_has_a_card(tmp_path: Path) -> None:
    review = review_set(tmp_path / "set")
    text = write_page(review, tmp_path / "out").read_text(encoding="utf-8")
    page = Balance()
    page.feed(text)
    assert page.open == []
    shown = " ".join(page.words)
    assert "2 errors" in shown and "p<1>" in shown and "<1>" not in text, "escaped"
    assert shown.index("cannot be read") > shown.index("Clips")
    assert re.findall(r'class="card (\w*)" id="(\w)"', text) == [
        ("error", "a"),
        ("error", "b"),
        ("error", "c"),
        ("warning", "d"),
    ]
    assert f"{tmp_path}" not in text


def test_nothing_is_loaded_or_run(tmp_path: Path) -> None:
    text = write_page(review_set(tmp_path / "set"), tmp_path / "out").read_text(encoding="utf-8")
    assert not re.search(r"<script|https?:|@import|url\(|<link|onload", text)
    sources = re.findall(r'src="([^"]*)"', text)
    assert len(sources) == 3 and all(one.startswith("data:image/jpeg;base64,") for one in sources)
    assert text.count('loading="lazy"') == 3
    picture = np.frombuffer(base64.b64decode(sources[0].partition(",")[2]), np.uint8)
    assert cv2.imdecode(picture, cv2.IMREAD_UNCHANGED).shape == (64, 96)


def test_many_problems_are_cut_and_a_sound_set_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = review_set(tmp_path / "set")
    monkeypatch.setattr(check_page, "MOST_ROWS", 1)
    assert "and 3 more in problems.csv" in write_page(review, tmp_path).read_text(encoding="utf-8")
    sound = replace(review, problems=())
    assert '<p class="sound">None.</p>' in write_page(sound, tmp_path).read_text(encoding="utf-8")


def test_a_thousand_clips_stay_a_small_page(tmp_path: Path) -> None:
    review = review_set(tmp_path / "set")
    # As large as thumbnails of real clips are: 2.7 kB on the average of the project's 18.
    facts = replace(review.facts["a"], thumbnail=bytes(2700))
    clips = tuple(replace(review.clips[0], clip_id=f"c{k}") for k in range(1000))
    many = replace(
        review, clips=clips, facts={c.clip_id: replace(facts, clip_id=c.clip_id) for c in clips}, labels={}
    )
    assert write_page(many, tmp_path).stat().st_size < 6e6


def test_the_outline_the_scale_and_how_sure_they_are(tmp_path: Path) -> None:
    review = review_set(tmp_path / "set")
    corners = Polygon(((30.5, 0.0), (60.0, 0.0), (96.0, 64.0), (0.0, 64.0)))
    known = {"mm_per_px": 0.0739, "mm_per_px_from": "ruler", "scale_confidence": 0.7, "outline": corners}
    facts = replace(review.facts["a"], **known, area_from="found", area_confidence=0.83)
    shown = replace(review, facts={**review.facts, "a": facts})
    text = write_page(shown, tmp_path / "out").read_text(encoding="utf-8")
    assert text.count('points="30.5,0 60,0 96,64 0,64"') == 2, "on the thumbnail and on the small drawing"
    assert "0.0739 mm/px (ruler, 0.70)" in text
    assert "imaging area found, confidence 0.83" in text
    assert "no scale" in text and "0.1000 mm/px (manifest)" in text
