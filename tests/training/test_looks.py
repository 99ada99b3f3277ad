from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from fascnet.data.training_input.sight import FirstSight
from fascnet.errors import SettingError
from fascnet.inference.second_look import N_MODES, SecondLook
from fascnet.models.build import build_network
from fascnet.models.preprocessing import Preprocessor
from fascnet.models.unet import FasciculationUNet
from fascnet.training.looks import (
    choose_first_look,
    choose_second_look,
    choose_sight,
    pair_looks,
    refuse_to_learn_again,
)
from fascnet.training.second_sight import SecondSight
from fascnet.training.start import Start
from fascnet.types import ClipCalibration, EventDefinition
from tests.training.runs import NETWORK

DEFINITION, SECOND = EventDefinition(0.4, 0.2), SecondLook(EventDefinition(0.3, 0.1))
EARLIER = Start(("a" * 64,), "salt", (), (), DEFINITION, ClipCalibration(), {})


def build(seed: int) -> FasciculationUNet:
    torch.manual_seed(seed)
    return build_network(NETWORK["name"], NETWORK["arguments"])


def equal(a: FasciculationUNet, b: FasciculationUNet) -> bool:
    return all(torch.equal(b.state_dict()[key], value) for key, value in a.state_dict().items())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((False, 1, 1), "give init=FILE"),
        ((True, 0, 1), "second_look=true"),
        ((True, 1, 0), "motion_versions=1"),
    ],
)
def test_what_a_training_of_the_second_look_lacks_is_named(given: tuple[bool, int, int], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        refuse_to_learn_again(*given)
    refuse_to_learn_again(True, 1, 1)


def test_the_first_look_is_set_aside_and_the_second_begins_with_its_own_weights() -> None:
    built = build(1)
    first = choose_first_look(built, EARLIER)
    assert equal(first.network, build(1)) and equal(built, build(1))
    assert first.second == SecondLook(DEFINITION) and not first.network.training
    first = choose_first_look(built, replace(EARLIER, second_look=SECOND, again=build(2).state_dict()))
    assert equal(first.network, build(1)) and equal(built, build(2))
    assert first.second == SECOND
    with torch.no_grad():
        built.head.weight.zero_()
    assert equal(first.network, build(1))


def test_a_second_look_goes_on_as_it_was_unless_told_otherwise() -> None:
    assert choose_second_look(DEFINITION, None, None) == SecondLook(DEFINITION, n_modes=N_MODES)
    assert choose_second_look(DEFINITION, SECOND, None) is SECOND
    assert choose_second_look(DEFINITION, SECOND, 7) == replace(SECOND, n_modes=7)


def test_what_learns_sees_with_its_own_look() -> None:
    built = build(1)
    assert isinstance(choose_sight(built, None, Preprocessor(), ()), FirstSight)
    assert isinstance(choose_sight(built, choose_first_look(built, EARLIER), Preprocessor(), ()), SecondSight)


def test_what_is_not_trained_stays_beside_what_is() -> None:
    learned, earlier = build(3), replace(EARLIER, again=build(2).state_dict())
    first = choose_first_look(build(1), earlier)
    one, again = pair_looks(learned, first, NETWORK, earlier)
    assert equal(one, build(1)) and again is learned
    one, again = pair_looks(learned, None, NETWORK, earlier)
    assert one is learned and again is not None and equal(again, build(2))
    assert pair_looks(learned, None, NETWORK, EARLIER) == (learned, None)
    assert pair_looks(learned, None, NETWORK, None) == (learned, None)
