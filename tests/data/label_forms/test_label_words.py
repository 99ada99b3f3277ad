from __future__ import annotations

import pytest

from fascnet.data.label_forms.label_words import LabelWords, read_certainty
from fascnet.errors import LabelError


def test_words_that_are_known() -> None:
    words = LabelWords(
        {"Twitch": "fasciculation", "2": "arterial_pulsation", "text": "ignore", "cough": "coughing"}
    )
    said = {
        "Fasciculation": "fasciculation",
        "fasciculations": "fasciculation",
        " twitch ": "fasciculation",
        "Probe Motion": "probe_motion",
        "2": "arterial_pulsation",
        "codec_keyframe": "codec_keyframe",
        "Gain step": "gain_step",
        "cough": "coughing",
        "TEXT": None,
    }
    assert {word: words.translate(word, "t") for word in said} == said


@pytest.mark.parametrize(
    "word", ["fas", "twitch", "Fasc.", "", "person", "coughing", "ignore", "fasciculatoin", "artefact"]
)
def test_a_word_that_nobody_explained_is_no_confounder(word: str) -> None:
    with pytest.raises(LabelError, match="nobody said what"):
        LabelWords({}).translate(word, "f.xml track 3")


def test_labels_are_words_of_the_format() -> None:
    with pytest.raises(LabelError, match="small letters"):
        LabelWords({"a": "Not A Label"})


def test_certainties() -> None:
    assert read_certainty("Definite", "t") == "definite"
    assert read_certainty("", "t") is None and read_certainty("none", "t") is None
    with pytest.raises(LabelError, match="must be one of"):
        read_certainty("sure", "t")
