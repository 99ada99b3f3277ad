from __future__ import annotations

from fascnet.training.definition_variations import vary_definition
from fascnet.types import EventDefinition

START = EventDefinition(0.5, 0.3, min_on_s=0.1)


def test_every_combination_comes_once_and_the_last_field_is_fastest() -> None:
    found = list(vary_definition(START, {"onset_threshold": (0.5, 0.8), "join_cells": (0, 2)}))
    assert [(d.onset_threshold, d.join_cells) for d in found] == [(0.5, 0), (0.5, 2), (0.8, 0), (0.8, 2)]
    assert {(d.offset_threshold, d.min_on_s) for d in found} == {(0.3, 0.1)}


def test_an_offset_share_is_of_the_onset_threshold() -> None:
    both = list(vary_definition(START, {"onset_threshold": (0.5, 0.7), "offset_share": (0.6, 1.0)}))
    assert [d.offset_threshold for d in both] == [0.3, 0.5, 0.42, 0.7]
    assert [d.offset_threshold for d in vary_definition(START, {"offset_share": (0.4,)})] == [0.2]
