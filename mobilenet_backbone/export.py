"""Write the MobileNet student for ONNX Runtime, which stylises without TensorFlow.

python -m mobilenet_backbone.export -o student.onnx.zip
python -m mobilenet_backbone.export --checkpoint runs/mobilenet/student.weights.h5 -o student.onnx.zip
"""

import sys

from common.commands import export

if __name__ == "__main__":
    sys.exit(export.main("mobilenet", __doc__))
