"""The VGG-19 backbone."""

from common.network.backbone import Backbone, Released

BACKBONE = Backbone(
    name="vgg",
    strides=(1, 2, 4, 8),
    preprocessing="preprocess",
    paper_epochs=(15, 10, 10, 10),
    released=Released(
        folder="VGG backbone/ckpts",
        sha256={
            "sencoder.index": "bf75ea1e263e502df3650616313ab15b2735b47e0cd4d682e9615fc8e370f9a6",
            "sencoder.data-00000-of-00001": "58622ade9d59acb9c179d2d9b42a32d45bdccc363629f17e50c87c8d8d2018b1",
            "sdecoder.index": "d419d740b9e2d8226da355e794983849a3f6d202242457e619943e1e6a583d13",
            "sdecoder.data-00000-of-00001": "b4674b6277ceb87856b2a02ed9324de0be6705ff18441fc549e8e209df043f11",
        },
        encoder_layer=lambda level, index, overall: f"btnecks/{level}/layer_with_weights-{index}",
        mark="btnecks/",
    ),
    bytes_per_pixel={"keras": 850, "onnx": 400},
)
