"""One small study, benchmarked once for all tests of this folder."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fascnet.data.labelling.labels import load_labels
from fascnet.evaluation.benchmark import run_benchmark
from fascnet.evaluation.matching.match import MatchingRule
from fascnet.evaluation.rules import Margin, ScoringRules
from fascnet.evaluation.sources.source import build_source

from ..study import write_study


@pytest.fixture(scope="session")
def benchmark(tmp_path_factory):
    """Twelve subjects, a model under an awkward name, anna as reference and three other raters."""
    root = tmp_path_factory.mktemp("study")
    predictions, labels = write_study(root, n_subjects=12)
    rng = np.random.default_rng(5)
    for path in sorted(labels.glob("*.anna.json")):
        content = json.loads(path.read_text())
        for event in content["events"]:
            event["peak_mm"] = float(rng.uniform(0.05, 0.6))
        content["events"].append({"onset_s": 9.2, "offset_s": 9.9, "label": "probe_motion", "region": None})
        path.write_text(json.dumps(content))
        for rater, share in (("carla", 0.85), ("dora", 0.7)):
            kept = [
                event
                for event in content["events"]
                if event["label"] == "fasciculation" and rng.random() < share
            ]
            other = path.with_name(path.name.replace("anna", rater))
            other.write_text(json.dumps({**content, "rater": rater, "events": kept}))
    rules = ScoringRules(MatchingRule("main", max_distance_px=15.0), margin=Margin("f1", 0.1))
    return run_benchmark(
        [build_source("net_v2 & 5%", predictions)],
        load_labels(labels),
        rules,
        reference="anna",
        resamples=100,
    )
