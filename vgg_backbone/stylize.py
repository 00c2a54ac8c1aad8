"""Give a photo the light and colour of another, with the VGG student or teacher.

python -m vgg_backbone.stylize content.jpg style.jpg -o result.jpg
python -m vgg_backbone.stylize holiday/ style.jpg -o stylized/
"""

import sys

from common import stylize_photos


def load(model, checkpoint):
    """The student or the teacher; imported here, so that `--help` and wrong paths are answered at once."""
    from vgg_backbone import student, teacher

    return {"student": student.load, "teacher": teacher.load}[model](checkpoint)


if __name__ == "__main__":
    sys.exit(stylize_photos.main(__doc__, load))
