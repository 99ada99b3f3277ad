"""From the picture that the scanner forms to the frame in the file: contact, screen, codec."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.recording.screen import Screen
from fascnet.phantom.recording.screen_layout import ScreenLayout
from fascnet.phantom.script import Script


class Recorder:
    """Stores the pictures of one clip in order, each as the file shows it.

    Args:
        script: what happens in the clip.
        layout: the scanner's screen, or None for the bare picture.
        dynamic_range_db: of the scanner's log compression, which turns lost dB into greys.
        mm_per_px: pixel spacing.
    """

    def __init__(
        self, script: Script, layout: ScreenLayout | None, dynamic_range_db: float, mm_per_px: float
    ) -> None:
        self._script = script
        self._screen = None if layout is None else Screen(layout)
        self._codec = script.make_codec()
        self._dynamic_range_db = dynamic_range_db
        self._mm_per_px = mm_per_px

    def store(self, grey: NDArray[np.float32], t_s: float) -> NDArray[np.uint8]:
        """Return the stored frame.

        Args:
            grey: picture (H, W), 0-255.
            t_s: moment of the scan that it shows.

        Returns:
            Frame, uint8: (H, W), or the screen's size.
        """
        for loss in self._script.contact_losses:
            start_s, end_s = loss.active_s
            if start_s <= t_s < end_s:
                grey = loss.apply(grey, t_s, self._dynamic_range_db, self._mm_per_px)
        frame = np.rint(np.clip(grey, 0, 255)).astype(np.uint8)
        if self._screen is not None:
            frame = self._screen.compose(frame, t_s)
        return frame if self._codec is None else self._codec.store(frame)
