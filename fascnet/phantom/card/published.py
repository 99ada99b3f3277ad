"""Published figures of fasciculations and of their rates that the phantom is held against, with sources."""

from __future__ import annotations

import math
from dataclasses import dataclass

TWITCH, RATE = "twitch", "rate"


@dataclass(frozen=True, slots=True)
class Published:
    """One published figure.

    Attributes:
        name: key in tables.
        title: name for people.
        unit: its unit, or empty.
        kind: `twitch` or `rate`.
        low: lower end of the range that the verdict uses; -inf when open.
        high: upper end; inf when open.
        stated: what the sources say, in their own numbers.
        source: short citation.
        rule: how the phantom's figure is measured.
        caution: why an outside verdict means little; it is then `informative`.
    """

    name: str
    title: str
    unit: str
    kind: str
    low: float
    high: float
    stated: str
    source: str
    rule: str
    caution: str = ""


PUBLISHED = (
    Published(
        "contraction_ms",
        "contraction time",
        "ms",
        TWITCH,
        47.0,
        195.0,
        "single unit 75 ± 13 and 81 ± 15; units 47-102 (median 58); first dorsal interosseous 36-75; "
        "B-mode 160-195, SD 40",
        "Heskamp 2021 (PMC7900994); PMC1779696 table 1; fasckin simulate_features.py",
        "from 5 % of the peak displacement to the peak, at the epicentre; single pulses",
    ),
    Published(
        "half_relaxation_ms",
        "half relaxation time",
        "ms",
        TWITCH,
        41.0,
        212.0,
        "units 41-150 (median 56); fatigued 26-212 (median 105)",
        "PMC1779696 table 1",
        "from the peak to half of it, at the epicentre; single pulses",
    ),
    Published(
        "total_ms",
        "total duration",
        "ms",
        TWITCH,
        100.0,
        600.0,
        "M-mode 100-500; B-mode 490-580; 200-1000 and < 1000 as working definitions",
        "Aplio XG 2018 (congress abstract); fasckin simulate_features.py; Harding (abstract)",
        "from 5 % of the peak to 10 % after it, at the epicentre; single pulses",
    ),
    Published(
        "peak_displacement_mm",
        "largest displacement",
        "mm",
        TWITCH,
        0.10,
        0.68,
        "single unit 0.20 ± 0.10; B-mode phantom 0.41 and 0.68",
        "Heskamp 2021 (PMC7900994); fasckin make_synthetic.py",
        "largest displacement over place and time",
    ),
    Published(
        "peak_velocity_mm_s",
        "peak velocity",
        "mm/s",
        TWITCH,
        2.9,
        16.5,
        "single unit 5.5 ± 2.6; B-mode about 6.5 (ALS) and 9.5 (other), SD 7",
        "Heskamp 2021 (PMC7900994); fasckin simulate_features.py",
        "largest speed during contraction, at the epicentre",
    ),
    Published(
        "lobe_height_ratio",
        "velocity lobes, height back / forth",
        "",
        TWITCH,
        0.0,
        1.0,
        "biphasic; the relaxation lobe is lower",
        "fasckin temporal.py",
        "largest speed back over largest speed forth, at the epicentre; single pulses",
    ),
    Published(
        "lobe_length_ratio",
        "velocity lobes, length back / forth",
        "",
        TWITCH,
        1.0,
        4.0,
        "the relaxation lobe is longer: 330-385 (SD 100) against 160-195 ms (SD 40), about 2; one SD: 1-4",
        "fasckin simulate_features.py, temporal.py",
        "time from the peak to 10 % over time from 5 % to the peak; single pulses",
    ),
    Published(
        "anisotropy",
        "directional anisotropy",
        "",
        TWITCH,
        0.28,
        0.85,
        "0.53 ± 0.25 (ALS), 0.63 ± 0.22 (other)",
        "fasckin docs (Muscle & Nerve 2026, doi 10.1002/mus.70338)",
        "length of the mean unit vector over points >= 5 % of the peak, 16 x 16 mm around the epicentre",
    ),
    Published(
        "core_area_mm2",
        "core, area",
        "mm²",
        TWITCH,
        15.5,
        37.9,
        "motor-unit territory 26.7 ± 11.2",
        "Birkbeck 2020 (PMC7208543)",
        "area that reaches 50 % of the peak displacement",
    ),
    Published(
        "core_long_mm",
        "core, long axis",
        "mm",
        TWITCH,
        7.4,
        14.0,
        "10.7 ± 3.3",
        "Birkbeck 2020 (PMC7208543)",
        "longer side of the smallest rectangle around the core",
    ),
    Published(
        "core_short_mm",
        "core, short axis",
        "mm",
        TWITCH,
        3.3,
        5.7,
        "4.5 ± 1.2",
        "Birkbeck 2020 (PMC7208543)",
        "area of the core over the area of an ellipse of that length: 4 A / (π long)",
    ),
    Published(
        "moving_share",
        "moving area",
        "share",
        TWITCH,
        0.41,
        0.87,
        "0.61-0.67, SD 0.2",
        "fasckin simulate_features.py",
        "share of 16 x 16 mm around the epicentre that reaches 15 % of the peak displacement",
        "the published share was measured with a 50 px tracking window, which widens it",
    ),
    Published(
        "count_20_s",
        "events in 20 s",
        "",
        RATE,
        3.7,
        7.0,
        "definite 7.0, probable 4.5, possible 3.7 (means by certainty of ALS)",
        "Aplio XG 2018 (congress abstract)",
        "mean over clips with twitches, windows of 20 s",
    ),
    Published(
        "events_per_min",
        "events per minute",
        "1/min",
        RATE,
        10.6,
        79.4,
        "median 40.5, quartiles 10.6-79.4 (surface EMG, ALS); MRI lower leg 99 (25.7-161)",
        "AVID/SPiQE 2019; MUMRI abstract",
        "over clips with twitches; ultrasound shows fewer than EMG (Bokuda 2020)",
    ),
    Published(
        "longest_gap_s",
        "longest gap",
        "s",
        RATE,
        0.0,
        81.4,
        "at most 81.4 (hand)",
        "Noto-type scan time study, Muscle Nerve 2017 (PMID 28187527)",
        "longest time without an event in 120 s, ends included; the 90th percentile of clips is compared",
    ),
    Published(
        "two_in_60_s",
        "two or more events in 60 s",
        "share",
        RATE,
        0.9,
        1.0,
        "0.9 or more in all muscles",
        "Noto-type scan time study, Muscle Nerve 2017 (PMID 28187527)",
        "share of 60 s windows of clips with twitches",
    ),
    Published(
        "doublet_share",
        "doublets",
        "share",
        RATE,
        0.0,
        0.3,
        "some; no figure",
        "EMG studies, general knowledge",
        "share of events with a second pulse",
        "no published figure",
    ),
    Published(
        "repeating_foci",
        "repeating foci",
        "",
        RATE,
        1.0,
        math.inf,
        "several unique repeating foci per muscle; no figure",
        "Noto-type hyperexcitability study (518 + 756 muscles)",
        "places with two or more events in 120 s, events within 3 mm are one place",
        "no published figure",
    ),
)
