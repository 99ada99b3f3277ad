"""A clip's labels in two numbers: to know them again as near as other hardware comes."""

from __future__ import annotations

from fascnet.data.labelling.regions import measure_area_px
from fascnet.types import Labels

LABEL_TOLERANCE = 0.01
"""Largest relative difference of the sums that rounding on other hardware explains. Model choice: a moment is
found on a grid of 0.5 ms and an outline on one of half a pixel, and neither moves by more than a step."""

SUMS = ("events_s", "regions_px")


def describe_labels(labels: Labels) -> dict[str, str]:
    """Return `SUMS`: length of all events in s, and area of all regions and rings in stored pixels."""
    regions = [r for event in labels.events for r in (event.region, event.ignore_region) if r is not None]
    return {
        "events_s": f"{sum(event.offset_s - event.onset_s for event in labels.events):.3f}",
        "regions_px": f"{sum(measure_area_px(region) for region in regions):.1f}",
    }
