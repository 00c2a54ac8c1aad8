"""The network run by ONNX Runtime is the Keras network; stylising with it needs neither Keras nor TensorFlow."""

import json
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from common.commands import export
from common.errors import InputError
from common.network import checkpoints, onnx_network, registry
from common.network.autoencoder import high_frequencies
from common.network.backbone import CKPTS
from common.network.onnx_export import write_student
from common.network.onnx_network import DESCRIPTION, load_student
from common.photos import read_rgb
from common.transfer.style import Style
from common.transfer.stylizer import Stylizer
from mobilenet_backbone import student as mobilenet
from vgg_backbone import student as vgg

STUDENTS = {"vgg": vgg, "mobilenet": mobilenet}
PHOTOS = CKPTS.parent / "notebooks" / "photos"


def psnr(first, second):
    return -10 * np.log10(np.mean((first - second) ** 2))


@pytest.fixture(scope="module", params=STUDENTS)
def engines(request):
    """A shipped student as run by ONNX Runtime and by Keras."""
    return load_student(registry.backbone(request.param)), STUDENTS[request.param].load()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A narrow MobileNet student with arbitrary weights, and its ONNX file."""
    keras.utils.set_random_seed(0)
    widths = mobilenet.WIDTHS._replace(
        encoder=((4,), (4, 6, 6), (8, 8, 8, 8), (10, 10, 10, 10)), decoder=((3,), (4, 4), (6, 6), (8, 8))
    )
    model = mobilenet.build(widths)
    path = tmp_path_factory.mktemp("onnx") / "student.onnx.zip"
    write_student(model, path, {"seed": 0})
    return model, path


def test_features_skips_and_image_are_those_of_keras(engines, rng):
    onnx, model = engines
    photo = rng.random((1, 48, 80, 3), np.float32)
    for ours, theirs in zip(onnx.encode(photo), model.encode(photo), strict=True):
        for level, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            other = np.asarray(other)
            assert np.abs(mine - other).max() < 1e-4 * max(1, np.abs(other).max()), level
    features, skips = onnx.encode(photo)
    for level in range(4):
        other = np.asarray(model.decode(level, features[level], skips[level]))
        assert np.abs(onnx.decode(level, features[level], skips[level]) - other).max() < 1e-4 * np.abs(other).max()


def test_the_shipped_files_are_of_the_same_weights(engines):
    onnx, model = engines
    assert onnx.fingerprint() == model.fingerprint()
    assert onnx.widths == model.widths
    assert onnx.strides == model.strides
    assert onnx.weight_count == model.weight_count


def test_pictures_of_both_engines_agree(engines):
    content, style = (read_rgb(PHOTOS / f"lake_{kind}.jpg").astype(np.float32) / 255 for kind in ("content", "style"))
    stylizers = [Stylizer(network, finish="none", size=400) for network in engines]
    results = [stylizer.apply(content, stylizer.analyze(style)) for stylizer in stylizers]
    assert psnr(*results) > 60


def test_a_style_saved_with_one_engine_works_in_the_other(engines, tmp_path, rng):
    content, style = rng.random((2, 64, 96, 3), np.float32)
    stylizers = [Stylizer(network) for network in engines]
    for saving, taking in (stylizers, stylizers[::-1]):
        saving.analyze(style).save(tmp_path / "style.npz")
        result = taking.apply(content, Style.load(tmp_path / "style.npz"))
        assert psnr(result, taking.apply(content, taking.analyze(style))) > 60


@pytest.mark.parametrize("size", [(7, 9), (16, 1), (1, 30)])
def test_skips_are_those_of_keras_at_any_size(rng, size):
    x = rng.random((1, *size, 5), np.float32)
    np.testing.assert_allclose(onnx_network.high_frequencies(x), high_frequencies(x), atol=1e-6)


def test_an_exported_student_is_the_student(exported, rng):
    model, path = exported
    network = load_student(registry.backbone("mobilenet"), path)
    photo = rng.random((1, 32, 64, 3), np.float32)
    features, skips = network.encode(photo)
    x = features[3]
    for level in (3, 2, 1, 0):
        x = network.decode(level, x, skips[level])
    np.testing.assert_allclose(x, model.reconstruct(photo), atol=1e-4)
    assert network.record == {"seed": 0}
    assert network.widths == model.widths


def test_the_command_writes_a_student_and_where_it_came_from(tmp_path, exported, capsys):
    path = tmp_path / "out.onnx.zip"
    checkpoint = CKPTS / "mobilenet" / "student.weights.h5"
    assert export.main("mobilenet", "Export.", ["-o", str(path), "--checkpoint", str(checkpoint)]) == 0
    network = load_student(registry.backbone("mobilenet"), path)
    assert network.record["sha256"].keys() == {"student.weights.h5"}
    assert network.record["checkpoint"] == checkpoints.read_record(checkpoint)
    for arguments, complaint in (
        (["-o", str(path)], "exists; --overwrite replaces it"),
        (["-o", str(tmp_path / "out.onnx")], "the name has to end in .onnx.zip"),
        (["-o", str(tmp_path / "none" / "out.onnx.zip")], "no such folder"),
        (["-o", str(tmp_path / "b.onnx.zip"), "--checkpoint", str(tmp_path / "c.h5")], "no such checkpoint"),
    ):
        assert export.main("mobilenet", "Export.", arguments) == 1
        assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("module", ["mobilenet_backbone.stylize", "common.commands.pcakd"])
def test_stylising_imports_neither_keras_nor_tensorflow(tmp_path, module):
    arguments = [str(PHOTOS / "city_content.jpg"), str(PHOTOS / "city_style.jpg"), "-o", str(tmp_path / "out.jpg")]
    arguments = ["stylize", *arguments] if module == "common.commands.pcakd" else arguments
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['x', *{arguments}]\n"
        f"try: runpy.run_module('{module}', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "print(sorted({'keras', 'tensorflow', 'jax', 'scipy', 'matplotlib', 'h5py'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CKPTS.parent, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert (tmp_path / "out.jpg").exists()


def changed(path, target, members):
    """The zip archive at `path` with some members replaced, or left out where they are None."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as packed:
        for name in source.namelist():
            if (content := members.get(name, source.read(name))) is not None:
                packed.writestr(name, content)
    return target


def test_what_is_no_onnx_file_of_this_project_is_refused(exported, tmp_path):
    _, path = exported
    with zipfile.ZipFile(path) as packed:
        description = json.loads(packed.read(DESCRIPTION))
        blocks = {name: packed.read(name) for name in packed.namelist()}
    with zipfile.ZipFile(tmp_path / "empty.onnx.zip", "w"):
        pass
    (tmp_path / "text.onnx.zip").write_text("no archive")
    (tmp_path / "cut.onnx.zip").write_bytes(path.read_bytes()[:2000])

    def described(**fields):
        return {DESCRIPTION: json.dumps(description | fields)}

    cases = {
        "json": ({DESCRIPTION: "{"}, "not an ONNX file"),
        "list": ({DESCRIPTION: "[]"}, "not an ONNX file"),
        "kind": (described(kind="model"), "not an ONNX file"),
        "version": (described(version=99), "version 99"),
        "backbone": (described(backbone="vgg"), "weights of the vgg backbone"),
        "widths": (described(widths=None), "not an ONNX file"),
        "negative": (described(widths={"encoder": [[-4]] * 4, "decoder": [[3]] * 4}), "damaged"),
        "strides": (described(strides="none"), "not an ONNX file|damaged"),
        "json text": ({DESCRIPTION: json.dumps("description")}, "not an ONNX file"),
        "no description": ({DESCRIPTION: None}, "not an ONNX file"),
        "no strides": (described(strides=[]), "not an ONNX file|damaged"),
        "stride 0": (described(strides=[0, 2, 4, 8]), "no usable strides"),
        "large stride": (described(strides=[2, 4, 8, 10**9]), "no usable strides"),
        "no widths": (described(widths={"encoder": [[]] * 4, "decoder": [[]] * 4}), "not an ONNX file"),
        "memory": (described(bytes_per_pixel="x"), "no usable bytes_per_pixel"),
        "fingerprint": (described(fingerprint=None), "no usable fingerprint"),
        "missing": ({"decoder_2.onnx": None}, "not an ONNX file"),
        "garbage": ({"encoder_1.onnx": b"garbage"}, "not an ONNX file"),
        "swapped": ({"encoder_1.onnx": blocks["encoder_2.onnx"]}, "damaged"),
    }
    for left_out in description:
        fields = {name: value for name, value in description.items() if name != left_out}
        complaint = "weights of the None backbone" if left_out == "backbone" else "not an ONNX file|no usable"
        cases[f"without {left_out}"] = {DESCRIPTION: json.dumps(fields)}, complaint
    for name, (members, _) in cases.items():
        changed(path, tmp_path / f"{name}.onnx.zip", members)
    complaints = {name: complaint for name, (_, complaint) in cases.items()}
    complaints |= dict.fromkeys(("empty", "text", "cut"), "not an ONNX file") | {"none": "no such file"}
    for name, complaint in complaints.items():
        with pytest.raises(InputError, match=complaint) as caught:
            load_student(registry.backbone("mobilenet"), tmp_path / f"{name}.onnx.zip")
        assert "\n" not in str(caught.value)
