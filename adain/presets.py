"""The published settings."""

# Weights of the losses and learning rates of encoder and decoder that were published; a rate of 0 leaves a part as it is.
PRESETS = {
    "baseline": {"style": 100, "uncorrelation": 0, "channel": 0, "xor": 0, "encoder_rate": 0, "decoder_rate": 1e-4},
    "uncorrelation": {"style": 100, "uncorrelation": 50, "channel": 0, "xor": 0, "encoder_rate": 5e-6, "decoder_rate": 1e-4},
    "channel-xor": {
        "style": 100,
        "uncorrelation": 0,
        "channel": 1e4,
        "xor": 500,
        "encoder_rate": 5e-6,
        "decoder_rate": 1e-4,
    },
}
