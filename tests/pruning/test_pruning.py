"""Pruning: what never fires is cut without a trace, then what matters least."""

import json

import h5py
import keras
import numpy as np
import pytest

from common.commands import prune
from common.network import checkpoints
from common.network.backbone import Widths
from common.photos import photo_paths
from common.photos.crops import CentreCrops
from common.pruning import responses
from common.pruning.axes import axes, named_convolutions
from common.pruning.cut import kept_at_widths, kept_exactly, pruned, ranking, without
from common.pruning.responses import bounds, largest_difference, measure_responses, reconstruction_quality
from mobilenet_backbone import student as mobilenet
from vgg_backbone import student as vgg

STUDENTS = {"vgg": vgg, "mobilenet": mobilenet}
WIDTHS = {
    "vgg": Widths(((4,), (4, 6), (6, 8), (8, 8, 8, 10)), ((3,), (4, 4), (6, 6), (8, 8, 8, 8))),
    "mobilenet": Widths(((4,), (4, 6, 6), (8, 8, 8, 8), (10, 10, 10, 10)), ((3,), (4, 4), (6, 6), (8, 8))),
}
# Far below anything a convolution here can reach.
NEVER = -1e6
SIZE = 32


@pytest.fixture
def crops(photos):
    return CentreCrops(photo_paths(photos), batch_size=1, size=SIZE)


def lively(name):
    """A narrow student all of whose channels respond to any photo, with eigenbases."""
    keras.utils.set_random_seed(0)
    model = STUDENTS[name].build(WIDTHS[name])
    model.eigenbases = [np.eye(width + 3, width, dtype=np.float32) for width in model.widths.features]
    for convolution, layer in named_convolutions(model).items():
        if not convolution.endswith("preprocess"):
            kernel = np.abs(layer.kernel)
            inputs = (0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (0, 1, 2)
            layer.kernel.assign(kernel / kernel.sum(inputs, keepdims=True))  # weighted means: nothing grows on the way
            layer.bias.assign(np.full(layer.bias.shape, 130.0 if convolution.startswith("encoder_0") else 0.5))
    return model


def set_bias(model, value, **dead):
    """Set the bias of the channels `dead[convolution]`, `decoder_3__conv1=[2, 5]`, to `value`, and their kernels to zero."""
    for name, indices in dead.items():
        layer = named_convolutions(model)[name.replace("__", " ")]
        kernel, bias = (np.array(variable) for variable in (layer.kernel, layer.bias))
        bias[indices] = value
        kernel[(slice(None),) * (2 if isinstance(layer, keras.layers.DepthwiseConv2D) else 3) + (indices,)] = 0
        layer.kernel.assign(kernel)
        layer.bias.assign(bias)


def pruned_exactly(model, crops):
    responses = measure_responses(model, crops)
    return pruned(model, kept_exactly(model, responses), responses)


def assert_same_pictures(model, other, crops, level=1e-2):
    assert largest_difference(model, other, crops) < level
    for (batch,) in crops:
        np.testing.assert_allclose(other(batch), model(batch), rtol=1e-4, atol=1e-3)


# --- exact ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STUDENTS)
def test_where_every_channel_responds_nothing_is_cut(name, crops):
    model = lively(name)
    assert pruned_exactly(model, crops).widths == model.widths


@pytest.mark.parametrize(
    ("name", "dead", "change"),
    [
        ("vgg", {"encoder_1__conv1_2": [0, 2]}, {(0, 1, 0): 2}),
        ("vgg", {"encoder_3__conv4_1": [9]}, {(0, 3, 3): 9}),
        ("vgg", {"decoder_3__conv2": [1, 2, 3]}, {(1, 3, 1): 5}),
        ("mobilenet", {"encoder_2__dw3": [5]}, {(0, 2, 0): 7, (0, 2, 1): 7}),
        ("mobilenet", {"encoder_3__dw6": [5, 7]}, {(0, 3, 2): 8, (0, 3, 3): 8}),
    ],
)
def test_dead_channels_go_with_all_that_read_or_wrote_them(name, dead, change, crops):
    model = lively(name)
    set_bias(model, NEVER, **dead)
    result = pruned_exactly(model, crops)
    expected = [[list(block) for block in part] for part in model.widths]
    for (part, level, index), width in change.items():
        expected[part][level][index] = width
    assert [[list(block) for block in part] for part in result.widths] == expected
    assert_same_pictures(model, result, crops)


@pytest.mark.parametrize(
    ("name", "feature", "decoder"),
    [
        ("vgg", {"encoder_1__conv2_1": [1, 3]}, {"decoder_2__conv1": [1, 3], "decoder_2__conv2": [1, 3]}),
        ("mobilenet", {"encoder_1__dw2": [1, 3]}, {"decoder_2__conv1": [1, 3], "decoder_2__conv2": [1, 3]}),
        (
            "mobilenet",
            {"encoder_0__conv1": [1, 3], "encoder_1__dw1": [1, 3]},
            {"decoder_1__conv1": [1, 3], "decoder_1__conv2": [1, 3]},
        ),
    ],
)
def test_a_feature_loses_a_channel_only_where_the_decoder_is_dead_too(name, feature, decoder, crops):
    model = lively(name)
    set_bias(model, NEVER, **feature)
    assert pruned_exactly(model, crops).widths == model.widths
    for layer, indices in list(decoder.items())[:-1]:
        set_bias(model, NEVER, **{layer: indices})
        assert pruned_exactly(model, crops).widths == model.widths
    set_bias(model, NEVER, **decoder)
    result = pruned_exactly(model, crops)
    level = 0 if "encoder_0__conv1" in feature else 1
    width = model.widths.features[level]
    assert result.widths.features[level] == width - 2
    assert result.widths.decoder[level + 1] == (width - 2,) * 2
    np.testing.assert_array_equal(result.eigenbases[level], np.delete(model.eigenbases[level], [1, 3], axis=1))
    assert_same_pictures(model, result, crops)


@pytest.mark.parametrize(
    ("name", "constant"),
    [
        ("vgg", {"encoder_2__conv2_2": [2]}),  # read through max-pooling
        ("vgg", {"encoder_3__conv4_1": [2]}),  # through a transform
        ("vgg", {"decoder_3__conv1": [2]}),  # through upsampling
        ("mobilenet", {"encoder_2__dw3": [2]}),
        ("vgg", {"encoder_1__conv2_1": [3], "decoder_2__conv1": [3], "decoder_2__conv2": [3]}),  # and a skip, which is zero
    ],
)
def test_a_constant_channel_is_folded_into_the_biases_of_its_readers(name, constant, crops):
    model = lively(name)
    set_bias(model, 2.5, **constant)
    result = pruned_exactly(model, crops)
    assert result.weight_count < model.weight_count
    assert_same_pictures(model, result, crops)


def test_a_channel_whose_constant_depends_on_the_style_is_kept(crops):
    model = lively("vgg")
    set_bias(model, 2.5, encoder_1__conv2_1=[3], decoder_2__conv1=[3])
    set_bias(model, 4.5, decoder_2__conv2=[3])
    assert pruned_exactly(model, crops).widths == model.widths


def test_what_fires_in_a_stylisation_alone_is_kept(monkeypatch):
    model = lively("mobilenet")
    name = "decoder_3 conv2"
    bright, dark = np.full((1, SIZE, SIZE, 3), 0.9, np.float32), np.zeros((1, SIZE, SIZE, 3), np.float32)
    dark[:, :16, :16] = 1  # in the light of the other, brighter than either
    photos = [(bright,), (dark,)]
    highest = measure_responses(model, photos)[name].highest
    with monkeypatch.context() as patch:
        patch.setattr(responses, "observe_decoder", lambda *arguments: None)
        reconstructed = measure_responses(model, photos)[name].highest
        gap = (highest - reconstructed).argmax()
        bias = named_convolutions(model)[name].bias
        bias.assign(np.array(bias) - (highest + reconstructed)[gap] / 2 * (np.arange(8) == gap))
        assert not measure_responses(model, photos)[name].live[gap]
    assert measure_responses(model, photos)[name].live[gap]


def test_one_channel_stays_where_all_are_dead(crops):
    model = lively("vgg")
    set_bias(model, NEVER, encoder_3__conv3_3=list(range(8)))
    result = pruned_exactly(model, crops)
    assert result.widths.encoder[3][1] == 1
    assert_same_pictures(model, result, crops)


@pytest.mark.parametrize("name", STUDENTS)
def test_bounds_hold_and_prove_the_dead(name, crops, rng):
    model = lively(name)
    first = model.encoder_blocks[0].layers[-2]
    assert "conv1" in first.name
    set_bias(model, NEVER, **{f"encoder_0__{first.name}": [3]})
    found = bounds(model)
    assert found[f"encoder_0 {first.name}"][1][3] == 0
    noise = (rng.integers(0, 2, (1, 32, 32, 3)).astype(np.float32),)
    for convolution, response in measure_responses(model, [noise, *crops]).items():
        if convolution in found:
            lowest, highest = found[convolution]
            assert (lowest <= response.lowest + 1e-2).all()
            assert (response.highest <= highest + 1e-2).all()


# --- ranked --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def graded():
    """A VGG student whose conv3_3 has channels of very different norms."""
    model = lively("vgg")
    layer = named_convolutions(model)["encoder_3 conv3_3"]
    scale = np.random.default_rng(0).permutation(np.linspace(1, 2, 8)) ** 4
    layer.kernel.assign(layer.kernel * scale)
    layer.bias.assign(layer.bias * scale)
    return model


def test_the_least_channels_go_first(graded, crops):
    responses = measure_responses(graded, crops)
    kept = kept_exactly(graded, responses)
    norms = np.linalg.norm(responses["encoder_3 conv3_3"].norms, axis=0)
    index = next(i for i, axis in enumerate(axes(graded)) if axis.writers == ["encoder_3 conv3_3"])
    ranked = [channel for axis, channel in ranking(graded, responses, kept) if axis == index]
    assert ranked == np.argsort(norms)[:-1].tolist()
    left = kept_at_widths(graded, responses, kept, (4, 6, 8, 5))
    np.testing.assert_array_equal(np.flatnonzero(left[index]), np.sort(np.argsort(norms)[-5:]))
    widths = pruned(graded, left, responses).widths
    assert widths.encoder == ((4,), (4, 6), (6, 8), (5, 5, 5, 5))
    assert widths.decoder == graded.widths.decoder


def test_what_is_cut_leaves_its_mean(graded, crops):
    responses = measure_responses(graded, crops)
    kept = kept_exactly(graded, responses)
    index = next(i for i, axis in enumerate(axes(graded)) if axis.writers == ["encoder_3 conv3_3"])
    result = pruned(graded, without(kept, [(index, 7)]), responses)
    before, after = (named_convolutions(m)["encoder_3 conv3_4"] for m in (graded, result))
    mean = responses["encoder_3 conv3_3"].means[7]
    np.testing.assert_allclose(after.bias, before.bias + mean * np.sum(before.kernel[:, :, 7], axis=(0, 1)), rtol=1e-4)
    np.testing.assert_array_equal(after.kernel, np.delete(before.kernel, 7, axis=2))


# --- the command ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def student(tmp_path):
    """A student with dead channels, saved with a record."""
    model = lively("mobilenet")
    set_bias(model, NEVER, encoder_3__dw6=[0, 1, 2])
    checkpoints.save(model, tmp_path / "student.weights.h5", {"seed": 7})
    return tmp_path / "student.weights.h5"


def run(student, photos, *options, output="out.weights.h5"):
    arguments = [student, "--backbone", "mobilenet", "--dataset", photos, "-o", student.parent / output, "--size", str(SIZE)]
    return prune.main([str(argument) for argument in (*arguments, *options)])


def test_what_the_command_writes_loads_like_any_other(student, photos, crops, capsys, rng):
    assert run(student, photos) == 0
    out = capsys.readouterr().out
    assert "encoder_3 dw6           7  10     7" in out
    assert "rests on 3 photos of 32x32 pixels" in out
    assert "Of 3 dead channels in the encoder, bounds prove 3" in out
    before, after = mobilenet.load(student), mobilenet.load(student.parent / "out.weights.h5")
    assert after.widths.features == (4, 6, 8, 7)
    assert_same_pictures(before, after, crops)
    with h5py.File(student.parent / "out.weights.h5") as file:
        record = json.loads(file.attrs["description"])["record"]
    assert record["seed"] == 7
    assert record["pruned"]["photos"] == 3
    assert record["pruned"]["weights"] == [before.weight_count, after.weight_count]


def test_channels_are_cut_to_the_numbers_asked_for(student, photos):
    assert run(student, photos, "--channels", "3", "4", "5", "6") == 0
    widths = mobilenet.load(student.parent / "out.weights.h5").widths
    assert widths.encoder == ((3,), (3, 4, 4), (5,) * 4, (6,) * 4)
    assert widths.decoder == ((3,), (3, 3), (4, 4), (5, 5))


@pytest.mark.slow
def test_channels_are_cut_as_far_as_the_reconstruction_allows(student, photos, crops):
    model = mobilenet.load(student)
    target = reconstruction_quality(model, crops) - 0.5
    assert run(student, photos, "--keep-output-above", str(target)) == 0
    result = mobilenet.load(student.parent / "out.weights.h5")
    assert result.weight_count < pruned_exactly(model, crops).weight_count
    assert reconstruction_quality(result, crops) >= target - 1e-3


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--dataset", "nowhere"), "nowhere: no such folder"),
        (("-o", "out.h5"), "out.h5: a checkpoint's name ends in .weights.h5"),
        (("-o", "nowhere/out.weights.h5"), "nowhere: no such folder"),
        (("--backbone", "vgg"), "holds weights of the mobilenet backbone, not of vgg"),
        (("--channels", "8", "8"), "--channels: 2 numbers, but the student has 4 levels"),
        (("--keep-output-above", "99"), "--keep-output-above: 99 dB, but the student reconstructs at"),
        (("--size", "60"), "--size: 60 is not a multiple of 16"),
    ],
)
def test_what_cannot_be_done_is_one_line(student, photos, capfd, options, complaint):
    assert run(student, photos, *options) == 1
    error = capfd.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert complaint in error
    assert not (student.parent / "out.weights.h5").exists()


def test_nothing_is_overwritten_unasked(student, photos, capfd):
    assert run(student, photos, output="student.weights.h5") == 1
    assert "exists; --overwrite replaces it" in capfd.readouterr().err
    assert mobilenet.load(student).widths == WIDTHS["mobilenet"]
    assert run(student, photos, "--overwrite", output="student.weights.h5") == 0
    assert mobilenet.load(student).widths.features == (4, 6, 8, 7)


@pytest.mark.slow
def test_the_released_vgg_student_loses_two_thirds_of_its_weights(shared):
    model = vgg.load(shared("released/vgg"))
    crops = CentreCrops(photo_paths(shared("photos/val"))[:12], batch_size=1, size=192)
    result = pruned_exactly(model, crops)
    assert model.weight_count == 283_224
    assert result.weight_count <= 100_000
    assert largest_difference(model, result, crops) < 0.1
