"""Streaming: strips give what the whole photo gives."""

import keras
import numpy as np
import pytest
from PIL import Image

from common import streaming
from common.layers import convolutions, without_padding
from common.stylize import Stylizer
from mobilenet_backbone import student as mobilenet
from mobilenet_backbone import teacher
from vgg_backbone import student as vgg

STUDENTS = {"vgg": vgg, "mobilenet": mobilenet}


@pytest.fixture(scope="module", params=STUDENTS)
def model(request):
    keras.utils.set_random_seed(0)
    return STUDENTS[request.param].build()


@pytest.fixture
def photo(rng):
    """`photo(height, width)`: smooth random colours with some noise, floats."""

    def pixels(height, width):
        small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
        smooth = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)) / 255
        return np.clip(smooth + rng.normal(scale=0.05, size=smooth.shape), 0, 1).astype(np.float32)

    return pixels


@pytest.fixture
def rooms(monkeypatch):
    """Every `Room` there has been, in their order."""
    result = []
    monkeypatch.setattr(streaming, "Room", lambda memory, room=streaming.Room: result.append(room(memory)) or result[-1])
    return result


def psnr(first, second):
    return -10 * np.log10(np.mean((first - second) ** 2))


@pytest.mark.parametrize("size", [(203, 117), (16, 700), (700, 16), (97, 333)])
def test_strips_give_what_the_whole_photo_gives(model, photo, monkeypatch, size):
    require_the_same_in_strips(model, photo, monkeypatch, size)


def test_strips_of_a_teacher_that_pads_with_zeros_do_too(photo, monkeypatch):
    keras.utils.set_random_seed(0)
    require_the_same_in_strips(teacher.build(), photo, monkeypatch, (97, 130))


def require_the_same_in_strips(model, photo, monkeypatch, size):
    monkeypatch.setattr(streaming, "STRIP_NUMBERS", (4_000,) * 4)  # as few rows as there may be
    whole = Stylizer(model, smoothing=False)
    strips = Stylizer(model, smoothing=False, precision="full", streaming_above=0)
    content, style_photo = photo(*size), photo(150, 90)
    style = whole.analyze(style_photo)
    for ours, theirs in zip(strips.analyze(style_photo).statistics, style.statistics, strict=True):
        np.testing.assert_allclose(ours.mean, theirs.mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(ours.covariance, theirs.covariance, rtol=1e-3, atol=1e-4)
    assert psnr(strips.apply(content, style), whole.apply(content, style)) > 80


def test_without_padding_a_block_is_the_same_within(rng):
    for block, start in ((vgg.build().encoder_blocks[0], 0), (teacher.build(0).encoder_blocks[1], 1)):
        x = rng.random((1, 20, 24, block.input.shape[-1]), np.float32)
        whole, within = np.array(block(x)), without_padding(block)(x[:, start:, start:])
        _, height, width, _ = within.shape
        assert height < whole.shape[1]
        np.testing.assert_allclose(within, whole[:, 1 : 1 + height, 1 : 1 + width], atol=1e-5)


@pytest.mark.parametrize("name", STUDENTS)
def test_half_precision_takes_half_the_memory_and_differs_by_little(name, photo, rooms, monkeypatch):
    model = STUDENTS[name].load()
    forget = streaming.Rows.forget
    monkeypatch.setattr(streaming.Rows, "forget", lambda rows, stop: lows.append(rooms[-1].left) or forget(rows, stop))
    taken, results, content, style_photo = {}, {}, photo(203, 117), photo(150, 90)
    for precision in streaming.PRECISIONS:
        lows = []
        stylizer = Stylizer(model, smoothing=False, precision=precision, streaming_above=0)
        results[precision] = stylizer.apply(content, stylizer.analyze(style_photo))
        taken[precision] = stylizer.memory - min(lows)
    assert taken["half"] * 2 == taken["full"]
    assert 60 < psnr(results["half"], results["full"]) < 100


def test_half_precision_saturates_where_it_would_overflow(model, photo):
    bias = convolutions(model.encoder_blocks[2])[-1].bias
    before = np.array(bias)
    bias.assign(before + 1e6)
    stylizer = Stylizer(model, smoothing=False, streaming_above=0)
    content = photo(80, 60)
    try:
        assert np.isfinite(stylizer.apply(content, stylizer.analyze(content))).all()
    finally:
        bias.assign(before)


def test_scratch_files_give_what_memory_gives(model, photo):
    in_memory, in_files = (Stylizer(model, streaming_above=0, memory=memory) for memory in (1e9, 1))
    style = in_memory.analyze(photo(80, 60))
    content = photo(120, 100)
    np.testing.assert_array_equal(in_files.apply(content, style), in_memory.apply(content, style))


def test_one_photo_leaves_nothing_behind_for_the_next(model, photo):
    stylizer = Stylizer(model, streaming_above=0)
    style, content = stylizer.analyze(photo(80, 60)), photo(120, 100)
    first = stylizer.apply(content, style)
    stylizer.apply(photo(90, 130), stylizer.analyze(photo(64, 64)))
    np.testing.assert_array_equal(stylizer.apply(content, style), first)


def test_rows_that_were_read_are_forgotten(model, photo, rooms, monkeypatch):
    monkeypatch.setattr(streaming, "STRIP_NUMBERS", (4_000,) * 4)
    stylizer = Stylizer(model, streaming_above=0)
    stylizer.apply(photo(200, 120), stylizer.analyze(photo(200, 120)))
    assert rooms[-1].left == stylizer.memory


def test_progress_ends_at_the_whole(model, photo):
    shares = []
    stylizer = Stylizer(model, streaming_above=0, progress=shares.append)
    style = stylizer.analyze(photo(80, 60))
    assert sum(shares) == pytest.approx(1)
    stylizer.apply(photo(120, 100), style)
    assert sum(shares) == pytest.approx(2)
