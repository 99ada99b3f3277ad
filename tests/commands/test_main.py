from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fascnet import __version__
from fascnet.commands import train
from fascnet.commands.config import name_module
from fascnet.commands.main import VERBS, main, run
from fascnet.errors import DeviceError

ROOT = Path(__file__).resolve().parents[2]
SLOW = {
    "torch",
    "hydra",
    "omegaconf",
    "lightning",
    "cv2",
    "pandas",
    "scipy",
    "matplotlib",
    "albumentations",
    "av",
}


def import_light(*arguments: str) -> str:
    """Run a command in a fresh process; fail if it imported anything slow."""
    code = (
        "import json, sys\n"
        "from fascnet.commands.main import run\n"
        f"assert run({list(arguments)!r}) == 0\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert not SLOW & set(json.loads(done.stderr))
    return done.stdout


def test_help_lists_the_verbs_at_once() -> None:
    said = import_light("--help")
    assert all(f"  {verb} " in said for verb in VERBS)
    assert "not a medical device" in said


@pytest.mark.parametrize(
    ("verb", "keys"),
    [
        (
            "phantom",
            [
                "output: ???",
                "# phantom=… is one of: benchmark, hard, quick, standard",
                "# phantom/scan=… is one of: ",
                "phantom.clips_per_subject: 4",
                # Of the chosen preset, and of the one that it changes.
                "phantom.scan.height_px: [192, 192]",
                "phantom.scan.scatterers_per_cell:",
            ],
        ),
        ("phantom card", ["output: ???", "subjects:", "phantom.scan.height_px:"]),
        (
            "implant",
            [
                "input: ???",
                "# phantom/twitches@twitches=… is one of: ",
                "twitches.peak_mm:",
                "confounders.drift_share: 0.0",
            ],
        ),
        ("check", ["root: ???"]),
        (
            "train",
            [
                "data.root: ???",
                "batch_size:",
                "epochs:",
                "widths:",
                "flip_p:",
                "trainer=… is one of: cpu, ddp, gpu",
            ],
        ),
        ("predict", ["input: ???", "device: auto", "detector=… is one of:"]),
        ("benchmark", ["predictions: ???", "labels: ???"]),
    ],
)
def test_help_of_a_verb_shows_its_keys_at_once(verb: str, keys: list[str]) -> None:
    said = import_light(*verb.split(), "--help")
    assert f"usage: fascnet {verb}" in said
    assert [key for key in keys if key not in said] == []


def test_a_reader_that_has_seen_enough_is_no_fault() -> None:
    """`fascnet phantom --help | head -1`."""
    code = "from fascnet.commands.main import main; main(['phantom', '--help'])"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_runs_from_a_checkout_too(verb: str) -> None:
    script = ROOT / "scripts" / f"{name_module(verb)}.py"
    done = subprocess.run([sys.executable, str(script), "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"fascnet {verb}: ")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"fascnet {__version__}\n"


def test_no_verb_is_help_and_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "usage: fascnet VERB" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["trian"], "there is no verb 'trian'; choose one of: phantom, phantom card, implant, import-labels"),
        (["phantom", "crad"], "'crad' is no setting"),
        (["phantom", "card", "sede=3"], "phantom card: there is no key 'sede'; did you mean 'seed'?"),
        (["phantom", "card"], "phantom card: give output=… (see: fascnet phantom card --help)"),
        (["phantom", "output=null"], "phantom: give output=…"),
        (["train", "data.rot=x"], "did you mean 'data.root'?"),
        (["train"], "give data.root=…, output=…"),
        (["predict", "input=x"], "give output=…"),
    ],
)
def test_faults_are_one_line_and_exit_code_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("fascnet: ")
    assert told in line


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (DeviceError("no\n  device"), 2, "fascnet: no device\n"),
        (KeyboardInterrupt(), 130, "fascnet: stopped; what was already written is whole\n"),
        (KeyboardInterrupt("go on with resume=true"), 130, "fascnet: go on with resume=true\n"),
    ],
)
def test_errors_become_exit_codes(
    error: BaseException,
    code: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(config: object) -> int:
        raise error

    monkeypatch.setattr(train, "run", fail)
    assert run(["train", "data.root=x", "output=y"]) == code
    assert capsys.readouterr().err == told


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(config: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(train, "run", fail)
    with pytest.raises(ZeroDivisionError):
        run(["train", "data.root=x", "output=y"])
