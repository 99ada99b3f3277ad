"""Event definitions to choose from: what is tried, and how a definition is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

from fascnet.types import EventDefinition


def vary_definition(
    definition: EventDefinition, values: Mapping[str, tuple[float, ...]]
) -> Iterator[EventDefinition]:
    """Yield the definition with every combination of some of its fields' values, the last field fastest.

    Args:
        definition: what is changed.
        values: by field; `offset_share` is the offset threshold over the onset threshold.
    """
    for combination in product(*values.values()):
        changes = dict(zip(values, combination, strict=True))
        share = changes.pop("offset_share", None)
        if share is not None:
            onset = changes.get("onset_threshold", definition.onset_threshold)
            changes["offset_threshold"] = round(onset * share, 3)
        yield replace(definition, **changes)  # type: ignore[arg-type]
