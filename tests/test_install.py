"""The three forms in which fascnet runs: an installed wheel, an editable install, and a bare checkout."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = (
    "import fascnet; from fascnet.commands.config import compose_config, find_config_dir; "
    "config = compose_config('train', ['output=out', 'data.root=root', 'experiment=demo', 'trainer=gpu']); "
    "print(fascnet.__file__, find_config_dir(), config['trainer']['accelerator'], sep='\\n')"
)


def run_python(arguments: list[str], cwd: Path, first_on_path: Path | None = None) -> str:
    """Run Python without any editable install: `-S` reads no `.pth` file, and PYTHONPATH does not either."""
    paths = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    if first_on_path is not None:
        paths.insert(0, str(first_on_path))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-S", *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", "--target", str(folder)]
    command = [sys.executable, "-m", "pip", "install", *options, str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone holds of what is needed to run."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("fascnet", "configs", "scripts"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {path.relative_to(ROOT).as_posix() for path in (ROOT / "fascnet").rglob("*.py")}
    wanted |= {f"fascnet/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "configs").rglob("*.yaml")}
    wanted |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "fascnet").rglob("*.j2")}
    wanted |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "fascnet").glob("weights/*")}
    wanted |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "fascnet").glob("phantom/frozen/*")}
    assert "fascnet/evaluation/report/page.html.j2" in wanted
    package = {name for name in held if ".dist-info/" not in name}
    assert package == wanted
    assert any(name.endswith("licenses/LICENSE") for name in held)


def test_the_wheel_stays_small(wheel: Path) -> None:
    """The first model may take 8 MB; nobody wants a data set in a package."""
    assert wheel.stat().st_size < 10_000_000


def test_wheel_finds_its_configs(site: Path, tmp_path: Path) -> None:
    file, configs, accelerator = run_python(["-c", COMPOSE], tmp_path, site).splitlines()
    assert Path(file) == site / "fascnet" / "__init__.py"
    assert Path(configs) == site / "fascnet" / "configs"
    assert accelerator == "gpu"


def test_wheel_has_the_console_command(site: Path, tmp_path: Path) -> None:
    command = str(site / "bin" / "fascnet")
    assert run_python([command, "--version"], tmp_path, site).startswith("fascnet ")
    shown = run_python([command, "phantom", "--help"], tmp_path, site)
    assert "phantom=… is one of: benchmark, hard, quick, standard" in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(
    not (ROOT / "fascnet/weights/model.safetensors").is_file(), reason="no packaged model yet"
)
def test_wheel_brings_a_model_that_loads(site: Path, tmp_path: Path) -> None:
    code = (
        "from fascnet.inference.network import load_network_predictor as load; p = load(device='cpu'); "
        "print(p.model.path); import sys; print('hydra' in sys.modules or 'lightning' in sys.modules)"
    )
    path, needs_frameworks = run_python(["-c", code], tmp_path, site).splitlines()
    assert Path(path).is_relative_to(site)
    assert needs_frameworks == "False"


@pytest.mark.parametrize("verb", ["phantom", "check", "train", "predict", "benchmark"])
def test_checkout_runs_each_verb_uninstalled(verb: str, checkout: Path, tmp_path: Path) -> None:
    shown = run_python([str(checkout / "scripts" / f"{verb}.py"), "--help"], tmp_path)
    assert shown.startswith(f"fascnet {verb}: ")
    assert (checkout / "configs" / f"{verb}.yaml").read_text(encoding="utf-8").strip() in shown


def test_checkout_finds_its_configs(checkout: Path, tmp_path: Path) -> None:
    file, configs, _ = run_python(["-c", COMPOSE], tmp_path, checkout).splitlines()
    assert Path(file) == checkout / "fascnet" / "__init__.py"
    assert Path(configs) == checkout / "configs"


def test_checkout_goes_before_an_installed_package(checkout: Path, site: Path, tmp_path: Path) -> None:
    """Whoever edits a checkout wants to run what was edited, whatever else is installed."""
    (checkout / "configs" / "phantom" / "mine.yaml").write_text("# nothing\n", encoding="utf-8")
    shown = run_python([str(checkout / "scripts" / "phantom.py"), "--help"], tmp_path, site)
    assert "mine" in shown


def test_script_works_with_worker_processes(checkout: Path, tmp_path: Path) -> None:
    """Workers are spawned: they import the script again and must not run it again."""
    tiny = ["phantom.duration_s=[1.0,1.0]", "phantom.scan.height_px=[64,64]", "phantom.scan.width_px=[64,64]"]
    arguments = [str(checkout / "scripts" / "phantom.py"), "output=set", "clips=3", "workers=2", *tiny]
    assert run_python(arguments, tmp_path).startswith("phantom: 3 clips")
    assert len(list((tmp_path / "set" / "clips").iterdir())) == 3


def test_editable_install_finds_its_configs(tmp_path: Path) -> None:
    try:
        origin = importlib.metadata.distribution("fascnet").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("fascnet is not installed here")
    if origin is None or not json.loads(origin).get("dir_info", {}).get("editable", False):
        pytest.skip("fascnet is not installed editable here")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", COMPOSE],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[1] == str(ROOT / "configs")
