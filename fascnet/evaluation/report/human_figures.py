"""What people reach, as published: the one table, and which plot each figure belongs to as a reference mark.

All of it was measured on other recordings, by other rules, most of it read in the abstract. It is context,
never a baseline of this data; none of it was measured on a phantom.
"""

from __future__ import annotations

from dataclasses import dataclass

ELSEWHERE = "published human figures from other recordings, under their own rules; none was measured here"
"""Stands under every plot that shows one."""


@dataclass(frozen=True, slots=True)
class ReferenceMark:
    """A point or line in a plot.

    Attributes:
        values: one number for a line, two for a point: (sensitivity, specificity).
        measured_on: who judged what, in a few words.
    """

    values: tuple[float, ...]
    measured_on: str


@dataclass(frozen=True, slots=True)
class HumanFigure:
    """One published figure.

    Attributes:
        study: authors and year.
        task: who judged what.
        agreement: the figure as published.
        source: where it was published, as far as this project knows.
        quantity: what a plot must show to carry it (a name of `QUANTITIES`); empty where none does.
        marks: how it is drawn there.
        why_not: why no plot carries it; empty where one does.
    """

    study: str
    task: str
    agreement: str
    source: str
    quantity: str = ""
    marks: tuple[ReferenceMark, ...] = ()
    why_not: str = ""


QUANTITIES = ("event_kappa", "clip_point", "count_spearman")
"""Quantities of this benchmark that a published figure can stand beside."""

HUMAN_FIGURES = (
    HumanFigure(
        "Harding 2016",
        "twitch events, 2 operators",
        "kappa 0.94 (frequent), 0.49 (rare)",
        "IEEE Trans Biomed Eng 63:512",
        "event_kappa",
        (
            ReferenceMark((0.94,), "2 operators, twitch events, frequent twitches"),
            ReferenceMark((0.49,), "2 operators, twitch events, rare twitches"),
        ),
    ),
    HumanFigure(
        "Vlazak & Kraemer-Best 2014",
        "clip: fasciculation or artefact, 11 raters, 25 videos",
        "sensitivity 90.9 % (70/77), specificity 98.5 %; agreement median 100 % (IQR 96-100)",
        "Klin Neurophysiol 45:158",
        "clip_point",
        (ReferenceMark((0.909, 0.985), "sens. / spec. of 11 raters, clip: fasciculation or artefact"),),
    ),
    HumanFigure(
        "P31-F pilot",
        "counts over 90 s, 2 neurophysiologists, 12 patients with ALS",
        "Spearman 0.985",
        "",
        "count_spearman",
        (ReferenceMark((0.985,), "2 neurophysiologists, counts over 90 s"),),
    ),
    HumanFigure(
        "Reimers 1996",
        "present or absent per muscle, 34 patients, 70 controls",
        "r = 0.84 ultrasound, 0.85 EMG, 0.71 clinical; muscles positive 67 / 39 / 42 %",
        "J Neurol, BF00900945",
        why_not="no plot shows a correlation of presence per muscle",
    ),
    HumanFigure(
        "Pillen 2009",
        "fibrillations",
        "kappa 0.65",
        "",
        why_not="fibrillations are not fasciculations",
    ),
    HumanFigure(
        "AAN 2023",
        "skin video, 4-level scale, 10 raters, total over segments",
        "11-19 against 15; grade 2 vs 3 worst",
        "",
        why_not="skin video, not ultrasound",
    ),
    HumanFigure(
        "Duarte 2020",
        "diagnosis by ultrasound, meta-analysis",
        "10 s: 70 % muscles, 85 % patients; 30 s: 82 % patients",
        "",
        why_not="a detection rate, not an agreement",
    ),
    HumanFigure(
        "Aplio XG abstract 2018",
        "muscle positive in 20 s, ultrasound vs EMG, 17 patients",
        "biceps brachii 87 vs 73 %, quadriceps 86 vs 43 %, tibialis anterior 89 vs 33 %",
        "congress abstract",
        why_not="a detection rate, not an agreement",
    ),
)
"""Published human figures. Context only."""


def list_marks(quantity: str) -> list[tuple[tuple[float, ...], str]]:
    """List the marks of a quantity: values, and a label that tells them, on what and by whom.

    Raises:
        ValueError: there is no such quantity.
    """
    if quantity not in QUANTITIES:
        raise ValueError(f"quantity is '{quantity}'; choose {', '.join(QUANTITIES)}")
    return [
        (mark.values, f"published {' / '.join(map(str, mark.values))}: {mark.measured_on} ({figure.study})")
        for figure in HUMAN_FIGURES
        if figure.quantity == quantity
        for mark in figure.marks
    ]
