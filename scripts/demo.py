"""`make demo`: the whole main job on phantom clips, in a few minutes, with the commands that a user would type.

python scripts/demo.py [output=demo] [seed=0] [clips=72]
"""

from __future__ import annotations

import json
import shlex
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fascnet.commands.main import run


def main(arguments: list[str]) -> int:
    """Run the demo and return an exit code."""
    settings = {"output": "demo", "seed": "0", "clips": "72"}
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key not in settings or not value:
            print(
                f"demo: {argument} is not one of {', '.join(f'{name}=…' for name in settings)}",
                file=sys.stderr,
            )
            return 2
        settings[key] = value
    root, seed = Path(settings["output"]), settings["seed"]
    # Commands of a finished demo stay comparable: each run has a folder of its own seed.
    home = root / f"seed{seed}"
    phantom, model, found, report = home / "phantom", home / "run", home / "predictions", home / "benchmark"
    steps = [
        ["phantom", f"output={phantom}", f"clips={settings['clips']}", f"seed={seed}", "workers=2"],
        ["check", f"data.root={phantom}"],
        ["train", f"data.root={phantom}", f"output={model}", "experiment=demo", f"seed={seed}", "overwrite=true"],
        ["predict", f"input={phantom}", "split=test", f"output={found}", f"model={model / 'model.safetensors'}",
         "overwrite=true"],
        ["benchmark", f"predictions={found}", f"labels={phantom / 'labels'}", f"output={report}", f"input={phantom}",
         "split=test", "baselines=[farneback]", "farneback_bar=true", "workers=2"],
    ]  # fmt: skip
    seconds: dict[str, float] = {}
    for step in steps:
        print(f"\n$ fascnet {shlex.join(step)}", flush=True)
        start = time.monotonic()
        code = run(step)
        seconds[step[0]] = time.monotonic() - start
        if code != 0:
            print(f"demo: fascnet {step[0]} ended with exit code {code}", file=sys.stderr)
            return code
    print_summary(home, seconds)
    return 0


def print_summary(home: Path, seconds: dict[str, float]) -> None:
    """Print the ratio that matters, where to look, and what to do next."""
    metrics = json.loads((home / "benchmark" / "metrics.json").read_text(encoding="utf-8"))
    ap = metrics["pixels"]["average_precision"]["value"]
    bar = metrics["pixels"]["farneback_bar"]["value"]
    overlays = sorted(
        (home / "predictions").glob("*/overlay.mp4"), key=lambda p: p.stat().st_size, reverse=True
    )
    print("\n" + "  ".join(f"{verb} {took:.0f} s" for verb, took in seconds.items()))
    print(
        f"pixel average precision on the phantom's test subjects: network {ap:.3f}, best smoothed Farneback "
        f"(lags 1-5, sigma 0-3, chosen on these very clips) {bar:.3f}, ratio {ap / bar:.2f}"
    )
    print(f"report    {home / 'benchmark' / 'report.html'}")
    if overlays:
        print(f"overlay   {overlays[0]}")
        print(f"summary   {overlays[0].with_name('summary.png')}")
    print("next      .venv/bin/fascnet predict input=YOUR_CLIP.mp4 output=out")
    print(
        "          .venv/bin/fascnet train data.root=YOUR_DATA output=run   (how to lay it out: data/README.md)"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
