from __future__ import annotations

from pathlib import Path

import pytest

from fascnet.data.label_forms.recognise import FORMS, list_label_inputs, read_form, recognise
from fascnet.errors import LabelError, SettingError

from . import forms
from .fixtures import write_fixture


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_recognised_by_its_content(form: str, tmp_path: Path) -> None:
    path = write_fixture(form, tmp_path)
    assert recognise(path) == form
    context = forms.make_context(forms.make_clips(tmp_path, "clip_a", "clip_b"))
    named, contents = read_form(path, "auto", context)
    assert named == form and (contents.ratings or contents.statements)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "name,age\nx,3\n", "columns name, age are those of no known form"),
        ("a.json", '{"a": 1}', "JSON of no known form"),
        ("a.json", '{"format": "fascnet-labels/1"}', "is a label file already"),
        ("a.doc", "x", "no form that is known"),
        ("a.csv", "", "is empty"),
    ],
)
def test_what_is_no_form_is_one_line(name: str, text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=said):
        recognise(forms.write_text(tmp_path / name, text))


def test_a_folder_is_searched_for_labels(tmp_path: Path) -> None:
    for form in ("tongue", "cvat", "kobe", "nifti", "png_masks"):
        write_fixture(form, tmp_path)
    for other in ("manifest.csv", "notes.md", ".hidden.csv", "spatial.csv"):
        forms.write_text(tmp_path / other, "x")
    (tmp_path / "empty").mkdir()
    names = [path.name for path in list_label_inputs(tmp_path)]
    # Kobe's landmarks are read with its peaks.
    assert names == ["annotations.xml", "clip_a", "clip_a.nii.gz", "manual_annotations.csv", "peaks.csv"]
    assert list_label_inputs(tmp_path / "clip_a") == [tmp_path / "clip_a"]
    with pytest.raises(LabelError, match="holds no file of labels"):
        list_label_inputs(tmp_path / "empty")
    with pytest.raises(LabelError, match="no such file"):
        list_label_inputs(tmp_path / "nowhere")


def test_a_form_can_be_named(tmp_path: Path) -> None:
    context = forms.make_context(forms.make_clips(tmp_path, "clip_a"))
    path = write_fixture("tongue", tmp_path)
    with pytest.raises(LabelError, match="lacks the column"):
        read_form(path, "tagawa_csv", context)
    with pytest.raises(SettingError, match="form=word must be auto or one of"):
        read_form(path, "word", context)
    with pytest.raises(LabelError, match="is a folder"):
        read_form(write_fixture("png_masks", tmp_path), "cvat", context)


def test_masks_are_named_after_their_clip(tmp_path: Path) -> None:
    context = forms.make_context(forms.make_clips(tmp_path, "another"))
    for form in ("nifti", "png_masks"):
        with pytest.raises(LabelError, match="no clip is called 'clip_a'"):
            read_form(write_fixture(form, tmp_path), "auto", context)
