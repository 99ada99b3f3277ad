"""Speed and memory of the model that ships, as ratios to anchors in the same run: what holds across machines.

    python scripts/benchmark_speed.py [mode=full] [threads=1] [rounds=7] [output=FILE.json] [model=FILE]

One script, one process, one run. Gates come first (streaming equals the whole clip at once, accuracy beats
the best smoothed Farneback on a phantom made here); then every candidate is timed in every round, in a new
order; then the stages from file to overlay, the real `fascnet predict` from outside, and peak memory by
length. Goals, floors and the rules of comparison: docs/speed.md. Anchors that are not installed (MONAI,
segmentation-models-pytorch) are named as such; put them on PYTHONPATH to have them.

`mode=quick` times the network, Farneback, DIS and the frame difference in three rounds and is judged at 0.7
of the floors. With `threads=2` the clock counts and nothing is judged. `seed` (0) moves the phantom and the
order of candidates.

Exit code 0 when every floor that was judged is reached, 1 when one is missed or a gate fails, 2 for wrong
settings, 3 when the machine was too noisy for a verdict.
"""

from __future__ import annotations

import os
import sys

# Before torch and OpenCV are imported: they read it once. Spinning threads cost 2.5-22 times on a shared CPU.
os.environ.update(
    OMP_NUM_THREADS=next((a.partition("=")[2] for a in sys.argv if a.startswith("threads=")), "1"),
    OMP_WAIT_POLICY="PASSIVE",
    GOMP_SPINCOUNT="0",
)

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import torch
from key_values import read_key_values
from speed import goals, rounds
from speed.candidate import Candidate, Missing, check_contract
from speed.classical import list_classical
from speed.frames import FPS, draw_images
from speed.gates import Gate, check_accuracy, check_streaming, make_phantom, measure_accuracy
from speed.machine import describe_machine, read_load
from speed.memory import MODES, fits, measure_peak, run_child
from speed.networks import DEFAULT_CHUNK, list_anchor_networks, list_network_candidates
from speed.pipeline import EndToEnd, Stage, time_command, time_stages
from speed.report import Result, Row, make_row, write_markdown, write_result

from fascnet.errors import FascnetError, SettingError
from fascnet.inference.network import load_network_predictor

ANCHOR = "Farneback"
NETWORK = f"network, chunk {DEFAULT_CHUNK}"
LARGE = f"network 480x640, chunk {DEFAULT_CHUNK}"
PHANTOM_SEED = 20_000_000
"""Far from the seeds that models are trained on."""

TO_NETWORK = {
    "G2": "MONAI UNet3D, sliding window",
    "G3": "DynUNet, tile",
    "G4": "Lucas-Kanade, every pixel",
    "G5": "RAFT-small",
    "G6": "SMP Unet resnet18",
}


@dataclass(frozen=True)
class Settings:
    """What the command line asks for."""

    mode: str = "full"
    threads: int = 1
    rounds: int = 0
    output: str | None = None
    model: str | None = None
    seed: int = 0

    @property
    def quick(self) -> bool:
        """Whether this is a quick run."""
        return self.mode == "quick"


def read_settings(arguments: Sequence[str]) -> Settings:
    """Read `key=value` arguments.

    Raises:
        SettingError: a key or a value is not one of those.
    """
    given = read_key_values(arguments, dict.fromkeys(Settings.__dataclass_fields__, ""))
    given = {key: value for key, value in given.items() if value}
    numbers = {key: given.pop(key) for key in ("threads", "rounds", "seed") if key in given}
    wrong = [f"{key}={text}" for key, text in numbers.items() if not text.isdecimal()]
    if wrong or given.get("mode", "full") not in {"quick", "full"}:
        raise SettingError(
            f"{(wrong or ['mode=' + given['mode']])[0]}: give a whole number; mode is quick or full"
        )
    found = Settings(**given, **{key: int(text) for key, text in numbers.items()})  # type: ignore[arg-type]
    if not 1 <= found.threads <= 64:
        raise SettingError(f"threads={found.threads}: give 1 to 64")
    return found


def list_candidates(settings: Settings) -> list[Candidate | Missing]:
    """List everything that is timed, and what would be if it were installed."""
    anchors: list[Candidate | Missing] = [] if settings.quick else list_anchor_networks()
    ours = list_network_candidates(settings.model, settings.quick)
    return [*ours, *list_classical(settings.quick), *anchors]


def check_gates(
    settings: Settings, scratch: Path, candidates: Sequence[Candidate | Missing]
) -> tuple[list[Gate], dict[str, float | None]]:
    """Try every gate; return them, and the pixel average precision of what can be scored by it."""
    gates = check_streaming(settings.model, draw_images(40, 128, 160))
    clips, seconds = (3, 2.0) if settings.quick else (8, 5.0)
    phantom, labels = make_phantom(scratch / "phantom", clips, seconds, PHANTOM_SEED + settings.seed)
    gates.append(check_accuracy(phantom, labels, settings.model))
    fast = {"Farneback", "DIS ultrafast", "frame difference", "MOG2"}
    precisions = {
        c.name: measure_accuracy(c, phantom, labels, settings.model)
        for c in candidates
        if isinstance(c, Candidate) and c.name in fast
    }
    ours = {c.name: gates[-1].value for c in candidates if c.name.startswith("network, chunk")}
    return gates, {**precisions, **ours}


def measure_memory(settings: Settings) -> dict[str, dict[int, float]]:
    """Measure the peaks, a process each."""
    lengths = {"stream": (100, 300), "whole": (100,)}
    if not settings.quick:
        lengths = {"stream": (100, 300, 1000, 3000), "whole": (100, 300, 1000)}
    script = Path(__file__).resolve()
    # The allocator's luck is worth 10 MiB; it only ever adds, so the smaller of two is nearer to the need.
    repeats = {"stream": 1 if settings.quick else 2, "whole": 1}
    found: dict[str, dict[int, float]] = {mode: {} for mode in MODES}
    for mode, peaks in found.items():
        for n in lengths[mode]:
            if mode == "whole" and len(peaks) == 2 and not fits(peaks, n):
                tell(f"the whole clip of {n} frames at once would not fit; left out")
                continue
            peaks[n] = min(measure_peak(script, mode, n, settings.model) for _ in range(repeats[mode]))
    return found


def measure_pipeline(settings: Settings, scratch: Path) -> tuple[list[Stage], EndToEnd]:
    """Time the stages and the whole command."""
    predictor = load_network_predictor(settings.model, "cpu", chunk_frames=DEFAULT_CHUNK)
    images = draw_images(60 if settings.quick else 150, 480, 640)
    stages = time_stages(scratch, images, predictor, 1 if settings.quick else 5)
    return stages, time_command(scratch, images, predictor, settings.model, 4 if settings.quick else 8)


def judge_all(
    settings: Settings,
    windows: rounds.Windows,
    missing: Mapping[str, str],
    gates_passed: bool,
    end_to_end: EndToEnd,
    peaks: Mapping[str, Mapping[int, float]],
    spread: float,
) -> list[goals.Verdict]:
    """Judge every goal."""
    by_clock = settings.threads > 1
    terms = goals.Terms(settings.quick, gates_passed, not by_clock and spread <= rounds.TOO_NOISY)
    found = []
    pairs = {"G1": ANCHOR, **TO_NETWORK}
    for key, anchor in pairs.items():
        ratio = rounds.compare(windows, anchor, NETWORK, by_clock) if anchor in windows else None
        note = missing.get(anchor, "left out of a quick run") if ratio is None else ""
        found.append(goals.judge(key, None if ratio is None else ratio.median, terms, note))
    for key, name in (("G7a", NETWORK), ("G7b", LARGE)):
        factor = 1 / (FPS * rounds.measure_per_frame(windows[name], by_clock))
        found.append(goals.judge(key, factor, terms, "absolute: of this machine"))
    found.append(goals.judge("G8", end_to_end.ratio, terms))
    stream, whole = peaks["stream"], peaks["whole"]
    short, long = (100, 300) if settings.quick else (300, 3000)
    found.append(goals.judge_growth(stream[short], stream[long], terms))
    longest = max(whole)
    value = None if settings.quick else whole[longest] / max(stream[longest], 1.0)
    note = "left out of a quick run" if settings.quick else f"{longest} frames"
    return [*found, goals.judge("G10", value, terms, note)]


def make_rows(
    candidates: Sequence[Candidate | Missing],
    windows: rounds.Windows,
    precisions: Mapping[str, float | None],
    by_clock: bool,
) -> list[Row]:
    """Make the ratio table; pictures of different sizes are not compared."""
    found = []
    for each in candidates:
        if isinstance(each, Missing):
            found.append(make_row(each))
            continue
        small = each.size == "256x256"
        anchor = ANCHOR if small else "Farneback 480x640"
        to_farneback = rounds.compare(windows, anchor, each.name, by_clock) if anchor in windows else None
        to_network = rounds.compare(windows, each.name, NETWORK if small else LARGE, by_clock)
        per_frame_ms = 1000 * rounds.measure_per_frame(windows[each.name], by_clock)
        found.append(make_row(each, to_farneback, to_network, per_frame_ms, precisions.get(each.name)))
    return found


def run(settings: Settings, scratch: Path) -> Result:
    """Measure everything."""
    load_before, by_clock = read_load(), settings.threads > 1
    candidates = list_candidates(settings)
    usable = [each for each in candidates if isinstance(each, Candidate)]
    images = {"256x256": draw_images(300, 256, 256), "480x640": draw_images(240, 480, 640)}
    for each in usable:
        check_contract(each, images[each.size][: min(each.n_frames, 17)])
    tell("gates")
    gates, precisions = check_gates(settings, scratch, candidates)
    tell("rounds")
    n_rounds = settings.rounds if settings.rounds > 0 else (3 if settings.quick else 7)
    windows = rounds.time_rounds(usable, images, n_rounds, settings.seed)
    tell("pipeline")
    stages, end_to_end = measure_pipeline(settings, scratch)
    tell("memory")
    peaks = measure_memory(settings)
    spread = rounds.measure_spread(windows[ANCHOR], by_clock)
    missing = {each.name: each.reason for each in candidates if isinstance(each, Missing)}
    passed = all(gate.passed for gate in gates)
    verdicts = judge_all(settings, windows, missing, passed, end_to_end, peaks, spread)
    return Result(
        mode=settings.mode,
        threads=settings.threads,
        settings=asdict(settings),
        machine=describe_machine(),
        load_before=load_before,
        load_after=read_load(),
        spread=spread,
        gates=gates,
        windows=windows,
        rows=make_rows(candidates, windows, precisions, by_clock),
        stages=stages,
        end_to_end=end_to_end,
        peaks_mib=peaks,
        verdicts=verdicts,
    )


def tell(stage: str) -> None:
    """Say on stderr what is being measured."""
    print(f"benchmark_speed: {stage} …", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Measure, print, judge."""
    cv2.setNumThreads(int(os.environ["OMP_NUM_THREADS"]) if os.environ["OMP_NUM_THREADS"].isdecimal() else 1)
    if arguments[:1] and arguments[0].startswith("memory="):
        given = read_key_values(arguments, dict.fromkeys(("memory", "frames", "model"), ""))
        print(run_child(given["memory"], int(given["frames"]), given["model"] or None))
        return 0
    try:
        settings = read_settings(arguments)
        torch.set_num_threads(settings.threads)
        with tempfile.TemporaryDirectory() as scratch:
            result = run(settings, Path(scratch))
        print(write_markdown(result))
        if settings.output is not None:
            print(f"written: {settings.output} and {write_result(result, Path(settings.output))}")
    except FascnetError as error:
        print(f"benchmark_speed: {error}", file=sys.stderr)
        return 2
    if result.spread > rounds.TOO_NOISY:
        print(
            f"benchmark_speed: noisy machine (anchor max/min {result.spread:.2f}): no verdict",
            file=sys.stderr,
        )
        return 3
    if result.spread > rounds.NOISY:
        print(f"benchmark_speed: a noisy machine (anchor max/min {result.spread:.2f})", file=sys.stderr)
    bad = [verdict for verdict in result.verdicts if verdict.word in {"missed", "invalid"}]
    return int(bool(bad) or not all(gate.passed for gate in result.gates))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
