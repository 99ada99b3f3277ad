from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fascnet.errors import SettingError
from fascnet.phantom.scan.acquisition import FrameMaker, Scanner, ScanSettings, make_scanner
from fascnet.phantom.scan.scanner_torch import TorchScanner
from tests.phantom.scan.test_acquisition import RICH
from tests.phantom.speckle import make_echoes

PLAIN = ScanSettings(120, 100, 0.15)


def make_frames(scanner: FrameMaker) -> np.ndarray:
    places, echoes = make_echoes(scanner.settings, 0)
    echoes = echoes * np.exp(1j * np.arange(len(echoes))).astype(np.complex64)
    scanner.calibrate(scanner.form_envelope(places, echoes))
    rng = np.random.default_rng(1)
    return np.stack(
        [
            scanner.compress(scanner.form_envelope(places + np.float32(shift), echoes, rng), gain_db)
            for shift, gain_db in ((0.0, 0.0), (0.31, 0.0), (-0.2, 3.0))
        ]
    )


@pytest.mark.parametrize("settings", [PLAIN, RICH, replace(PLAIN, lines_per_beam=1.5)])
def test_torch_on_the_cpu_gives_the_same_bits(settings: ScanSettings) -> None:
    ours = make_frames(TorchScanner(settings, "cpu"))
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours, make_frames(Scanner(settings)))


def test_no_scatterers_are_a_black_picture() -> None:
    scanner = TorchScanner(PLAIN, "cpu")
    envelope = scanner.form_envelope(np.zeros((0, 2), np.float32), np.zeros(0, np.complex64))
    assert scanner.compress(envelope).max() == 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here")
def test_cuda_is_refused_where_there_is_none() -> None:
    with pytest.raises(SettingError, match="torch finds no CUDA device; choose device=cpu"):
        make_scanner(PLAIN, "cuda")


@pytest.mark.gpu
@pytest.mark.parametrize("settings", [PLAIN, RICH])
def test_cuda_gives_the_same_greys(settings: ScanSettings) -> None:
    scanner = make_scanner(settings, "cuda")
    assert isinstance(scanner, TorchScanner)
    ours = np.rint(make_frames(scanner))
    away = np.abs(ours - np.rint(make_frames(Scanner(settings))))
    assert np.mean(away <= 1) >= 0.999
    np.testing.assert_array_equal(ours, np.rint(make_frames(scanner)))
