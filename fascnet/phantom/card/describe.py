"""What `card.json` holds: every figure with its range, verdict and source, as plain values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fascnet import __version__
from fascnet.phantom.card.auroc import Auroc
from fascnet.phantom.card.discriminator import AIM, PatchJudge
from fascnet.phantom.card.measured import WATCHED_S, Held, Values
from fascnet.phantom.card.patches import PATCH_PX, Patches
from fascnet.phantom.card.ranking import INFORMATIVE, INSIDE, OUTSIDE, Comparison, LinearJudge, rank
from fascnet.phantom.card.real import RealSet
from fascnet.phantom.card.sources import REGION_RULE, Source
from fascnet.phantom.settings import PhantomSettings

FORMAT = "fascnet-phantom-card/1"


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """All that was measured.

    Attributes:
        sources: real and phantom.
        statistics: one mapping a source.
        held: published figures.
        twitches: values behind `held`.
        comparisons: statistics, real against phantom; empty without real clips.
        linear: the linear discriminant without and with grey levels; empty without enough subjects.
        patches: what the network was shown; None without real clips.
        network: what the network says; None without enough subjects.
        real: the real side; None when none was given.
    """

    sources: tuple[Source, ...]
    statistics: tuple[dict[str, float], ...]
    held: tuple[Held, ...]
    twitches: Values
    comparisons: tuple[Comparison, ...]
    linear: tuple[LinearJudge, ...]
    patches: Patches | None
    network: PatchJudge | None
    real: RealSet | None


def describe_card(
    card: Card, settings: PhantomSettings, subjects: int, seed: int, epochs: int, pitch_mm: float
) -> dict[str, Any]:
    """Return the facts of a card; ends of open ranges are infinite.

    Args:
        card: what was measured.
        settings: what the phantom was drawn from.
        subjects: simulated subjects.
        seed: seed of everything.
        epochs: passes of the network, 0 when left out.
        pitch_mm: pitch of its patches.
    """
    rows = [asdict(each) | asdict(each.statistic) for each in rank(card.comparisons)]
    for row in rows:
        del row["statistic"]
    published = [
        {
            **{key: value for key, value in asdict(each.published).items() if key != "caution"},
            "value": each.median,
            "p10": each.low,
            "p90": each.high,
            "n": each.n,
            "inside_share": each.inside_share,
            "verdict": each.verdict,
            "reason": each.reason,
        }
        for each in card.held
    ]
    facts: dict[str, Any] = {
        "format": FORMAT,
        "made_by": f"fascnet {__version__}",
        "phantom": {"subjects": subjects, "seed": seed, "settings": settings.to_mapping()},
        "real": None if card.real is None else _describe_real(card.real),
        "summary": {
            "published": _count(each.verdict for each in card.held),
            "statistics": _count(row["verdict"] for row in rows),
        },
        "classifier": _describe_classifier(card, epochs, pitch_mm),
        "published": published,
        "statistics": rows,
        "rules": {
            "Region": REGION_RULE,
            "Rates": f"clips of {WATCHED_S:g} s with twitches, whatever length the settings say",
            "Network": f"patches of {PATCH_PX} px at {pitch_mm:g} mm, mean and deviation of each taken off; "
            "whole subjects held out on both sides, each of the same weight; nothing is chosen on them",
            "Intervals": "95 %, subjects of both sides resampled",
            "Spans": "with few real subjects a span is narrow or wide by chance; read the number of subjects",
        },
    }
    if card.patches is not None and card.patches.left_out:
        facts["rules"]["Without patches"] = "; ".join(card.patches.left_out)
    return facts


def _describe_real(real: RealSet) -> dict[str, Any]:
    sources = [
        {
            "name": source.name,
            "group": source.group,
            "kind": "clip" if source.is_clip else "pictures",
            "frames": len(source.frames),
            "height": source.frames.shape[1],
            "width": source.frames.shape[2],
            "fps": source.fps,
            "mm_per_px": source.mm_per_px,
            "is_assumed": source.is_assumed,
        }
        for source in real.sources
    ]
    return {
        "groups": len({source.group for source in real.sources}),
        "clips": sum(source.is_clip for source in real.sources),
        "stills": sum(not source.is_clip for source in real.sources),
        "sources": sources,
        "problems": list(real.problems),
    }


def _describe_classifier(card: Card, epochs: int, pitch_mm: float) -> dict[str, Any]:
    network = None
    if card.network is not None and card.patches is not None:
        network = _describe_auroc(card.network.auroc) | {
            "folds": card.network.folds,
            "epochs": epochs,
            "weights": card.network.weights,
            "pitch_mm": pitch_mm,
            "real_patches": int(card.patches.real.sum()),
            "phantom_patches": int((~card.patches.real).sum()),
        }
    linear = [
        _describe_auroc(judge.auroc) | {"folds": judge.folds, "weights": dict(judge.weights)}
        for judge in card.linear
    ]
    reason = "switched off" if epochs == 0 else "fewer than two subjects on a side"
    groups = _describe_groups(card.patches, card.network)
    return {"aim": AIM, "network": network, "linear": linear, "reason": reason, "groups": groups}


def _describe_groups(patches: Patches | None, network: PatchJudge | None) -> list[dict[str, Any]]:
    """Return what the network makes of each subject, the most real-looking first."""
    if patches is None or network is None:
        return []
    rows = []
    for name in sorted(set(patches.group.tolist())):
        chosen = patches.group == name
        score = network.score[chosen]
        rows.append(
            {
                "group": name,
                "side": "real" if patches.real[chosen][0] else "phantom",
                "patches": len(score),
                "mean_score": float(score.mean()),
                "taken_for_real": float((score > 0).mean()),
            }
        )
    return sorted(rows, key=lambda row: -row["mean_score"])


def _describe_auroc(auroc: Auroc) -> dict[str, float]:
    return {"auroc": auroc.value, "low": auroc.low, "high": auroc.high}


def _count(verdicts: Iterable[str]) -> dict[str, int]:
    listed = list(verdicts)
    return {verdict: listed.count(verdict) for verdict in (INSIDE, OUTSIDE, INFORMATIVE)}


def make_plain(value: Any) -> Any:
    """Return what JSON can hold: numbers that are not finite become null (an open end, or not defined)."""
    if isinstance(value, Mapping):
        return {key: make_plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [make_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
