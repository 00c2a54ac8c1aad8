"""The pass down the decoder, with a network whose blocks can be followed by hand."""

from common.network.coarse_to_fine import coarse_to_fine


class Steps:
    """A network that says what is done to a feature: `decode` wraps it in its level and the skip."""

    def decode(self, level, feature, skip, training=None):
        mode = "" if training is None else f", training={training}"
        return f"decode{level}({feature}, {skip}{mode})"


FEATURES, SKIPS = ["f0", "f1", "f2"], ["s0", "s1", "s2"]


def test_it_runs_from_the_deepest_feature_to_the_image():
    assert coarse_to_fine(Steps(), FEATURES, SKIPS) == "decode0(decode1(decode2(f2, s2), s1), s0)"


def test_it_may_begin_at_a_level_above():
    assert coarse_to_fine(Steps(), FEATURES, SKIPS, deepest=0) == "decode0(f0, s0)"
    assert coarse_to_fine(Steps(), [None, "f1", None], SKIPS, deepest=1) == "decode0(decode1(f1, s1), s0)"


def test_what_is_to_be_done_is_done_before_each_block():
    result = coarse_to_fine(Steps(), FEATURES, SKIPS, lambda level, x: f"map{level}({x})")
    assert result == "decode0(map0(decode1(map1(decode2(map2(f2), s2)), s1)), s0)"


def test_options_reach_every_block():
    result = coarse_to_fine(Steps(), FEATURES, SKIPS, deepest=1, training=True)
    assert result == "decode0(decode1(f1, s1, training=True), s0, training=True)"
