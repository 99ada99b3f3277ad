"""What a measurement was made on: versions, processor, commit, and how busy the machine was."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import cv2
import torch

PACKAGES = (
    "torch",
    "torchvision",
    "opencv-python-headless",
    "numpy",
    "av",
    "monai",
    "segmentation-models-pytorch",
)
FLAGS = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "neon", "asimd", "sve")


def describe_machine() -> dict[str, object]:
    """Return what stands in the result file."""
    return {
        "python": platform.python_version(),
        "packages": {name: find_version(name) for name in PACKAGES},
        "processor": read_processor("model name"),
        "flags": [flag for flag in FLAGS if flag in read_processor("flags").split()],
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "opencv_threads": cv2.getNumThreads(),
        "omp": {key: os.environ.get(key) for key in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")},
        "commit": find_commit(),
    }


def find_version(package: str) -> str:
    """Return an installed package's version."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def find_commit() -> str:
    """Return the commit of the checkout, marked where files differ from it."""
    call = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    home = Path(__file__).resolve().parents[2]
    try:
        found = subprocess.run(call, cwd=home, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    return found.stdout.strip() if found.returncode == 0 else "unknown"


def read_processor(key: str) -> str:
    """Return a line of /proc/cpuinfo, or what Python knows."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    found = [line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == key]
    return found[0] if found else (platform.processor() if key == "model name" else "")


def read_load() -> dict[str, float]:
    """Return the load average of a minute and the seconds that other guests have taken from this one."""
    path = Path("/proc/stat")
    stolen = float(path.read_text().split("\n", 1)[0].split()[8]) if path.is_file() else 0.0
    return {"load_1min": os.getloadavg()[0], "stolen_s": stolen / os.sysconf("SC_CLK_TCK")}
