"""StarGAN v2, image-to-image translation between domains of photos, and its distillation into small students.

`networks` and `losses` are what it is made of; `make_day_and_dusk`, `train`, `distill`, `sample` and `evaluate` are
commands.
Images are RGB in [-1, 1], `(batch, height, width, 3)`; a domain is a one-hot vector, `(batch, domains)`.
"""

from pathlib import Path

CKPTS = Path(__file__).resolve().parents[1] / "ckpts" / "stargan_v2"
