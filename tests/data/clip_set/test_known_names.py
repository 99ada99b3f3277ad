from __future__ import annotations

import pytest

from fascnet.data.clip_set.known_names import KnownNames

HANS = KnownNames(["Müller^Hans", "Haus^G"], ["XY/4711", "19510829"])


@pytest.mark.parametrize(
    "text",
    [
        *("mueller", "Muller_01", "MÜLLER", "Mu\u0308ller"),
        *("MuellerHans_01", "hansmueller", "muellerhans01", "HansMueller", "HANSMUELLER", "MUELLERHans"),
        *("MüllerHans", "hansmüller", "hansmuller"),
        *("Mueller01", "01mueller", "p01Mueller", "hmueller", "muellerh", "HMueller"),
        *("patmueller", "drhaus", "scanMueller2", "frmueller_li"),
        *("p19510829", "19510829a", "a_4711"),
    ],
)
def test_names_are_found_glued_to_other_words(text: str) -> None:
    assert HANS.stand_in(f"clips/{text}.dcm")


@pytest.mark.parametrize(
    "text",
    [
        *("p01_gm_L_003", "clip4711", "s4711", "gastrocnemius_medialis", "IMG_0001", "sub-012", "right_li"),
        *("muellerstrasse", "krankenhaus", "hausarzt", "hausg", "schaus", "hansen", "xmueller", "muellerx"),
        *("h", "j", "119510829", "videoclip", "patscan", "haushalt", "li" * 100),
    ],
)
def test_ordinary_ids_name_nobody(text: str) -> None:
    assert not HANS.stand_in(f"clips/{text}.dcm")


def test_short_names_count_only_together() -> None:
    wu = KnownNames(["Wu^Jin"], [])
    assert wu.stand_in("wujin_01") and wu.stand_in("JinWu")
    assert not any(wu.stand_in(text) for text in ("wu_01", "jin", "wuwu", "wuscan", "jinx"))


def test_a_header_without_umlauts_knows_the_name_with_them() -> None:
    for written in ("MUELLER^HANS", "MULLER^HANS", "Müller^Hans"):
        for text in ("müller", "muller", "mueller", "HansMüller"):
            assert KnownNames([written], []).stand_in(text), (written, text)
    assert not KnownNames(["Baer^Jo"], []).stand_in("bar"), "three letters are any word"


@pytest.mark.parametrize("written", ["", "Anonymous", "ANON12", "Test^Patient", "XXXX", "0000", "Unknown"])
def test_what_anonymisers_write_is_nobody(written: str) -> None:
    texts = ("anonymous_01", "test", "testpatient", "patient0000", "xxxx", "unknown_clip", "scan", "")
    assert not any(KnownNames([written], [written]).stand_in(text) for text in texts)


def test_other_scripts_are_compared_as_well() -> None:
    assert KnownNames(["Иванов^Пётр"], []).stand_in("ИвановПетр_1")
    assert not KnownNames(["Иванов^Пётр"], []).stand_in("ивановка")
