"""Give a photo the light and colour of another, with the VGG student or teacher.

python -m vgg_backbone.stylize content.jpg style.jpg -o result.jpg
python -m vgg_backbone.stylize holiday/ style.jpg -o stylized/
"""

import sys

from common.commands import stylize

if __name__ == "__main__":
    sys.exit(stylize.main("vgg", __doc__))
