"""What a phantom set is drawn from: ranges for body, scan, twitches, what is not a twitch, and recording.

Figures and their sources stand in the project's field notes, sections 3a (twitch), 3b (rates), 3c (scan) and
3e (confounders); a range marked *model* has no published figure behind it. Every range is (low, high), both
included; a share is 0-1, and a share of 0 switches its subject off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fascnet.errors import SettingError
from fascnet.phantom.ranges import Range, check_ranges, list_group, read_group


@dataclass(frozen=True, slots=True)
class BodyRanges:
    """Whose muscle it is.

    Attributes:
        transverse_share: share of subjects scanned across the fibres.
        vessel_share: share of clips with a vessel in view (model).
        disease: how far the muscle is changed, 0 healthy to 1 wasted and bright, drawn per subject (model).
        restlessness_mm: movement of hand and tissue at rest, all through every clip; RMS in the plane, drawn
            per clip; 0 switches it off (model).
        restlessness_rad: swing of the plane at rest, all through every clip; RMS, drawn per clip; 0 switches
            it off (model).
    """

    transverse_share: float = 0.35
    vessel_share: float = 0.3
    disease: Range = (0.0, 0.8)
    restlessness_mm: Range = (0.025, 0.11)
    restlessness_rad: Range = (0.3, 0.9)

    def __post_init__(self) -> None:
        check_ranges(
            self,
            {"disease": (0.0, 1.0), "restlessness_mm": (0.0, 0.5), "restlessness_rad": (0.0, 1.5)},
        )


@dataclass(frozen=True, slots=True)
class ScanRanges:
    """How the scanner is set; drawn per subject.

    Attributes:
        fps: frames per second, rounded to a whole number unless low equals high.
        height_px: rows of the picture.
        width_px: columns of the picture.
        mm_per_px: pixel spacing in mm.
        centre_frequency_mhz: transmit frequency.
        scatterers_per_cell: scatterers in one resolution cell at the focus; 8 or more gives fully developed
            speckle.
        looks: steering angles whose pictures are averaged (spatial compounding); time grows with them.
        dynamic_range_db: log compression.
        gain_db: overall gain around the automatic one (model).
        noise_db: electronic noise against the median echo at mid depth (model).
        persistence: weight of the previous displayed frame, 0 = none (model).
    """

    fps: Range = (25.0, 60.0)
    height_px: Range = (200, 400)
    width_px: Range = (200, 400)
    mm_per_px: Range = (0.06, 0.2)
    centre_frequency_mhz: Range = (6.0, 12.0)
    scatterers_per_cell: float = 10.0
    looks: Range = (1, 3)
    dynamic_range_db: Range = (50.0, 70.0)
    gain_db: Range = (-15.0, -4.0)
    noise_db: Range = (-45.0, -18.0)
    persistence: Range = (0.0, 0.4)

    def __post_init__(self) -> None:
        # Bounds keep the image formation meaningful; what is common stands in the defaults.
        check_ranges(
            self,
            {
                "fps": (10.0, 200.0),
                "height_px": (64, 1024),
                "width_px": (64, 1024),
                "mm_per_px": (0.04, 0.4),
                "centre_frequency_mhz": (3.0, 18.0),
                "scatterers_per_cell": (1.0, 100.0),
                "looks": (1, 9),
                "dynamic_range_db": (30.0, 100.0),
                "gain_db": (-30.0, 30.0),
                "noise_db": (-80.0, 10.0),
                "persistence": (0.0, 0.8),
            },
        )


@dataclass(frozen=True, slots=True)
class TwitchRanges:
    """The fasciculations.

    Attributes:
        clip_share: share of clips that hold twitches.
        foci: number of repeating foci in a clip with twitches.
        rate_per_min: twitches per minute of all foci together, drawn on a log scale.
        doublet_share: share of twitches with a second pulse (model).
        cut_share: share of the twitches at a clip's ends that begin before it or run past it (model).
        peak_mm: largest displacement of a twitch, drawn on a log scale.
        contraction_s: time from the start to the peak of a twitch, drawn on a log scale.
        half_relaxation_ratio: time from the peak to half of it against the contraction time.
        total_s: contraction and relaxation to a tenth; limits the relaxation.
        core_long_mm: long axis of the contracting core.
        core_short_mm: its extent across that axis.
        crescent_share: share of foci with a crescent-shaped core (model).
        split_share: share of foci with a core in two lobes (model).
        halo_mm: reach of the passive halo beyond the core.
    """

    clip_share: float = 0.5
    foci: Range = (1, 5)
    rate_per_min: Range = (5.0, 45.0)
    doublet_share: float = 0.12
    cut_share: float = 0.0
    peak_mm: Range = (0.08, 0.9)
    contraction_s: Range = (0.045, 0.21)
    half_relaxation_ratio: Range = (0.65, 1.8)
    total_s: Range = (0.1, 0.6)
    core_long_mm: Range = (7.0, 15.0)
    core_short_mm: Range = (3.2, 5.6)
    crescent_share: float = 0.45
    split_share: float = 0.15
    halo_mm: Range = (3.5, 7.0)

    def __post_init__(self) -> None:
        check_ranges(
            self,
            {
                "foci": (1, 20),
                "rate_per_min": (0.1, 300.0),
                "peak_mm": (0.01, 3.0),
                "contraction_s": (0.02, 0.3),
                "half_relaxation_ratio": (0.3, 4.0),
                "total_s": (0.05, 1.0),
                "core_long_mm": (2.0, 20.0),
                "core_short_mm": (1.0, 20.0),
                "halo_mm": (0.5, 15.0),
            },
        )
        if self.crescent_share + self.split_share > 1:
            raise SettingError(
                f"crescent_share={self.crescent_share}: with split_share={self.split_share} it exceeds 1"
            )


@dataclass(frozen=True, slots=True)
class ConfounderRanges:
    """Everything that moves and is not a twitch. A share is a share of clips; sizes are models.

    Attributes:
        drift_share: a drifting probe.
        drift_mm: its size, drawn on a log scale.
        jolt_share: a jolted probe.
        jolt_mm: its size.
        lift_off_share: a probe that loses contact for a while.
        out_of_plane_share: a plane that wanders: speckle changes without moving.
        out_of_plane_rad: how far; speckle correlates with the start as the cosine.
        pressure_share: a probe pressed harder for a while; a vein in view collapses.
        pressure_mm: how much nearer the deepest tissue comes.
        breathing_share: breathing.
        breathing_mm: its size deep in the picture.
        pulsation_share: an arterial pulsation: of the vessel in view, or of one beside or below the picture.
        pulsation_mm: movement of the artery's wall.
        contraction_share: a voluntary contraction.
        contraction_mm: its size; a local one is at most 1.5 mm.
        contraction_local_share: share of the voluntary contractions that take in a part of the muscle only.
        swallowing_share: a swallow, or another quick gross movement of the whole muscle.
        swallowing_mm: its size.
        pseudotremor_share: contraction pseudotremor, 4-12 Hz.
        pseudotremor_mm: its size at a focus.
        fibrillation_share: fibrillation: small, irregular, without a change of outline.
        fibrillation_mm: its size.
    """

    drift_share: float = 0.6
    drift_mm: Range = (0.1, 1.5)
    jolt_share: float = 0.35
    jolt_mm: Range = (0.3, 1.5)
    lift_off_share: float = 0.05
    out_of_plane_share: float = 0.2
    out_of_plane_rad: Range = (0.2, 1.2)
    pressure_share: float = 0.1
    pressure_mm: Range = (0.3, 2.0)
    breathing_share: float = 0.3
    breathing_mm: Range = (0.1, 0.5)
    pulsation_share: float = 0.4
    pulsation_mm: Range = (0.05, 0.3)
    contraction_share: float = 0.3
    contraction_mm: Range = (0.5, 4.0)
    contraction_local_share: float = 0.35
    swallowing_share: float = 0.08
    swallowing_mm: Range = (1.0, 4.0)
    pseudotremor_share: float = 0.2
    pseudotremor_mm: Range = (0.05, 0.2)
    fibrillation_share: float = 0.1
    fibrillation_mm: Range = (0.01, 0.05)

    def __post_init__(self) -> None:
        check_ranges(self, {"out_of_plane_rad": (0.0, 3.2)})


@dataclass(frozen=True, slots=True)
class RecordingRanges:
    """What the scanner's knobs, its screen and the export do to the picture. A share is a share of clips.

    Attributes:
        gain_step_share: somebody turns the gain.
        gain_step_db: by how much, up or down (model).
        freeze_share: the picture stands still for a while.
        freeze_s: for how long (model).
        doubled_share: frames are stored twice.
        dropped_share: frames are missing.
        codec_share: a lossy block codec with key frames, at which the whole picture jumps in grey.
        codec_quality: its quality, 1-100.
        keyframe_period: frames from one key frame to the next.
        screen_share: share of subjects whose recordings show the scanner's screen around the picture.
        overlay_share: text and marks inside the picture.
        colour_box_share: a colour box on the picture, with a vessel in view.
    """

    gain_step_share: float = 0.15
    gain_step_db: Range = (2.0, 5.0)
    freeze_share: float = 0.08
    freeze_s: Range = (0.1, 1.5)
    doubled_share: float = 0.08
    dropped_share: float = 0.08
    codec_share: float = 0.3
    codec_quality: Range = (30.0, 85.0)
    keyframe_period: Range = (12, 250)
    screen_share: float = 0.25
    overlay_share: float = 0.15
    colour_box_share: float = 0.05

    def __post_init__(self) -> None:
        check_ranges(
            self,
            {"freeze_s": (0.01, 60.0), "codec_quality": (1.0, 100.0), "keyframe_period": (2, 1000)},
        )


@dataclass(frozen=True, slots=True)
class PhantomSettings:
    """Ranges from which subjects, clips and events are drawn.

    Attributes:
        clips_per_subject: clips that share one body and one scanner setting, >= 1.
        duration_s: clip length in seconds; its reciprocal is drawn evenly: short clips are more common.
        body: whose muscle it is.
        scan: how the scanner is set.
        twitches: the fasciculations.
        confounders: everything that moves and is not a twitch.
        recording: knobs, screen and export.
    """

    clips_per_subject: int = 4
    duration_s: Range = (6.0, 10.0)
    body: BodyRanges = field(default_factory=BodyRanges)
    scan: ScanRanges = field(default_factory=ScanRanges)
    twitches: TwitchRanges = field(default_factory=TwitchRanges)
    confounders: ConfounderRanges = field(default_factory=ConfounderRanges)
    recording: RecordingRanges = field(default_factory=RecordingRanges)

    def __post_init__(self) -> None:
        check_ranges(self, {"clips_per_subject": (1, 10_000), "duration_s": (1.0, 600.0)})

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], where: str = "phantom") -> PhantomSettings:
        """Build from plain values, such as a composed config.

        Args:
            values: fields of this class; groups are mappings of theirs.
            where: the node's name, for messages.

        Raises:
            SettingError: a key is unknown, or a value is outside its bounds; it names the key.
        """
        groups: dict[str, Any] = {
            name: read_group(kind, values[name], f"{where}.{name}")
            for name, kind in _GROUPS.items()
            if name in values
        }
        return read_group(cls, {**values, **groups}, where)

    def to_mapping(self) -> dict[str, Any]:
        """Return plain lists and numbers, as `phantom.json` keeps them."""
        return list_group(self)


_GROUPS: dict[str, type] = {
    "body": BodyRanges,
    "scan": ScanRanges,
    "twitches": TwitchRanges,
    "confounders": ConfounderRanges,
    "recording": RecordingRanges,
}
