from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fascnet.data.label_forms.frame_clock import FrameClock
from fascnet.data.label_forms.mask_stacks import find_nifti_name, read_nifti, read_png_masks
from fascnet.data.label_forms.rater_events import FrameSpan, MaskPixels
from fascnet.errors import LabelError

from . import forms

T, H, W = forms.N_FRAMES, forms.HEIGHT, forms.WIDTH


def draw() -> NDArray[np.uint8]:
    """(T, H, W): number 1 moves right, is away for two frames and comes back; number 2 has two parts."""
    stack = np.zeros((T, H, W), np.uint8)
    for frame in range(12, 18):
        stack[frame, 5:9, frame : frame + 10] = 1
    stack[20:22, 5:9, 10:20] = 1
    stack[30:33, 20:24, 2:6] = stack[30:33, 40:44, 50:60] = 2
    return stack


def save(path: Path, values: NDArray[np.generic]) -> Path:
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)
    return path


@pytest.mark.parametrize(("layout", "axes"), [("thw", (0, 1, 2)), ("hwt", (1, 2, 0)), ("wht", (2, 1, 0))])
def test_volumes_in_every_order(layout: str, axes: tuple[int, ...], tmp_path: Path) -> None:
    path = save(tmp_path / "clip_a.nii.gz", draw().transpose(axes))
    for asked in ("auto", layout):
        (rating,) = read_nifti(path, forms.make_clock(), asked, {"2"}).ratings
        one, again, two = sorted(rating.events, key=lambda event: str(event.where))
        assert (
            one.span == FrameSpan(12, 18)
            and again.span == FrameSpan(20, 22)
            and two.span == FrameSpan(30, 33)
        )
        assert isinstance(one.region, MaskPixels) and (one.region.x0, one.region.y0) == (12, 5)
        assert one.region.inside.shape == (4, 15) and one.region.inside.all(), "all that it ever covers"
        assert isinstance(two.region, MaskPixels) and two.region.inside.sum() == 16 + 40
        assert (one.label, two.label) == ("fasciculation", "2")
    with pytest.raises(LabelError, match="the recording"):
        read_nifti(path, forms.make_clock(), "thw" if layout != "thw" else "wht", set())


def test_an_order_that_is_not_clear_is_asked_for(tmp_path: Path) -> None:
    clock = FrameClock(np.arange(8) / 30, 8 / 30, 10, 10)
    path = save(tmp_path / "a.nii", np.zeros((10, 10, 8), np.uint8))
    with pytest.raises(LabelError, match="in the orders hwt, wht; give layout"):
        read_nifti(path, clock, "auto", set())
    assert read_nifti(path, clock, "wht", set()).ratings[0].events == ()


def test_names_of_volumes() -> None:
    assert find_nifti_name(Path("x/clip.01.nii.gz")) == "clip.01" and find_nifti_name(Path("A.NII")) == "A"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.full((W, H, T), 0.5, np.float32), "not whole"),
        (np.full((W, H, T), np.nan, np.float32), "not whole"),
        (np.full((W, H, T), -1, np.int16), "holds -1"),
        (np.zeros((W, H, T - 3), np.uint8), "the recording 90 frames of 64x48"),
        (np.zeros((W, H), np.uint8), "save three axes"),
        (np.zeros((W, H, T, 2), np.uint8), "save three axes"),
    ],
)
def test_volumes_that_are_no_events(values: NDArray[np.generic], said: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii.gz", values)
    with pytest.raises(LabelError, match=said):
        read_nifti(path, forms.make_clock(), "auto", set())


def test_sizes_are_checked_before_memory_is_taken(tmp_path: Path) -> None:
    """A header that claims 2 GB over a file of a few hundred bytes."""
    image = nibabel.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4))
    header = bytearray(image.to_bytes())
    header[40:48] = np.array([3, 1290, 1290, 1290], "<i2").tobytes()
    (tmp_path / "a.nii").write_bytes(bytes(header))
    with pytest.raises(LabelError, match="at most 512 MiB"):
        read_nifti(tmp_path / "a.nii", forms.make_clock(), "auto", set())
    header[40:48] = np.array([3, W, H, T], "<i2").tobytes()
    (tmp_path / "b.nii").write_bytes(bytes(header))
    with pytest.raises(LabelError, match="breaks off or is damaged"):
        read_nifti(tmp_path / "b.nii", forms.make_clock(), "auto", set())


def test_damaged_volumes_never_crash(tmp_path: Path) -> None:
    good = save(tmp_path / "good.nii.gz", draw().transpose(2, 1, 0)).read_bytes()
    plain = save(tmp_path / "good.nii", draw().transpose(2, 1, 0)).read_bytes()
    rng = np.random.default_rng(7)
    for trial in range(60):
        name, source = (("bad.nii.gz", good), ("bad.nii", plain[:2000] + plain[-2000:]))[trial % 2]
        data = bytearray(source)
        if trial % 3 == 0:
            data = data[: int(rng.integers(1, len(data)))]
        for place in rng.integers(0, min(len(data), 352), 4):
            data[int(place)] ^= 1 << int(rng.integers(8))
        (tmp_path / name).write_bytes(bytes(data))
        try:
            read_nifti(tmp_path / name, forms.make_clock(), "auto", set())
        except LabelError as error:
            assert "\n" not in str(error)


def save_picture(path: Path, values: NDArray[np.generic], mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(values)
    if mode == "P":
        picture = Image.fromarray(values, mode="L").convert("P")
        picture.putdata(values.reshape(-1).tolist())
        picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    picture.save(path)


@pytest.mark.parametrize("mode", ["L", "P"])
def test_pictures_frame_by_frame(mode: str, tmp_path: Path) -> None:
    folder = tmp_path / "clip_a"
    stack = draw()
    for frame in range(10, 25):
        save_picture(folder / f"clip_a_frame{frame + 1:05d}.png", stack[frame], mode)
    (rating,) = read_png_masks(folder, forms.make_clock(), 1, set()).ratings
    assert rating.names == ("clip_a",) and rating.examined == (FrameSpan(10, 25),)
    assert [event.span for event in rating.events] == [FrameSpan(12, 18), FrameSpan(20, 22)]


def test_frames_without_a_picture_are_not_examined(tmp_path: Path) -> None:
    folder = tmp_path / "clip_a"
    for frame in (12, 13, 15):
        save_picture(folder / f"{frame}.png", draw()[frame])
    (rating,) = read_png_masks(folder, forms.make_clock(), 0, set()).ratings
    assert rating.examined == (FrameSpan(12, 14), FrameSpan(15, 16))
    assert [event.span for event in rating.events] == [FrameSpan(12, 14), FrameSpan(15, 16)]


def test_pictures_that_are_no_masks(tmp_path: Path) -> None:
    clock = forms.make_clock()
    cases = {
        "colour": (np.zeros((H, W, 3), np.uint8), "0.png", "picture in colour"),
        "size": (np.zeros((H, W + 1), np.uint8), "0.png", "is 65x48, the recording 64x48"),
        "name": (np.zeros((H, W), np.uint8), "mask.png", "no frame number"),
        "first": (np.zeros((H, W), np.uint8), "0.png", "give the number of the first"),
    }
    for name, (values, file, said) in cases.items():
        save_picture(tmp_path / name / file, values)
        with pytest.raises(LabelError, match=said):
            read_png_masks(tmp_path / name, clock, int(name == "first"), set())
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n nonsense")
    with pytest.raises(LabelError, match=r"damaged|no picture"):
        read_png_masks(tmp_path / "bad", clock, 0, set())
    (tmp_path / "none").mkdir()
    with pytest.raises(LabelError, match="holds no PNG"):
        read_png_masks(tmp_path / "none", clock, 0, set())
