"""Compact AdaIN: artistic style transfer by one network, some of whose channels die in training and are then cut.

Kim et al., "Uncorrelated feature encoding for faster image style transfer" (Neural Networks 140, 2021), and "Compact
Image-Style Transfer: Channel Pruning on the Single Training of a Network" (Sensors 22(21):8427, 2022), after Huang and
Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization" (ICCV 2017).
"""

from pathlib import Path

CKPTS = Path(__file__).resolve().parents[1] / "ckpts" / "adain"
# The project's own network.
BASELINE = CKPTS / "baseline.npz"
