"""`make demo`: the main job on phantom clips, in a few minutes, with the commands that a user would type.

python scripts/demo.py [output=demo] [seed=0] [clips=72]
"""

from __future__ import annotations

import csv
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from key_values import read_key_values

from fascnet.commands.main import run
from fascnet.errors import SettingError


def main(arguments: list[str]) -> int:
    """Run the demo and return an exit code."""
    try:
        settings = read_key_values(arguments, {"output": "demo", "seed": "0", "clips": "72"})
    except SettingError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    root, seed = Path(settings["output"]), settings["seed"]
    # Commands of a finished demo stay comparable: each run has a folder of its own seed.
    home = root / f"seed{seed}"
    phantom, model, found, report = home / "phantom", home / "run", home / "predictions", home / "benchmark"
    weights = model / "model.safetensors"
    steps = [
        f"phantom output={phantom} clips={settings['clips']} seed={seed} workers=2",
        f"check data.root={phantom}",
        f"train data.root={phantom} output={model} experiment=demo seed={seed} overwrite=true",
        f"predict input={phantom} split=test output={found} model={weights} overwrite=true",
        f"benchmark predictions={found} labels={phantom / 'labels'} output={report} input={phantom} "
        "split=test baselines=[farneback] farneback_bar=true workers=2 "
        f"clip_tables=[{phantom / 'clips.csv'}] subgroups=[muscle,amplitude,confounders]",
    ]
    seconds: dict[str, float] = {}
    for step in steps:
        print(f"\n$ fascnet {step}", flush=True)
        verb, *overrides = step.split(" ")
        start = time.monotonic()
        code = run([verb, *overrides])
        seconds[verb] = time.monotonic() - start
        if code != 0:
            print(f"demo: fascnet {verb} ended with exit code {code}", file=sys.stderr)
            return code
    print_summary(home, seconds)
    return 0


def print_summary(home: Path, seconds: dict[str, float]) -> None:
    """Print the ratio that matters, where to look, and what to do next."""
    metrics = json.loads((home / "benchmark" / "metrics.json").read_text(encoding="utf-8"))
    ap = metrics["pixels"]["average_precision"]["value"]
    bar = metrics["pixels"]["farneback_bar"]["value"]
    with (home / "predictions" / "scores.csv").open(newline="", encoding="utf-8") as file:
        shown = max(csv.DictReader(file), key=lambda row: int(row["n_events"]))["clip_id"]
    print("\n" + "  ".join(f"{verb} {took:.0f} s" for verb, took in seconds.items()))
    print(
        f"pixel average precision on the phantom's test subjects: network {ap:.3f}, best smoothed Farneback "
        f"(lags 1-5, sigma 0-3, chosen on these very clips) {bar:.3f}, ratio {ap / bar:.2f}"
    )
    print(f"report    {home / 'benchmark' / 'report.html'}")
    print(f"overlay   {home / 'predictions' / shown / 'overlay.mp4'}")
    print(f"summary   {home / 'predictions' / shown / 'summary.png'}")
    print("next      .venv/bin/fascnet predict input=YOUR_CLIP.mp4 output=out")
    print("          .venv/bin/fascnet train data.root=YOUR_DATA output=run   (its layout: data/README.md)")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
