"""A network that sees each clip as it is and mirrored, and answers with the mean of both.

Muscle has no left and right that matters, but no network treats them quite alike. What the two readings
share is the twitch; what they do not share is chance.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fascnet.models.blocks import State
from fascnet.models.motion import MotionFrontEnd
from fascnet.models.preprocessing import CELL_PX
from fascnet.models.unet import FasciculationUNet


class MirroredUNet(nn.Module):
    """Judges the motion of a clip twice, as it is and mirrored left to right; motion is measured once.

    Args:
        network: the trained network; its weights are shared, not copied.
    """

    mirror_signs: Tensor

    def __init__(self, network: FasciculationUNet) -> None:
        super().__init__()
        self.network = network
        self.look_ahead = network.look_ahead
        signs = torch.from_numpy(MotionFrontEnd.MIRROR_SIGNS)[:, None, None]
        self.register_buffer("mirror_signs", signs.to(network.head.weight), persistent=False)

    def forward(self, images: Tensor, dt_s: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Segment a chunk of ticks; arguments and results as those of `FasciculationUNet.forward`."""
        state = {} if state is None else dict(state)
        height, width = images.shape[-2:]
        motion = self.network.measure_motion(images, dt_s, state)
        # Side by side in the batch, so that one state holds the past of both.
        both = torch.cat([motion, motion.flip(-1) * self.mirror_signs])
        as_it_is, mirrored = self.network.judge_motion(both, state).chunk(2)
        logits = 0.5 * (as_it_is.float() + mirrored.flip(-1).float())
        return logits[..., : height // CELL_PX, : width // CELL_PX], state
