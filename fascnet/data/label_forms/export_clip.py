"""One clip's labels or predictions on the way to another tool: events in frames, and their notes."""

from __future__ import annotations

from dataclasses import dataclass

from fascnet.data.label_forms.frame_clock import FrameClock
from fascnet.data.label_forms.rater_events import MaskPixels
from fascnet.data.label_forms.shapes import crop_mask
from fascnet.data.labelling.regions import read_mask
from fascnet.errors import LabelError
from fascnet.types import Box, ClipSource, Event, Labels, MaskFile, Point, Polygon


@dataclass(frozen=True, slots=True, eq=False)
class ExportClip:
    """A clip to be written.

    Attributes:
        source: the recording.
        clock: its frames.
        labels: what is said about it.
        predicted: whether a model says it, so that tools show it as a suggestion.
    """

    source: ClipSource
    clock: FrameClock
    labels: Labels
    predicted: bool

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the recording.

        Raises:
            LabelError: the recording is not there.
        """
        if self.clock.width is None or self.clock.height is None:
            raise LabelError(f"{self.source.path}: is not there, so its size is not known; connect its disk")
        return self.clock.width, self.clock.height

    def frames_of(self, event: Event) -> tuple[int, int]:
        """Return an event's frames, from the first to the one after its last.

        Raises:
            LabelError: it lies outside the recording.
        """
        if event.onset_s >= self.clock.end_s:
            raise LabelError(
                f"{self.labels.clip_id}.{self.labels.rater}: an event begins at {event.onset_s:g} s, the "
                f"recording ends at {self.clock.end_s:.3f} s; check that it is the one labelled"
            )
        return self.clock.frames_in(event.onset_s, event.offset_s)

    def shape_of(self, event: Event) -> Polygon | Box | Point | MaskPixels | None:
        """Return an event's region, a mask file as its pixels.

        Raises:
            LabelError: a mask cannot be read or is empty.
        """
        if not isinstance(event.region, MaskFile):
            return event.region
        mask = crop_mask(read_mask(event.region.path))
        if mask is None:
            raise LabelError(f"{event.region.path}: the mask is empty; draw the region or remove it")
        return mask
