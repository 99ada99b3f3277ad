"""The rules of the house, checked on every file: layers, what may be imported where, what mirrors what."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "fascnet"
MODULES = sorted(PACKAGE.rglob("*.py"))

LAYER = {
    "commands": 6,
    "training": 5,
    "evaluation": 4,
    "baselines": 3,
    "inference": 3,
    "data": 2,
    "phantom": 2,
    "models": 1,
    "types": 0,
    "measurements": -1,
    "regions": -2,
    "spacing": -2,
    "errors": -3,
}
"""A room imports from its own layer or those below."""

TESTED_ELSEWHERE = {
    "data/recording/find_clips.py": "tests/data/recording/test_recordings.py, by the name it is used under",
    "data/labelling/label_format.py": "tests/data/labelling/test_labels.py writes and reads the format",
    "data/label_forms/rater_events.py": "tests/data/label_forms/test_settle.py: every kind of span",
    "data/recording/dicom_geometry.py": "tests/data/recording/test_dicom.py: spacing and boxes of recordings",
    "data/recording/luma.py": "tests/data/recording/test_video.py: grey values of every pixel format",
    "inference/progress.py": "tests/commands/test_predict.py: the lines it prints",
    "phantom/chance.py": "the seeds of every phantom test",
    "phantom/movement/geometry.py": "tests/phantom/movement/test_territory.py and those of every movement",
    "phantom/scan/scanner_choice.py": "tests/phantom/body/test_subject.py draws scanners",
    "phantom/recording/screen_desk.py": "tests/phantom/recording/test_screen_styles.py lays out every style",
    "phantom/recording/screen_layout.py": "tests/phantom/recording/test_screen.py composes it",
    "phantom/recording/screen_marks.py": "tests/phantom/recording/test_screen.py and test_scene.py",
    "phantom/card/describe.py": "tests/phantom/card/test_make.py writes a card",
    "phantom/card/page.py": "tests/phantom/card/test_make.py reads the page",
    "phantom/card/pictures.py": "tests/phantom/card/test_make.py embeds them",
    "phantom/card/plots.py": "tests/phantom/card/test_make.py embeds them",
    "phantom/card/published.py": "tests/phantom/card/test_measured.py and test_make.py",
    "phantom/card/simulated.py": "tests/phantom/card/test_make.py",
    "phantom/card/sources.py": "tests/phantom/card/test_real.py",
    "evaluation/matching/distance.py": "tests/evaluation/matching/test_match.py",
    "evaluation/matching/matching_rule.py": "tests/evaluation/matching/test_match.py",
    "evaluation/matching/pairing.py": "tests/evaluation/matching/test_match.py",
    "evaluation/figures/muscles.py": "tests/evaluation/figures/test_patients.py",
    "evaluation/figures/score_table.py": "tests/evaluation/figures/test_operating_curves.py",
    "evaluation/report/page.py": "tests/evaluation/test_benchmark.py writes the page",
    "evaluation/report/page_rows.py": "tests/evaluation/test_benchmark.py reads the page",
    "evaluation/report/methods_text.py": "tests/evaluation/test_benchmark.py reads the page",
    "evaluation/report/csv_tables.py": "tests/evaluation/test_benchmark.py",
    "evaluation/metrics_file.py": "tests/evaluation/test_benchmark.py reads the file",
    "evaluation/outcome.py": "tests/evaluation/test_benchmark.py and sources/test_missing.py",
    "evaluation/rules.py": "tests/commands/test_benchmark.py: every wrong rule is one line",
    "evaluation/scoring.py": "tests/evaluation/test_benchmark.py",
    "evaluation/study_warnings.py": "tests/evaluation/test_benchmark.py, tests/commands/test_benchmark.py",
    "evaluation/cuts/clip_groups.py": "tests/commands/test_benchmark.py: columns of a table",
    "evaluation/figures/clip_scores.py": "tests/evaluation/test_benchmark.py: known answers",
    "evaluation/figures/event_scores.py": "tests/evaluation/report/test_event_plots.py and test_benchmark.py",
    "evaluation/figures/heatmaps.py": "tests/evaluation/test_benchmark.py, and test_pixels.py below it",
    "evaluation/raters/pair_agreement.py": "tests/evaluation/test_benchmark.py, test_rating_tables.py",
    "commands/benchmark_rules.py": "tests/commands/test_benchmark.py",
}
"""Modules without a test file of their own name, and where they are tested."""


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def find_imports(path: Path) -> Iterator[str]:
    """Yield every imported module's full name, wherever in the file the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}: relative import; write the full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def find_room(module: str) -> str:
    """`fascnet.data.recording.video` -> `data`; the package itself belongs to nobody."""
    parts = module.split(".")
    return parts[1].removesuffix(".py") if len(parts) > 1 else ""


def test_there_is_something_to_check() -> None:
    rooms = {find_room("fascnet." + ".".join(path.relative_to(PACKAGE).parts)) for path in MODULES}
    assert rooms - {"__init__"} == set(LAYER)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_layers(path: Path) -> None:
    own = find_room("fascnet." + ".".join(path.relative_to(PACKAGE).parts))
    for imported in find_imports(path):
        if not imported.startswith("fascnet."):
            continue
        room = find_room(imported)
        if room == "__version__":
            continue
        assert LAYER[room] <= LAYER[own], f"{name(path)} is in {own}, must not know {imported}"
        # Rooms side by side do not know each other; only the phantom writes a data set.
        beside = LAYER[room] == LAYER[own] and room != own
        assert not beside or (own, room) == ("phantom", "data"), f"{name(path)}: {imported}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_frameworks_stay_in_their_rooms(path: Path) -> None:
    roots = {imported.split(".")[0] for imported in find_imports(path)}
    where = name(path)
    if not where.startswith("commands/"):
        assert not roots & {"hydra", "omegaconf"}
    if not where.startswith("training/") and where != "data/training_input/datamodule.py":
        assert not roots & {"lightning", "pytorch_lightning"}
    if where.startswith("evaluation/") or where in {"types.py", "measurements.py", "regions.py", "errors.py"}:
        assert not roots & {"torch", "torchvision"}
    if where in {"types.py", "measurements.py", "regions.py", "errors.py"}:
        assert roots <= {"__future__", "collections", "dataclasses", "fascnet", "numpy", "pathlib", "typing"}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_nothing_runs_code_from_files_or_reaches_the_network(path: Path) -> None:
    roots = {imported.split(".")[0] for imported in find_imports(path)}
    pickles = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    network = {"requests", "urllib", "http", "socket", "httpx", "aiohttp", "huggingface_hub", "wandb"}
    assert not roots & (pickles | network)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        assert called not in {"eval", "exec", "compile", "__import__", "os.system", "torch.load"}, called
        assert not called.endswith(("read_pickle", "to_pickle")), called
        allow = [keyword for keyword in node.keywords if keyword.arg == "allow_pickle"]
        assert all(ast.unparse(keyword.value) == "False" for keyword in allow), ast.unparse(node)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_errors_are_named_and_asserts_are_not_used_for_input(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            caught = "" if node.type is None else ast.unparse(node.type)
            assert caught not in {"", "Exception", "BaseException"}, f"line {node.lineno}: except {caught}"
        assert not isinstance(node, ast.Assert), f"line {node.lineno}: assert"


@pytest.mark.parametrize(
    "path", [*MODULES, *sorted((ROOT / "scripts").glob("*.py"))], ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_files_are_small_and_named_for_a_concern(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 400
    assert path.stem.strip("_") not in {"utils", "util", "helpers", "helper", "common", "misc"}
    assert path.name == "__init__.py" or ast.get_docstring(ast.parse("\n".join(lines))), "no module docstring"
    for number, line in enumerate(lines, start=1):
        assert "TODO" not in line and "FIXME" not in line, f"line {number}"
        assert not any(place in line for place in ("/work/", "/tmp/", "/home/")), f"line {number}"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.parent != PACKAGE and p.stem != "__init__"], ids=name
)
def test_tests_mirror_the_package(path: Path) -> None:
    mirror = ROOT / "tests" / path.parent.relative_to(PACKAGE) / f"test_{path.name}"
    listed = TESTED_ELSEWHERE.get(name(path), "")
    assert mirror.is_file() != bool(listed), (
        f"{mirror.relative_to(ROOT)} or a line in TESTED_ELSEWHERE, not both"
    )


def test_no_reason_is_left_over() -> None:
    assert not set(TESTED_ELSEWHERE) - {name(path) for path in MODULES}


def load_in_a_fresh_process(modules: list[str]) -> set[str]:
    code = f"import {', '.join(modules)}, sys; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_evaluation_runs_without_torch() -> None:
    modules = [
        "fascnet." + name(p).removesuffix(".py").replace("/", ".")
        for p in (PACKAGE / "evaluation").rglob("*.py")
        if p.stem != "__init__"
    ]
    loaded = load_in_a_fresh_process(modules)
    assert "scipy" in loaded
    assert not loaded & {"torch", "lightning", "hydra"}


def test_help_loads_nothing_slow() -> None:
    modules = [
        f"fascnet.commands.{p.stem}" for p in (PACKAGE / "commands").glob("*.py") if p.stem != "__init__"
    ]
    assert not load_in_a_fresh_process(modules) & {"torch", "cv2", "matplotlib", "pandas", "hydra", "numpy"}


def test_prediction_needs_neither_hydra_nor_lightning() -> None:
    loaded = load_in_a_fresh_process(["fascnet.inference.network", "fascnet.inference.study"])
    assert "torch" in loaded
    assert not loaded & {"hydra", "omegaconf", "lightning", "albumentations", "tensorboard"}
