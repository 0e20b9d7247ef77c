"""The Blocks judge: does a cuboid still look like itself, whatever the light, the pose and the size?"""

from scorer.judges.blocks.judge import BlocksJudge

__all__ = ["BlocksJudge"]
