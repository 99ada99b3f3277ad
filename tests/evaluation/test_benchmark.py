from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import replace

import pytest

from fascnet.data.labelling.labels import load_labels
from fascnet.errors import SettingError
from fascnet.evaluation.benchmark import run_benchmark
from fascnet.evaluation.matching.match import MatchingRule
from fascnet.evaluation.metrics_file import write_metrics
from fascnet.evaluation.report.csv_tables import write_tables
from fascnet.evaluation.report.methods_text import write_methods
from fascnet.evaluation.report.page import write_report
from fascnet.evaluation.report.plots import draw_plots
from fascnet.evaluation.rules import REPORTED_RULES, ConsensusRule, Margin, ScoringRules
from fascnet.evaluation.sources.source import build_source

from .study import add_column, write_label, write_predictions, write_study

RULES = ScoringRules(MatchingRule("main", max_distance_px=15.0))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"), n_subjects=12)


def bench(folders, labels, output, rules=RULES, reference="anna", **settings):
    sources = [build_source(name, folder) for name, folder in folders.items()]
    settings = {"resamples": 200} | settings
    found = run_benchmark(sources, load_labels(labels), rules, reference=reference, **settings)
    write_metrics(found, output)
    return found


def read(output):
    return json.loads((output / "metrics.json").read_text())


def test_writes_the_contract(study, tmp_path):
    predictions, labels = study
    bench({"net": predictions, "copy": predictions}, labels, tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    figures = {
        "events": ("precision", "recall", "f1", "false_alarms_per_min"),
        "pixels": ("dice", "iou"),
        "clips": ("auroc", "sensitivity", "specificity", "brier", "ece"),
        "counts": ("icc", "spearman", "bias", "loa_low", "loa_high"),
    }
    for section, names in figures.items():
        for name in names:
            figure = metrics[section][name]
            assert set(figure) >= {"value", "ci95", "n"}, (section, name)
            low, high = figure["ci95"]
            assert low <= figure["value"] <= high, (section, name)
            assert metrics["sources"]["net"][section][name] == figure
    assert set(metrics["events"]["by_tolerance"]) == set(REPORTED_RULES)
    pairs = {"net_vs_anna", "copy_vs_anna", "bert_vs_anna", "net_vs_copy", "net_vs_bert", "copy_vs_bert"}
    assert set(metrics["agreement"]) == pairs
    assert set(metrics["agreement"]["net_vs_bert"]) >= {"event_kappa", "clip_kappa", "f1", "count_icc"}
    assert set(metrics["subgroups"]["muscle"]) == {"biceps", "tibialis"}
    assert metrics["reference"]["rater"] == "anna" and metrics["rules"]["matching"]["max_distance_px"] == 15


def test_self_agreement_is_perfect(study, tmp_path):
    predictions, labels = study
    found = bench({"net": predictions, "copy": predictions}, labels, tmp_path)
    indexes = ("prevalence_index", "bias_index")
    pair = found.agreement["net_vs_copy"]
    values = [figure.value for name, figure in pair.items() if not name.endswith(indexes)]
    assert len(values) == 17 and values == pytest.approx([1.0] * len(values), abs=1e-12)
    assert pair["event_bias_index"].value == 0


def test_swapping_raters_changes_nothing(study, tmp_path):
    predictions, labels = study
    one = bench({"net": predictions}, labels, tmp_path / "1", reference="anna")
    two = bench({"net": predictions}, labels, tmp_path / "2", reference="bert")
    for name, figure in one.agreement["bert_vs_anna"].items():
        other = two.agreement["anna_vs_bert"][name]
        assert (other.value, other.n, other.subjects) == pytest.approx(
            (figure.value, figure.n, figure.subjects)
        )
        assert other.ci95 == pytest.approx(figure.ci95), name


def test_same_seed_same_bytes_other_seed_other_intervals(study, tmp_path):
    predictions, labels = study
    texts = []
    for name, seed in (("1", 0), ("2", 0), ("3", 7)):
        bench({"net": predictions}, labels, tmp_path / name, seed=seed)
        texts.append((tmp_path / name / "metrics.json").read_text())
    assert texts[0] == texts[1] != texts[2]


def test_known_answer(tmp_path):
    labels = tmp_path / "labels"
    write_label(labels, "a", "r", [(1, 1.5, 60, 60), (5, 5.5, 60, 60)])
    write_label(labels, "b", "r", [], examined=[(0, 4)])
    clips = [
        {
            "clip_id": "a",
            "subject": "x",
            "score": 0.9,
            "events": [(1.1, 1.4, 60, 60, 0.9), (5, 5.5, 150, 60, 0.8)],
        },
        # The event at 7 s lies outside what the rater looked at.
        {
            "clip_id": "b",
            "subject": "y",
            "score": 0.2,
            "events": [(2, 2.5, 60, 60, 0.4), (7, 8, 60, 60, 0.9)],
        },
    ]
    predictions = write_predictions(tmp_path / "p", clips)
    found = bench({"net": predictions}, labels, tmp_path / "out", reference=None)
    events = found.results[0].figures["events"]
    assert events["precision"].value == pytest.approx(1 / 3), (
        "one hit, one in the wrong place, one where nothing is"
    )
    assert events["recall"].value == 0.5
    assert events["false_alarms_per_min"].value == pytest.approx(2 / (14 / 60))
    assert found.results[0].by_tolerance["any_overlap"]["recall"].value == 1
    clips_ = found.results[0].figures["clips"]
    assert clips_["auroc"].value == clips_["sensitivity"].value == clips_["specificity"].value == 1
    assert clips_["brier"].value == pytest.approx((0.1**2 + 0.2**2) / 2)
    assert found.results[0].figures["counts"]["bias"].value == pytest.approx((0 + 1) / 2)


def test_missing_clip_is_listed_and_never_negative(tmp_path):
    labels = tmp_path / "labels"
    for clip in "abcd":
        write_label(labels, clip, "r", [(1, 1.5, 60, 60)] if clip in "abc" else [])
    write_label(labels, "train", "r", [(1, 2, 60, 60)])
    hit = [(1, 1.5, 60, 60, 0.9)]
    main = [
        {"clip_id": "a", "subject": "1", "events": hit},
        {"clip_id": "c", "subject": "3", "row": {"status": "failed", "reason": "broken"}},
        {"clip_id": "d", "subject": "4"},
    ]
    other = [
        {"clip_id": clip, "subject": str(i + 1), "events": hit if clip != "d" else []}
        for i, clip in enumerate("abcd")
    ]
    folders = {
        "net": write_predictions(tmp_path / "p", main),
        "other": write_predictions(tmp_path / "q", other),
    }
    with pytest.raises(SettingError, match="net: 2 of 4 labelled clips have no prediction, first 'b'"):
        bench(folders, labels, tmp_path / "out", reference="r")
    assert not (tmp_path / "out").exists()
    bench(folders, labels, tmp_path / "out", replace(RULES, missing="leave_out"), "r")
    metrics = read(tmp_path / "out")
    missing = metrics["missing"]["net"]
    assert missing["not_predicted"] == ["b"] and missing["failed"] == {"c": "broken"}
    assert missing["reference_events_not_predicted"] == 2
    assert metrics["events"]["recall"]["value"] == 1 and metrics["events"]["recall"]["n"] == 1
    assert metrics["clips"]["sensitivity"]["n"] == 1
    assert any("2 of 4" in warning for warning in metrics["warnings"])
    assert metrics["reference"]["labelled_but_in_no_source"] == ["train"]
    assert metrics["missing"]["other"]["not_predicted"] == []


def test_partial_clip_is_judged_on_what_was_seen(tmp_path):
    write_label(tmp_path / "l", "a", "r", [(1, 1.5, 60, 60), (8, 8.5, 60, 60)])
    clip = {"clip_id": "a", "events": [(1, 1.5, 60, 60, 0.9)], "row": {"status": "partial", "scored_s": 5}}
    found = bench(
        {"net": write_predictions(tmp_path / "p", [clip])}, tmp_path / "l", tmp_path / "o", reference=None
    )
    assert found.results[0].figures["events"]["recall"].value == 1
    assert found.missing["net"].partial == ("a",)


def test_possible_events_can_be_left_out(tmp_path):
    write_label(tmp_path / "l", "a", "r", [(1, 1.5, 60, 60, "possible")])
    write_label(tmp_path / "l", "b", "r", [(1, 1.5, 60, 60, "definite")])
    clips = [{"clip_id": c, "subject": c, "events": [(1, 1.5, 60, 60, 0.9)]} for c in "ab"]
    folder = write_predictions(tmp_path / "p", clips)
    rules = ScoringRules(RULES.matching, frozenset({"possible"}))
    judged = bench({"net": folder}, tmp_path / "l", tmp_path / "o", rules, None)
    left_out = judged.results[0].figures
    assert judged.agreement["net_vs_r"]["clip_ac1"].n == 1
    assert (left_out["events"]["precision"].n, left_out["events"]["recall"].n) == (1, 1)
    assert left_out["clips"]["sensitivity"].n == 1, "the clip with a possible event only is neither"
    counted = bench({"net": folder}, tmp_path / "l", tmp_path / "o", RULES, None).results[0].figures
    assert (counted["events"]["recall"].n, counted["clips"]["sensitivity"].n) == (2, 2)
    assert counted["pixels"]["dice"].n == 2 * left_out["pixels"]["dice"].n > 0


@pytest.mark.parametrize(
    ("method", "named", "stand", "precision"),
    [
        ("majority", (("anna", "bert"), ("anna",)), 1, 1),
        ("majority", (("anna", "bert", "carl"), ("anna", "bert"), ("carl",)), 2, 2 / 3),
        # STAPLE gives 0.998 and three times 0.396.
        ("staple", (("anna", "bert"), ("anna",), ("anna",), ("anna",)), 1, 1),
    ],
)
def test_what_raters_leave_undecided_is_neither_required_nor_false(tmp_path, method, named, stand, precision):
    raters = ("anna", "bert", "carl") if len(named) > 2 else ("anna", "bert")
    spans = [(1 + 1.5 * k, 1.4 + 1.5 * k, 60, 60) for k in range(len(named))]
    for rater in raters:
        theirs = [span for span, names in zip(spans, named, strict=True) if rater in names]
        write_label(tmp_path / "l", "a", rater, theirs)
    found = [(*span, 0.9) for span in spans]
    folders = {
        name: write_predictions(tmp_path / name, [{"clip_id": "a", "subject": "s", "events": events}])
        for name, events in (("all", found), ("sure", found[:stand]))
    }
    rules = replace(RULES, consensus=ConsensusRule(method, 2))
    judged = bench(folders, tmp_path / "l", tmp_path / "o", rules, "consensus")
    for result in judged.results[:2]:
        events = result.figures["events"]
        assert (events["recall"].value, events["recall"].n) == (1, stand), result.source.name
    assert judged.results[1].figures["events"]["precision"].value == 1
    assert judged.results[0].figures["events"]["precision"].value == pytest.approx(precision)
    metrics = read(tmp_path / "o")
    assert metrics["rules"]["ignored_certainty"] == ["possible"]
    assert metrics["reference"]["events"] == stand
    text = dict(write_methods(judged))["Reference"]
    assert f"{stand} fasciculations" in text
    assert "Events of certainty possible were neither misses nor false alarms" in text


def write_own_calls(root, calls):
    """Clips a, b, c with a twitch and d, e, f without, all of score 0.9, called as given."""
    for clip in "abcdef":
        write_label(root / "l", clip, "anna", [(1, 2, 40, 60)] if clip in "abc" else [])
    clips = [{"clip_id": clip, "subject": clip, "score": 0.9} for clip in "abcdef"]
    folder = write_predictions(root / "p", clips, heatmaps=False)
    return add_column(folder, "positive", calls)


def test_a_sources_own_calls_are_judged_whatever_the_threshold(tmp_path):
    folder = write_own_calls(tmp_path, ["yes", "no", "", "no", "yes", "no"])
    found = bench({"net": folder}, tmp_path / "l", tmp_path)
    metrics = read(tmp_path)
    own = metrics["clips"]["own_sensitivity"], metrics["clips"]["own_specificity"]
    assert [(each["value"], each["n"]) for each in own] == [(0.5, 2), (pytest.approx(2 / 3), 3)]
    assert own[1]["ci95"][0] <= 2 / 3 <= own[1]["ci95"][1]
    # At the threshold of the benchmark every clip is positive.
    assert (metrics["clips"]["sensitivity"]["value"], metrics["clips"]["specificity"]["value"]) == (1, 0)
    assert metrics["own_calls"] == {"clips": 5, "left_out": 1}
    assert any(line.startswith("net: 1 of 6 clips have an empty cell") for line in metrics["warnings"])
    assert "operating point of its own" in dict(write_methods(found))["Figures"]
    rows = list(csv.DictReader(write_tables(found, tmp_path / "tables")[-2].open()))
    assert [row["own_call"] for row in rows] == ["1", "0", "", "0", "1", "0"]
    page = write_report(found, tmp_path).read_text()
    assert (
        "Clips that a source itself calls positive" in page and "<td>5</td><td>1</td><td><b>0.50</b>" in page
    )


@pytest.mark.parametrize("empty", [True, False])
def test_without_calls_of_its_own_a_source_has_no_figures_of_them(study, tmp_path, empty):
    predictions, labels = study
    if empty:
        predictions = write_own_calls(tmp_path, [""] * 6)
        labels = tmp_path / "l"
    found = bench({"net": predictions}, labels, tmp_path)
    metrics = read(tmp_path)
    for name in ("own_sensitivity", "own_specificity"):
        assert metrics["clips"][name]["value"] is None and "itself" in metrics["clips"][name]["reason"]
    assert metrics["own_calls"] is None and not any("positive`" in line for line in metrics["warnings"])
    assert "operating point of its own" not in dict(write_methods(found))["Figures"]
    assert "Clips that a source itself" not in write_report(found, tmp_path).read_text()


@pytest.mark.parametrize(
    ("rule", "says"),
    [(ConsensusRule("majority", 3), "min_raters=3"), (ConsensusRule("staple", 2), "STAPLE takes 3 to 8")],
)
def test_too_few_others_for_a_consensus_end_no_benchmark_and_say_so(study, tmp_path, rule, says):
    predictions, labels = study
    shutil.copytree(labels, tmp_path / "l")
    for path in sorted(labels.glob("*.bert.json")):
        content = json.loads(path.read_text()) | {"rater": "carl"}
        (tmp_path / "l" / path.name.replace("bert", "carl")).write_text(json.dumps(content))
    rules = replace(RULES, consensus=rule, margin=Margin("f1", 0.1))
    found = bench({"net": predictions}, tmp_path / "l", tmp_path, rules, "consensus", resamples=20)
    told = read(tmp_path)["interchangeability"]
    assert told["statement"] == "not defined" and says in told["reason"] and told["by_rater"] == {}
    assert told["mean_difference"]["value"] is None and told["margin"] == 0.1
    assert sum(says in line for line in found.warnings) == 1
    write_tables(found, tmp_path / "tables")
    page = write_report(found, tmp_path, draw_plots(found, tmp_path / "figures")).read_text()
    assert "Not defined</b> at a margin of 0.1 in f1" in page


def test_the_consensus_of_the_others_obeys_the_rules_of_the_reference(tmp_path):
    """What two of three others name is `probable`; a clip that one of them saw counts from min_raters=1."""
    both, first = [(1, 2, 40, 60), (5, 6, 40, 60)], [(1, 2, 40, 60)]
    for rater in "abcd":
        write_label(tmp_path / "l", "x", rater, both if rater in "ab" else first)
    for rater in "cd":
        write_label(tmp_path / "l", "y", rater, [])
    clips = [{"clip_id": "x", "events": [(1, 2, 40, 60, 0.9)]}, {"clip_id": "y"}]
    folder = write_predictions(tmp_path / "p", clips, heatmaps=False)

    def judge(min_raters, *ignored):
        rules = replace(RULES, margin=Margin("sensitivity", 0.1), ignored_certainty=frozenset(ignored))
        rules = replace(rules, consensus=ConsensusRule("majority", min_raters))
        bench({"net": folder}, tmp_path / "l", tmp_path, rules, "c")
        return read(tmp_path)["interchangeability"]["by_rater"]["d"]["model"]

    assert (judge(2)["value"], judge(2)["n"]) == (0.5, 1)
    assert judge(2, "probable")["value"] == 1
    assert judge(1)["n"] == 2


def test_recall_counts_and_warns_of_the_subjects_with_events(tmp_path):
    for clip in "abcdef":
        write_label(tmp_path / "l", clip, "anna", [(1, 2, 40, 60)] if clip in "ab" else [])
    clips = [{"clip_id": c, "subject": "s" if c in "ab" else c, "events": []} for c in "abcdef"]
    found = bench({"net": write_predictions(tmp_path / "p", clips, heatmaps=False)}, tmp_path / "l", tmp_path)
    events = read(tmp_path)["events"]
    assert (events["recall"]["subjects"], events["false_alarms_per_min"]["subjects"]) == (1, 5)
    assert "recall: 1 subject: no interval, and nothing is shown about other subjects" in found.warnings
    assert "all figures: 5 subjects: the interval may cover less often than 95 % below 20" in found.warnings


def test_mm_go_by_the_shape_of_pixels_that_a_table_of_scores_states(tmp_path):
    """Found 15 px beside a box of half-width 12: 0.3 mm of square pixels, 0.9 of those thrice as wide."""
    for rater, x in (("anna", 40), ("bert", 40), ("carl", 55)):
        write_label(tmp_path / "l", "x", rater, [(1, 2, x, 60)])
    clips = [{"clip_id": "x", "subject": "s", "events": [(1, 2, 55, 60, 0.9)]}]
    rules = replace(RULES, matching=MatchingRule("main", max_distance_mm=0.5), margin=Margin("f1", 0.1))
    found = {}
    for aspect in ("", "1", "3"):
        folder = write_predictions(tmp_path / f"p{aspect}", clips)
        add_column(folder, "pixel_aspect", [aspect])
        bench({"net": folder}, tmp_path / "l", tmp_path / aspect, rules)
        found[aspect] = read(tmp_path / aspect)
        recall = 0.0 if aspect == "3" else 1.0
        assert found[aspect]["events"]["recall"]["value"] == recall
        assert found[aspect]["event_curve"]["average_precision"]["value"] == recall
        assert found[aspect]["agreement"]["net_vs_bert"]["f1"]["value"] == recall
        # bert left out: anna and carl name one event, or two of which each is `possible`.
        model = found[aspect]["interchangeability"]["by_rater"]["bert"]["model"]
        assert (model["value"] is None) == (aspect == "3")
    assert found[""] == found["1"]
    near, far = (found[aspect]["pixels"]["boundary_mm"]["value"] for aspect in ("1", "3"))
    assert near < far <= 3 * near


def test_clips_without_any_event_are_defined(tmp_path):
    for clip in "ab":
        write_label(tmp_path / "l", clip, "r", [])
    folder = write_predictions(tmp_path / "p", [{"clip_id": c, "subject": c, "score": 0.1} for c in "ab"])
    bench({"net": folder}, tmp_path / "l", tmp_path / "o", reference=None)
    metrics = read(tmp_path / "o")
    for section, name in (("events", "f1"), ("clips", "auroc"), ("pixels", "dice"), ("counts", "icc")):
        assert metrics[section][name]["value"] is None and metrics[section][name]["reason"]
    assert metrics["events"]["false_alarms_per_min"]["value"] == 0
    assert metrics["clips"]["specificity"]["value"] == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reference": None}, "anna, bert"),
        ({"reference": "carl"}, "carl"),
        ({"names": ("anna",)}, "names two sources"),
    ],
)
def test_refuses_what_is_not_clear(study, tmp_path, change, says):
    predictions, labels = study
    folders = dict.fromkeys(change.get("names", ("net",)), predictions)
    with pytest.raises(SettingError, match=says):
        bench(folders, labels, tmp_path, reference=change.get("reference", "anna"))


def test_refuses_predictions_of_other_clips(study, tmp_path):
    folder = write_predictions(tmp_path / "p", [{"clip_id": "elsewhere"}])
    with pytest.raises(SettingError, match="clip_id"):
        bench({"net": folder}, study[1], tmp_path / "o")


def test_refuses_two_subjects_for_one_clip(tmp_path):
    write_label(tmp_path / "l", "a", "r", [])
    folders = {n: write_predictions(tmp_path / n, [{"clip_id": "a", "subject": n}]) for n in ("p", "q")}
    with pytest.raises(SettingError, match="p and q"):
        bench(folders, tmp_path / "l", tmp_path / "o", reference=None)


def test_report_tables_and_plots(study, tmp_path):
    predictions, labels = study
    found = bench({"<script>net": predictions}, labels, tmp_path)
    tables = {
        path.name: list(csv.DictReader(path.open())) for path in write_tables(found, tmp_path / "tables")
    }
    plots = draw_plots(found, tmp_path / "figures")
    assert {"froc", "roc", "reliability", "bland_altman"} <= {plot.name for plot in plots}
    page = write_report(found, tmp_path, plots).read_text()
    assert page.count("data:image/png;base64,") == len(plots)
    assert "not a medical device" in page and "Not measured on this data" in page
    assert "<script" not in page, "names are escaped, and no script is needed"
    assert not re.search(r"(src|href)=\"(?!data:|#)", page) and "http" not in page and "@import" not in page
    precision = found.results[0].figures["events"]["precision"]
    assert f"<b>{precision.value:.2f}</b>" in page

    outcomes = [row["outcome"] for row in tables["events.csv"] if row["source"] == "<script>net"]
    assert outcomes.count("matched") / (
        outcomes.count("matched") + outcomes.count("false_alarm")
    ) == pytest.approx(precision.value)
    assert (
        float(next(r for r in tables["summary.csv"] if r["figure"] == "precision")["value"])
        == precision.value
    )
    assert len(tables["clips.csv"]) == 2 * 24
    # 10 coefficients of seconds and of clips, F1 and two ICC of each pair; three of all raters, on both.
    assert len(tables["agreement.csv"]) == 3 * (2 * 9 + 3) + 2 * 3
    assert {row["figure"] for row in tables["comparisons.csv"]} >= {"f1", "recall", "count_icc"}
    assert {row["group"] for row in tables["subgroups.csv"]} == {"biceps", "tibialis", "L"}
    assert not tables["interchangeability.csv"]


def test_report_stands_without_scores_or_events(tmp_path):
    write_label(tmp_path / "l", "a", "r", [])
    folder = write_predictions(tmp_path / "p", [{"clip_id": "a"}], heatmaps=False)
    found = bench({"net": folder}, tmp_path / "l", tmp_path / "o", reference=None)
    page = write_report(found, tmp_path / "o", draw_plots(found, tmp_path / "o")).read_text()
    assert "no reference event" in page
