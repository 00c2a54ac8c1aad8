"""Write the VGG student for ONNX Runtime, which stylises without TensorFlow.

python -m vgg_backbone.export -o student.onnx.zip
python -m vgg_backbone.export --checkpoint runs/vgg/student.weights.h5 -o student.onnx.zip
"""

import sys

from common.commands import export

if __name__ == "__main__":
    sys.exit(export.main("vgg", __doc__))
