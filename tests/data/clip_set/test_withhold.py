from __future__ import annotations

from pathlib import Path

from fascnet.data.clip_set.clip_facts import ClipFacts
from fascnet.data.clip_set.patient import PatientMark
from fascnet.data.clip_set.problem import Problem
from fascnet.data.clip_set.withhold import Withheld
from fascnet.types import ClipSource

ROOT = Path("/data/clinic")


def test_folders_and_known_names_are_taken_out() -> None:
    clips = [
        ClipSource("erika_1", ROOT / "clips/MUSTER_1.dcm", "12"),
        ClipSource("b", ROOT / "clips/b.dcm", "erika"),
    ]
    facts = {
        "erika_1": ClipFacts("erika_1", patient=PatientMark("x", ("path", "clip_id", "subject_id"))),
        "b": ClipFacts("b"),
    }
    hidden = Withheld(ROOT, Path("/data/labels"), clips, facts)
    problem = hidden.problem(
        Problem(
            "/data/clinic/clips/MUSTER_1.dcm",
            "clip 'erika_1' is like /data/clinic/clips/b.dcm, 0.12 and 112 and '12'",
            "see /data/labels/b.r.json in /data/labels",
            "copy",
            ("erika_1", "b"),
        )
    )
    assert problem.file == "(path 1, withheld)"
    assert problem.what.startswith("clip '(clip 1, withheld)' is like clips/b.dcm, 0.")
    assert "112" in problem.what and "'(subject 1, withheld)'" in problem.what
    assert problem.remedy == "see b.r.json in the folder of labels"
    assert problem.clip_ids == ("(clip 1, withheld)", "b")
    assert hidden.text("erika") == "erika", "a pseudonym of somebody else"


def test_only_the_beginning_of_a_path_is_cut() -> None:
    hidden = Withheld(Path("a"), Path("a/labels"), [], {})
    assert hidden.text("a/b.avi, 'a/labels/b.r.json' in a/labels") == "b.avi, 'b.r.json' in labels"
    assert hidden.text("data/b.avi a/labels_2/c.json") == "data/b.avi labels_2/c.json"
    assert Withheld(Path("a"), Path("l"), [], {}).text("in l, not la") == "in the folder of labels, not la"
