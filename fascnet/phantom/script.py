"""What happens in a clip and when, in whatever picture: drawn once, played by renderer and truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fascnet.phantom.body.tissue import Anatomy
from fascnet.phantom.chance import draw, draw_log, draw_whole
from fascnet.phantom.movement.disturbances import draw_confounders
from fascnet.phantom.movement.motion import Motion, Twitch
from fascnet.phantom.movement.twitches import draw_twitches
from fascnet.phantom.recording.block_codec import BlockCodec
from fascnet.phantom.recording.contact import ContactLoss, draw_contact_loss
from fascnet.phantom.recording.timeline import Timeline
from fascnet.phantom.scan.acquisition import ScanSettings
from fascnet.phantom.settings import ConfounderRanges, RecordingRanges, TwitchRanges

MIN_PLAIN_FRAMES = 8
"""Clips shorter than this get no freezes, doubled or dropped frames: there is nothing left between them."""


@dataclass(frozen=True)
class Script:
    """What happens in one clip. Times of movements are scan time; `timeline` maps them to the file's.

    Attributes:
        timeline: length, frame rate, freezes, doubled and dropped frames.
        twitches: in order of start.
        confounders: other movements of tissue or probe.
        background: movement that goes on at rest; no event of the truth.
        contact_losses: when the probe is off the skin.
        gain_steps: (moment, dB) changes of gain; each holds until the next.
        codec: (quality, frames between key frames, whether it smooths block edges) of a lossy block codec, or
            None.
    """

    timeline: Timeline
    twitches: tuple[Twitch, ...] = ()
    confounders: tuple[Motion, ...] = ()
    contact_losses: tuple[ContactLoss, ...] = ()
    gain_steps: tuple[tuple[float, float], ...] = ()
    codec: tuple[float, int, bool] | None = None
    background: tuple[Motion, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length of the file in seconds."""
        return self.timeline.n_frames / self.timeline.fps

    def find_gain_db(self, t_s: float) -> float:
        """Gain on top of the scanner's setting at a moment of the scan."""
        return sum(step_db for step_s, step_db in self.gain_steps if step_s <= t_s)

    def make_codec(self) -> BlockCodec | None:
        """Return a fresh codec, or None when the file is stored without loss."""
        return None if self.codec is None else BlockCodec(*self.codec)


def draw_script(
    twitches: TwitchRanges,
    confounders: ConfounderRanges,
    recording: RecordingRanges,
    scan: ScanSettings,
    anatomy: Anatomy,
    n_frames: int,
    fps: float,
    has_twitches: bool,
    rng: np.random.Generator,
) -> Script:
    """Draw what happens in one clip.

    Args:
        twitches: ranges of the fasciculations.
        confounders: ranges of what moves and is no twitch.
        recording: ranges of knobs and export.
        scan: gives the picture's size and spacing.
        anatomy: where the muscle lies, and its fibres.
        n_frames: stored frames, >= 2.
        fps: frames per second.
        has_twitches: whether the clip holds at least one twitch.
        rng: source of all randomness.
    """
    timeline = _draw_timeline(recording, n_frames, fps, rng)
    duration_s = timeline.scan_duration_s
    gain_steps: tuple[tuple[float, float], ...] = ()
    if rng.random() < recording.gain_step_share:
        size_db = draw(recording.gain_step_db, rng) * float(rng.choice([-1, 1]))
        gain_steps = ((draw((0.2, 0.8), rng) * duration_s, size_db),)
    losses: tuple[ContactLoss, ...] = ()
    if rng.random() < confounders.lift_off_share:
        losses = (draw_contact_loss(duration_s, rng),)
    codec = None
    if rng.random() < recording.codec_share:
        # Newer codecs smooth block edges, older ones do not; either is met in clinics.
        codec = (
            draw(recording.codec_quality, rng),
            draw_whole(recording.keyframe_period, rng),
            bool(rng.random() < 0.5),
        )
    return Script(
        timeline=timeline,
        twitches=draw_twitches(twitches, scan, anatomy, duration_s, rng) if has_twitches else (),
        confounders=draw_confounders(confounders, scan, anatomy, duration_s, rng),
        contact_losses=losses,
        gain_steps=gain_steps,
        codec=codec,
    )


def _draw_timeline(
    recording: RecordingRanges, n_frames: int, fps: float, rng: np.random.Generator
) -> Timeline:
    freezes: list[tuple[int, int]] = []
    doubled: set[int] = set()
    dropped: dict[int, int] = {}
    wanted = (
        rng.random(3) < (recording.freeze_share, recording.doubled_share, recording.dropped_share)
    ).tolist()
    if n_frames < MIN_PLAIN_FRAMES:
        return Timeline.make(n_frames, fps)
    if wanted[0]:
        first = int(rng.integers(1, n_frames - 1))
        length = max(round(draw_log(recording.freeze_s, rng) * fps), 1)
        freezes.append((first, min(first + length, n_frames)))
    if wanted[1]:
        if rng.random() < 0.5:
            # A file of a higher rate than the scan, as converters make: every k-th frame twice.
            doubled.update(range(int(rng.integers(2, 9)), n_frames, int(rng.integers(4, 9))))
        else:
            doubled.update(int(frame) for frame in rng.integers(1, n_frames, int(rng.integers(1, 5))))
    if wanted[2]:
        for frame in rng.integers(1, n_frames, int(rng.integers(1, 4))).tolist():
            dropped[frame] = int(rng.integers(1, 5))
    doubled -= set(dropped)
    return Timeline.make(n_frames, fps, freezes, doubled, dropped.items())
