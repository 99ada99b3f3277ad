"""The methods section of a paper: every rule that was used, in sentences, with the numbers of this study."""

from __future__ import annotations

import math

from fascnet import __version__
from fascnet.evaluation.benchmark import Benchmark
from fascnet.evaluation.figures.clip_scores import count_own_calls
from fascnet.evaluation.metrics_file import describe_reference
from fascnet.evaluation.raters.agreement import CELL_S
from fascnet.evaluation.reference import CONSENSUS
from fascnet.evaluation.report.rule_wording import word_rule
from fascnet.evaluation.rules import NOT_SCORED_RULES
from fascnet.evaluation.sources.missing import MISSING_WORDS

CONSENSUS_WORDS = {
    "majority": "an event stands when more than half of the raters who looked named it, and is possible when "
    "exactly half did or it hangs on raters who were unsure",
    "union": "an event stands when any rater named it, and is possible when only raters who were unsure did",
    "intersection": "an event stands when every rater who looked named it, and is possible when some of them "
    "were unsure",
    "staple": "an event stands from a posterior probability of 0.5 on, and is possible from 0.05 on, by "
    "STAPLE (Warfield et al. 2004)",
}


def write_methods(benchmark: Benchmark) -> list[tuple[str, str]]:
    """Write the methods as (heading, paragraph) pairs."""
    return [
        ("Reference", _word_reference(benchmark)),
        ("Matching of events", _word_matching(benchmark)),
        ("Figures", _word_figures(benchmark)),
        ("Muscles and patients", _word_muscles(benchmark)),
        ("Agreement", _word_agreement(benchmark)),
        ("Statistics", _word_statistics(benchmark)),
        ("Safeguards", _word_safeguards(benchmark)),
    ]


def _word_reference(benchmark: Benchmark) -> str:
    reference = describe_reference(benchmark)
    who = f"The labels of {benchmark.reference} were taken as true"
    if benchmark.reference == CONSENSUS:
        rule = benchmark.rules.consensus
        who = (
            f"The consensus of the raters was taken as true ({rule.method}: {CONSENSUS_WORDS[rule.method]}; "
            f"seconds seen by at least {rule.min_raters} raters)"
        )
    minutes = float(str(reference["examined_min"]))
    ignored = sorted(benchmark.rules.ignored_certainty)
    left = (
        f" Events of certainty {' or '.join(ignored)} were neither misses nor false alarms."
        if ignored
        else ""
    )
    return (
        f"{who}: {reference['events']} fasciculations in {reference['clips']} clips "
        f"({minutes:.1f} examined minutes) of {reference['subjects']} subjects. Only seconds that the "
        "reference and the judged source both examined "
        f"were scored; an event belongs to them when its midpoint does.{left}"
    )


def _word_matching(benchmark: Benchmark) -> str:
    rules = benchmark.rules
    once = (
        "Foci of one source that moved at one time were counted as one event."
        if rules.matching.simultaneous == "once"
        else "Foci that moved at one time were counted as separate events."
    )
    others = "; ".join(word_rule(rule) for rule in rules.reported)
    return (
        f"Found and reference events were matched one to one by optimal assignment: most matches first, then "
        "the smallest sum of time differences. A pair could match under this rule: "
        f"{word_rule(rules.matching)}. {once}"
        + (f" Event figures are also reported under these rules: {others}." if others else "")
    )


def _word_figures(benchmark: Benchmark) -> str:
    rules = benchmark.rules
    own = (
        " Calls that a source made itself, at an operating point of its own, were judged besides."
        if any(count_own_calls(result.outcomes)[0] for result in benchmark.results)
        else ""
    )
    return (
        "Events: precision, recall, F1 and false alarms per examined minute; free-response curves and "
        "average "
        "precision over event scores, matched anew at every score; errors of onset, peak and offset (found "
        "minus reference) of events matched under any overlap. Clips: a clip was positive in the reference "
        "when it held an event that counts; a source called it positive from a score of "
        f"{rules.clip_threshold:g}, or, without scores, from one event on.{own} Scores were judged by the "
        "area under the ROC curve, sensitivity at fixed specificity (threshold chosen anew in each "
        "resample), Brier score and expected calibration error (ten bins of equal width). "
        "Counts of events per clip: ICC(2,1) and "
        "ICC(3,1) (Shrout & Fleiss 1979), Spearman's rho, bias and 95 % limits of agreement (Bland & Altman "
        "1986), ratio of rates. Pixels: Dice, IoU and mean boundary distance of heatmap cells of probability "
        f"{rules.pixel_threshold:g} or more, and average precision; cells in an ignore ring, "
        "and moments of an event that does not count, were left out."
    )


def _word_muscles(benchmark: Benchmark) -> str:
    rules = benchmark.rules
    presence = rules.presence
    within = f" within {presence.window_s:g} s" if math.isfinite(presence.window_s) else ""
    scales = "; ".join(
        f"{scale.name.replace('_', ' ')} from {', '.join(f'{c:g}' for c in scale.cutoffs_per_min)} events "
        "per minute"
        for scale in rules.scales
    )
    events = "event" if presence.min_events == 1 else "events"
    return (
        f"A muscle fasciculated when it had {presence.min_events} {events}{within}. Grades rise at these "
        f"rates: {scales}. Grades were compared by quadratically weighted kappa (Fleiss & Cohen 1973), "
        "the number of positive muscles of a patient by the figures of counts."
    )


def _word_agreement(benchmark: Benchmark) -> str:
    text = (
        f"Agreement of every pair of sources was measured on cells of {CELL_S:g} s and on clips: Cohen's "
        "kappa (1960), "
        "Krippendorff's alpha, Gwet's AC1 (2008), PABAK, positive and negative agreement (Cicchetti & "
        "Feinstein 1990); for all raters together Fleiss' kappa (1971), alpha and AC1."
    )
    found = benchmark.interchangeability
    if found is not None:
        text += (
            f" Interchangeability: each rater in turn was left out, and the main source and that rater were "
            f"both scored against the consensus ({benchmark.rules.consensus.method}) of the others on the "
            "same seconds. The mean difference of "
            f"{found.figure.replace('_', ' ')} was held against a margin of {found.margin:g} that was set "
            "beforehand "
            "(Piaggio et al. 2012)."
        )
    return text


def _word_statistics(benchmark: Benchmark) -> str:
    if benchmark.resamples == 0:
        return "No intervals were computed."
    return (
        f"Intervals are 95 % intervals of {benchmark.resamples} bootstrap resamples of subjects (seed "
        f"{benchmark.seed}), bias-corrected and accelerated (Efron 1987), with levels widened for few "
        "subjects "
        "(Hesterberg 2015); where BCa is not defined they are percentile intervals, and the table says so. "
        "Differences between sources were computed on the same resampled subjects; their p values were "
        "adjusted over all comparisons by Holm's and by Benjamini and Hochberg's rule."
    )


def _word_safeguards(benchmark: Benchmark) -> str:
    parts = []
    for name, check in benchmark.seen.items():
        if check.status == "none_seen":
            parts.append(
                f"{name} was trained and tuned on {check.known_subjects} subjects, none of them here."
            )
        elif check.status == "seen_but_allowed":
            parts.append(
                f"{name} had seen subjects of {len(check.seen_clips)} clips; they were scored for this "
                f"reason: {check.reason}."
            )
        else:
            parts.append(f"Whether {name} had seen these subjects is not known: {check.reason}.")
    rule = MISSING_WORDS[benchmark.rules.missing]
    not_scored = NOT_SCORED_RULES[benchmark.rules.not_scored]
    return (
        f"{' '.join(parts)} Missing predictions: {rule}. Not scored: {not_scored}. "
        f"Computed with fascnet {__version__}, a research tool and not a medical device."
    )
