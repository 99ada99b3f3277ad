"""How much damage a recording may have before it ends: a few lost pictures, whose place the one before takes.

A single frame that cannot be decoded need not cost the rest of a clip: the picture before it stands in its
place, at its own index and time, and `Frame.held` says so. Frames keep their numbers, so that labels by frame
number stay right. What is predicted from a damaged picture is as unsound as itself, up to the next key frame.
"""

from __future__ import annotations

MAX_HELD_S = 0.2
"""A picture that stands for longer is a freeze, in which a twitch of 0.1-0.6 s could pass unseen (choice of
this project, as `repeats.FROZEN_S`)."""

MAX_HELD_SHARE = 0.1
"""More damaged frames than one in ten: the file is broken, not scratched (choice of this project)."""

_SLACK_S = 1e-6


def may_hold(n_lost: int, n_held: int, n_sound: int, fps: float) -> bool:
    """Whether the last sound picture may stand for pictures that are lost after it.

    Args:
        n_lost: pictures lost in a row.
        n_held: pictures held in the recording so far.
        n_sound: sound pictures so far.
        fps: frames per second.

    Returns:
        True for one lost picture, or for so many that the picture before stands for no longer than
        `MAX_HELD_S`; False once too many of all pictures are held.
    """
    all_held = n_held + n_lost
    is_short = n_lost == 1 or (n_lost + 1) / fps <= MAX_HELD_S + _SLACK_S
    # The first few frames say nothing about a share.
    return is_short and (all_held <= 2 or all_held <= MAX_HELD_SHARE * (n_sound + all_held))


def describe_held(n_held: int) -> str:
    """Say that frames are held."""
    which = "1 frame is" if n_held == 1 else f"{n_held} frames are"
    return f"{which} damaged: the picture before stands in {'its' if n_held == 1 else 'their'} place"
