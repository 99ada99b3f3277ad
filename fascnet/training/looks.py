"""Which of two looks a training is about: what looks first, what judges again, and what learns."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fascnet.data.training_input.sight import FirstSight, Sight
from fascnet.errors import SettingError
from fascnet.inference.second_look import SecondLook
from fascnet.models.build import build_network
from fascnet.models.preprocessing import Preprocessor
from fascnet.models.unet import FasciculationUNet
from fascnet.training.second_sight import FirstLook, SecondSight
from fascnet.training.start import Start
from fascnet.types import EventDefinition

LEARN = "learn"
"""As `second_look` of a training: weights of its own learn to judge in it."""


def refuse_to_learn_again(has_init: bool, epochs: int, motion_versions: int) -> None:
    """Refuse a training of the second look that lacks what it needs.

    Args:
        has_init: whether there is a model to look first.
        epochs: of the training.
        motion_versions: how often each clip is measured before the training.

    Raises:
        SettingError: no model looks first, nothing is trained, or windows are not measured before.
    """
    for lacks, told in (
        (not has_init, "give init=FILE, the model that looks first"),
        (epochs == 0, "where nothing is trained, give second_look=true"),
        (
            motion_versions == 0,
            "give data.motion_versions=1 or more: only whole clips can be looked at twice",
        ),
    ):
        if lacks:
            raise SettingError(f"second_look=learn trains what judges in the second look; {told}")


def choose_second_look(
    definition: EventDefinition, earlier: SecondLook | None, n_modes: int | None
) -> SecondLook:
    """Choose what a second look is to be: that of an earlier model, or a new one.

    Args:
        definition: what makes an event in the first look, for a new one.
        earlier: of the model that a training started from, if it looks twice.
        n_modes: how many modes to take away; None: as many as the earlier one did, or `N_MODES`.
    """
    second = SecondLook(definition) if earlier is None else earlier
    return second if n_modes is None else replace(second, n_modes=n_modes)


def choose_first_look(built: FasciculationUNet, earlier: Start, n_modes: int | None = None) -> FirstLook:
    """Set aside what looks first, and let begin with what its model judged with in the second look.

    Args:
        built: with the weights of the first look; those of the second take their place where there are any.
        earlier: the model that looks first.
        n_modes: as for `choose_second_look`.
    """
    second = choose_second_look(earlier.definition, earlier.second_look, n_modes)
    first = FirstLook(copy.deepcopy(built).eval().requires_grad_(False), second)
    if earlier.again is not None:
        built.load_state_dict(earlier.again)
    return first


def choose_sight(
    built: FasciculationUNet, first: FirstLook | None, preprocessor: Preprocessor, names: Sequence[str]
) -> Sight:
    """Choose how the network that learns sees its clips.

    Args:
        built: what learns.
        first: what looks first, where it learns to judge in the second look.
        preprocessor: of the clips.
        names: what tells this first look from others.
    """
    # Copies: the networks may be on a GPU by the time the clips are measured.
    if first is None:
        return FirstSight(copy.deepcopy(built.front_end))
    return SecondSight(copy.deepcopy(first), preprocessor, names)


def pair_looks(
    learned: FasciculationUNet, first: FirstLook | None, network: Mapping[str, Any], earlier: Start | None
) -> tuple[FasciculationUNet, FasciculationUNet | None]:
    """Return what judges in the first look, and in the second where that is another; both to evaluate.

    Args:
        learned: what was trained.
        first: what looked first in this training, if anything did.
        network: `name` and `arguments` of all of them.
        earlier: what the training started from; what judged again there goes on doing so.
    """
    learned.eval()
    if first is not None:
        return first.network, learned
    if earlier is None or earlier.again is None:
        return learned, None
    again = build_network(network["name"], network["arguments"])
    again.load_state_dict(earlier.again)
    return learned, again.eval()
