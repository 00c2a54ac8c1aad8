"""Checkpoints: the project's own, and the paper's released ones."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from common.errors import InputError
from common.network import backbone, checkpoints
from common.network.variables import decoder_variables, encoder_variables
from mobilenet_backbone import student as mobilenet
from tests.toys import write_tensorflow
from vgg_backbone import student as vgg

ROOT = Path(__file__).resolve().parents[2]
STUDENTS = {"vgg": vgg, "mobilenet": mobilenet}
TEACHER_WIDTHS = {"vgg": (64, 128, 256, 512), "mobilenet": (32, 64, 128, 256)}


def weights(model):
    return [array for block in model.encoder_blocks + model.decoder_blocks for array in block.get_weights()]


def assert_equal_weights(first, second):
    for a, b in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(a, b)


def eigenbases(rng, model, name):
    pairs = zip(TEACHER_WIDTHS[name], model.widths.features, strict=True)
    return [rng.random((teacher, student), np.float32) for teacher, student in pairs]


@pytest.fixture(params=STUDENTS)
def released(request, rng, tmp_path):
    """Name, student, and the arrays of its two released files."""
    model = STUDENTS[request.param].build()
    encoder = {key: np.asarray(variable) for key, variable in encoder_variables(model).items()}
    encoder |= {f"conv_aux/{level}": basis for level, basis in enumerate(eigenbases(rng, model, request.param))}
    decoder = {key: np.asarray(variable) for key, variable in decoder_variables(model).items()}
    return request.param, model, encoder, decoder


def load_released(tmp_path, name, encoder, decoder):
    write_tensorflow(tmp_path / "sencoder", encoder)
    write_tensorflow(tmp_path / "sdecoder", decoder)
    return STUDENTS[name].load(tmp_path)


def test_released_files_load_with_their_eigenbases(released, tmp_path):
    name, model, encoder, decoder = released
    loaded = load_released(tmp_path, name, encoder, decoder)
    assert_equal_weights(loaded, model)
    np.testing.assert_array_equal(loaded.eigenbases[2], encoder["conv_aux/2"])


def a_bias(arrays):
    return next(key for key in arrays if key.endswith("layer_with_weights-0/bias"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda arrays: arrays.pop("conv_aux/1"), "conv_aux/1 is missing"),
        (lambda arrays: arrays.update({"conv_aux/1": np.zeros((64, 7), np.float32)}), r"conv_aux/1 has shape \(64, 7\)"),
        (lambda arrays: arrays.pop(a_bias(arrays)), "layer_with_weights-0/bias is missing"),
        (lambda arrays: arrays.update({"extra/kernel": np.zeros(3, np.float32)}), "extra/kernel is not of this network"),
        (lambda arrays: arrays.update({a_bias(arrays): np.zeros((9, 9), np.float32)}), r"has shape \(9, 9\) but must be"),
        (lambda arrays: arrays.update({a_bias(arrays): arrays[a_bias(arrays)] * np.nan}), "is not finite"),
    ],
)
def test_every_variable_of_a_released_file_is_accounted_for(released, tmp_path, change, complaint):
    name, _, encoder, decoder = released
    change(encoder)
    with pytest.raises(InputError, match=complaint):
        load_released(tmp_path, name, encoder, decoder)


def test_released_files_of_the_other_backbone_are_refused(released, tmp_path):
    name, _, encoder, decoder = released
    load_released(tmp_path, name, encoder, decoder)
    other = "vgg" if name == "mobilenet" else "mobilenet"
    with pytest.raises(InputError, match="weights of another backbone, not of"):
        STUDENTS[other].load(tmp_path)


def test_a_folder_without_released_files_is_named(tmp_path):
    with pytest.raises(InputError, match=r"sencoder.index: no such file"):
        vgg.load(tmp_path)


def test_a_damaged_released_file_is_refused(released, tmp_path):
    name, _, encoder, decoder = released
    load_released(tmp_path, name, encoder, decoder)
    (tmp_path / "sencoder.data-00000-of-00001").write_bytes(b"short")
    with pytest.raises(InputError, match="damaged checkpoint"):
        STUDENTS[name].load(tmp_path)


@pytest.mark.parametrize("name", STUDENTS)
def test_the_published_files_load(shared, name):
    model = STUDENTS[name].load(shared(f"released/{name}"))
    shapes = [basis.shape for basis in model.eigenbases]
    assert shapes == list(zip(TEACHER_WIDTHS[name], model.widths.features, strict=True))


@pytest.mark.parametrize("name", STUDENTS)
def test_own_checkpoint_comes_back_as_it_was_saved(rng, tmp_path, name):
    model = STUDENTS[name].build()
    model.eigenbases = eigenbases(rng, model, name)
    checkpoints.save(model, tmp_path / "model.weights.h5", record={"seed": 1})
    loaded = STUDENTS[name].load(tmp_path / "model.weights.h5")
    assert_equal_weights(loaded, model)
    for saved, basis in zip(model.eigenbases, loaded.eigenbases, strict=True):
        np.testing.assert_array_equal(saved, basis)
    assert [path.name for path in tmp_path.iterdir()] == ["model.weights.h5"]


def test_own_checkpoint_keeps_widths_other_than_the_papers(tmp_path):
    widths = vgg.WIDTHS._replace(
        encoder=((7,), (6, 20), (20, 58), (58, 40, 58, 64)), decoder=((3,), (7, 7), *vgg.WIDTHS.decoder[2:])
    )
    checkpoints.save(vgg.build(widths), tmp_path / "pruned.weights.h5")
    loaded = vgg.load(tmp_path / "pruned.weights.h5")
    assert loaded.widths == widths
    assert loaded.eigenbases is None


def test_own_checkpoint_of_the_other_backbone_is_refused(tmp_path):
    checkpoints.save(mobilenet.build(), tmp_path / "model.weights.h5")
    with pytest.raises(InputError, match="weights of the mobilenet backbone, not of vgg"):
        vgg.load(tmp_path / "model.weights.h5")


def damaged(path, change):
    """A sound checkpoint at `path`, but for what `change` does to the open file."""
    checkpoints.save(mobilenet.build(eigenbases=[np.eye(9, w, dtype=np.float32) for w in (10, 19, 37, 54)]), path)
    with h5py.File(path, "a") as file:
        change(file)
    return path


def described(text):
    return lambda file: file.attrs.__setitem__("description", text)


def all_datasets(file):
    names = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return [name for name in names if not name.startswith("eigenbases")]


def spoil_weights(file):
    file[all_datasets(file)[0]][...] = np.nan


@pytest.mark.parametrize(
    "change",
    [
        described("[]"),
        described("7"),
        described("{}"),
        described('{"backbone": "mobilenet"}'),
        *(
            described(f'{{"backbone": "mobilenet", "widths": {widths}}}')
            for widths in ("null", '"wide"', '{"encoder": [[-1]], "decoder": [[3]]}', '{"encoder": "x", "decoder": null}')
        ),
        lambda file: file.attrs.__delitem__("description"),
        lambda file: file.__delitem__(all_datasets(file)[0]),
        spoil_weights,
        lambda file: file["eigenbases/1"].__setitem__(..., np.nan),
        lambda file: file["eigenbases/0"].__setitem__(..., 0),
    ],
)
def test_a_damaged_checkpoint_is_refused_in_one_line(tmp_path, change):
    path = damaged(tmp_path / "model.weights.h5", change)
    with pytest.raises(InputError) as caught:
        mobilenet.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no weights", None])
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "model.weights.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.weights\.h5.*no.* checkpoint"):
        vgg.load(path)


def test_without_weights_the_error_says_where_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setattr(backbone, "CKPTS", tmp_path)
    with pytest.raises(InputError, match=r"common\.commands\.download vgg"):
        vgg.load()
