"""The MobileNet v1 backbone."""

from common.network.backbone import Backbone, Released

BACKBONE = Backbone(
    name="mobilenet",
    strides=(2, 4, 8, 16),
    preprocessing=None,
    paper_epochs=(10, 10, 10, 10),
    released=Released(
        folder="MobileNet backbone/ckpts",
        sha256={
            "sencoder.index": "e85c43392d569ed90e13ff3d1cb6be7751006516eeaee7ef0f140639dc67e1cd",
            "sencoder.data-00000-of-00001": "4051956140138f9dbe15a37e45355f8aa934168d08b7faf7cfdcd554a1c46bf5",
            "sdecoder.index": "4a8dab4cd0b966b5aa5edee47db1af71f970349e437ea86f60c824332fc9abc4",
            "sdecoder.data-00000-of-00001": "7624fd585e5ef34264c4fc704e5725c3106349e3bf46fbd51495e6fa8e880d5a",
        },
        encoder_layer=lambda level, index, overall: f"se_model/layer_with_weights-{overall}",
        mark="se_model/",
    ),
    bytes_per_pixel={"keras": 600, "onnx": 240},
)
