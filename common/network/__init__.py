"""The networks: what a backbone is, the autoencoder that teacher and student are, their weights, two engines to run them.

`backbone` is what a backbone says of itself, `registry` turns a name into one. `autoencoder` is the network in Keras, made
of `layers`; `onnx_network` the same run by ONNX Runtime, `onnx_export` what writes it. `coarse_to_fine` is the pass down
the decoder. `checkpoints` are the project's own files, `released` the paper's; both give `variables` their arrays.
`keras_backend` imports Keras quietly, `backup` keeps a training from being lost.
"""
