from __future__ import annotations

import pytest

from fascnet.evaluation.matching.matching_rule import MatchingRule, build_rule
from fascnet.evaluation.report.rule_wording import word_rule


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (build_rule("any_overlap"), ("any overlap in time", "counted twice")),
        (build_rule("167ms_15px"), ("within 167 ms", "within 15 px of the reference region")),
        (build_rule("1_frame"), ("within 1 frame,",)),
        (build_rule("iou_0.3"), ("temporal IoU of 0.3 or more",)),
        (build_rule("overlap_5mm", "once"), ("any overlap", "within 5 mm", "counted once")),
        # Frames win over seconds, as in the rule itself.
        (MatchingRule("m", "tolerance", tolerance_s=0.1, tolerance_frames=2.0), ("within 2 frames",)),
    ],
)
def test_every_choice_of_a_rule_is_in_its_words(rule, words):
    text = word_rule(rule)
    assert all(word in text for word in words), text
