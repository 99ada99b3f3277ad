"""Makes the phantom card: measures, compares, writes `card.html`, `card.json` and the tables."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fascnet.data.whole_file import write_whole
from fascnet.errors import OutputError, SettingError
from fascnet.phantom.card import pictures as draw_pictures
from fascnet.phantom.card import plots
from fascnet.phantom.card.describe import Card, describe_card, make_plain
from fascnet.phantom.card.discriminator import EPOCHS, judge_patches
from fascnet.phantom.card.measured import hold_against_published, measure_twitches
from fascnet.phantom.card.page import Section, write_page
from fascnet.phantom.card.patches import PITCH_MM, cut_patches
from fascnet.phantom.card.published import RATE, TWITCH
from fascnet.phantom.card.ranking import (
    LinearJudge,
    compare_statistics,
    judge_linearly,
)
from fascnet.phantom.card.real import RealRule, RealSet, read_real
from fascnet.phantom.card.simulated import render_phantom
from fascnet.phantom.card.statistics import measure_pictures, measure_source
from fascnet.phantom.settings import PhantomSettings


def make_card(
    output: Path,
    settings: PhantomSettings,
    real: Path | None = None,
    real_rules: Sequence[Mapping[str, Any]] = (),
    subjects: int = 24,
    seed: int = 0,
    classifier_epochs: int = EPOCHS,
    classifier_pitch_mm: float = PITCH_MM,
    on_step: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Measure a phantom and write its card.

    Args:
        output: folder for `card.html`, `card.json` and `tables/`.
        settings: what the phantom is drawn from.
        real: folder of real clips and stills, or None for published figures only.
        real_rules: what is known about the real files, see `RealRule`; plain mappings.
        subjects: simulated subjects, one clip each, 2-1000.
        seed: seed of everything, >= 0.
        classifier_epochs: passes of the real-or-phantom network, 0-200; 0 leaves it out.
        classifier_pitch_mm: pitch of its patches, 0.05-0.5 mm.
        on_step: called with (what, done, of how many).

    Returns:
        The page.

    Raises:
        SettingError: a number is outside its bounds.
        RecordingError: the real folder holds nothing that can be used.
        OutputError: the output cannot be written.
    """
    _check("subjects", subjects, 2, 1000)
    _check("seed", seed, 0, 2**32 - 1)
    _check("classifier_epochs", classifier_epochs, 0, 200)
    _check("classifier_pitch_mm", classifier_pitch_mm, 0.05, 0.5)
    rules = [RealRule.from_mapping(values) for values in real_rules]
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output}: is a file; name a folder")
    found = None if real is None else read_real(real, rules)
    card = _measure(settings, found, subjects, seed, classifier_epochs, classifier_pitch_mm, on_step)
    facts = describe_card(card, settings, subjects, seed, classifier_epochs, classifier_pitch_mm)
    with write_whole(output / "card.json") as part:
        part.write_text(json.dumps(make_plain(facts), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    _write_tables(output / "tables", card, facts)
    return write_page(output / "card.html", facts, _draw(card))


def _measure(
    settings: PhantomSettings,
    real: RealSet | None,
    subjects: int,
    seed: int,
    epochs: int,
    pitch_mm: float,
    on_step: Callable[[str, int, int], None] | None,
) -> Card:
    def report(what: str) -> Callable[[int, int], None]:
        return lambda done, total: None if on_step is None else on_step(what, done, total)

    twitches = measure_twitches(settings, subjects, seed)
    phantom = render_phantom(settings, subjects, seed, on_clip=report("phantom clips"))
    sources = (() if real is None else real.sources) + phantom
    pictures = []
    for index, source in enumerate(sources):
        pictures.append(measure_pictures(source))
        report("measured")(index + 1, len(sources))
    statistics = tuple(dict(measure_source(*pair)) for pair in zip(sources, pictures, strict=True))
    linear: list[LinearJudge] = []
    patches, network = None, None
    if real is not None:
        judges = (
            judge_linearly(sources, pictures, seed, with_greys=with_greys) for with_greys in (False, True)
        )
        linear = [judge for judge in judges if judge is not None]
        patches = cut_patches(sources, np.random.default_rng(seed), pitch_mm)
        network = judge_patches(patches, seed, epochs) if epochs > 0 else None
    return Card(
        sources=sources,
        statistics=statistics,
        held=hold_against_published(twitches),
        twitches=twitches,
        comparisons=() if real is None else compare_statistics(sources, statistics),
        linear=tuple(linear),
        patches=patches,
        network=network,
        real=real,
    )


def _draw(card: Card) -> list[Section]:
    """Return the plots and pictures that the data allow."""
    sections: list[tuple[str, str, bytes | None]] = []
    scale = f"Tiles of {draw_pictures.TILE_MM[0]:g} x {draw_pictures.TILE_MM[1]:g} mm, all at one scale."
    if card.real is not None:
        real = draw_pictures.tile_sources(card.sources, is_real=True)
        sections.append(("Real muscle, to be seen beside the next", scale, real))
    phantom = draw_pictures.tile_sources(card.sources, is_real=False)
    sections.append(("Phantom, beside the real", scale, phantom))
    if card.comparisons:
        text = "Blue band: from the smallest to the largest real value."
        sections.append(
            ("Statistics on the span of the real subjects", text, plots.draw_spans(card.comparisons))
        )
    thin = "Thin lines: single sources; thick: mean of a side."
    sections += [
        ("Greys", thin, plots.draw_histogram(card.sources)),
        ("Speckle size", "A point a source.", plots.draw_grain(card.sources, card.statistics)),
        ("Decorrelation", "A line a clip.", plots.draw_correlation(card.sources)),
        ("Frame differences", "A line a clip.", plots.draw_differences(card.sources)),
    ]
    shaded = "Green: the range that published figures span."
    for kind, title in (
        (TWITCH, "Twitches: times, sizes, shapes, and published ranges"),
        (RATE, "Rates, and published ranges"),
    ):
        sections.append((title, shaded, plots.draw_values(card.held, card.twitches, kind)))
    if card.network is not None and card.patches is not None:
        rows = ", ".join(caption for caption, _, _ in draw_pictures.PATCH_ROWS)
        sections += [
            (
                "What the network says",
                "Held-out patches.",
                plots.draw_scores(card.network, card.patches.real),
            ),
            (
                "Patches with the surest verdicts",
                f"Rows: {rows}.",
                draw_pictures.tile_patches(card.patches, card.network),
            ),
        ]
    return [(title, caption, data) for title, caption, data in sections if data is not None]


def _write_tables(folder: Path, card: Card, facts: Mapping[str, Any]) -> None:
    _write_csv(folder / "published.csv", facts["published"])
    _write_csv(folder / "statistics.csv", facts["statistics"])
    _write_csv(folder / "classifier.csv", facts["classifier"]["groups"])
    by_source = [
        {
            "name": source.name,
            "group": source.group,
            "side": "real" if source.is_real else "phantom",
            **measured,
        }
        for source, measured in zip(card.sources, card.statistics, strict=True)
    ]
    _write_csv(folder / "sources.csv", by_source)
    long = [{"quantity": name, "value": value} for name, values in card.twitches.items() for value in values]
    _write_csv(folder / "twitches.csv", long)


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if not columns:
        return
    with write_whole(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def _check(name: str, value: float, low: float, high: float) -> None:
    if isinstance(value, bool) or not math.isfinite(value) or not low <= value <= high:
        raise SettingError(f"{name}={value}: give a number between {low:g} and {high:g}")
