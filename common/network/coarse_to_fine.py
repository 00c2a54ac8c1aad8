"""The pass down the decoder, from the deepest feature to the image: the same for every engine and every purpose."""


def coarse_to_fine(network, features, skips, before=None, deepest=None, **options):
    """The image that is decoded from the feature at level `deepest`.

    Reconstruction, style transfer, training and measuring differ in what is done to the feature before each decoder block.

    Args:
        network: has `decode(level, feature, skip, **options)`, which gives the feature a level up, or at level 0 the image.
        features, skips: what the network's `encode` gave, level 0 first; only `features[deepest]` is read.
        before: `(level, feature) -> feature`, applied before decoder block `level`; None leaves features as they are.
        deepest: the level to begin at, by default the last of `features`.

    Returns:
        `(batch, height, width, 3)`, not clipped.
    """
    deepest = len(features) - 1 if deepest is None else deepest
    x = features[deepest]
    for level in range(deepest, -1, -1):
        if before is not None:
            x = before(level, x)
        x = network.decode(level, x, skips[level], **options)
    return x
