"""The global part of a look: grades that are known, and the network that predicts one from two photos.

A grade is one map from colour to colour for a whole photo.

    operations, grades    known grades: random, seeded, recordable as JSON; a family to train on and one to test on
    lut, cube             a grade as a 3D LUT: applied, mixed, measured; .cube files
    truth                 pairs of photos whose right answer is known (`common.evaluation.scores`: how near a result is)
    descriptor            a photo's colours in a few hundred numbers
    runtime               the predictor run by ONNX Runtime: photo -> descriptor, two descriptors -> LUT
    predictor, colour     the same network in Keras, with gradients
    bases, pairs          basis LUTs in closed form, training pairs made on the fly
    training, packing     training; the files that a trained predictor is kept in

Nothing here is from the paper. Only `predictor`, `colour`, `training` and `packing` need Keras.
"""
