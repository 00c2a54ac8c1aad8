"""From two photos to a result: transforms of statistics (NumPy alone), the stylizer, looks, the guided filter.

    stylizer = Stylizer(load_network("mobilenet"))
    look = stylizer.look("content.jpg", stylizer.analyze("style.jpg"))

A network is anything that has `encode`, `decode`, `widths`, `strides` and `fingerprint`; no engine is imported here.
"""

from common.transfer.look import Look
from common.transfer.style import Style
from common.transfer.stylizer import Stylizer

__all__ = ["Look", "Style", "Stylizer"]
