"""The commands `sample` and `evaluate`: sheets, numbers, the networks that images are compared by, and what is refused."""

import json

import numpy as np
import onnx
import pytest
from PIL import Image

from common.errors import InputError
from stargan_v2 import checkpoints, evaluate, evaluation, make_day_and_dusk, sample
from stargan_v2.feature_networks import Inception, Lpips
from tests.toys import write_photos


@pytest.fixture(scope="module")
def toy_set(tmp_path_factory):
    """A set that `make_day_and_dusk` made."""
    folder = tmp_path_factory.mktemp("set")
    write_photos(folder / "photos", 44)
    assert make_day_and_dusk.main([str(folder / "photos"), "-o", str(folder / "made"), "--size", "16"]) == 0
    return folder / "made"


def write_onnx(path, nodes, inputs, output_rank):
    """An ONNX file of some nodes, from inputs `(any, 3, any, any)` to `y`."""
    value = onnx.helper.make_tensor_value_info
    kinds = [value(name, onnx.TensorProto.FLOAT, ["n", 3, "h", "w"]) for name in inputs]
    result = value("y", onnx.TensorProto.FLOAT, [None] * output_rank)
    graph = onnx.helper.make_graph(nodes, "network", kinds, [result])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.fixture
def pooling(tmp_path):
    """An ONNX file that gives the means of channels, in place of Inception."""
    return write_onnx(tmp_path / "pool.onnx", [onnx.helper.make_node("GlobalAveragePool", ["x"], ["y"])], ["x"], 4)


@pytest.fixture
def difference(tmp_path):
    """An ONNX file that gives mean absolute differences, in place of LPIPS."""
    nodes = [
        onnx.helper.make_node("Sub", ["a", "b"], ["d"]),
        onnx.helper.make_node("Abs", ["d"], ["e"]),
        onnx.helper.make_node("ReduceMean", ["e"], ["y"], axes=[1, 2, 3], keepdims=1),
    ]
    return write_onnx(tmp_path / "difference.onnx", nodes, ["a", "b"], 4)


# --- sample --------------------------------------------------------------------------------------------------------------


def photos_of(domains, name):
    return [str(path) for path in sorted((domains / name).iterdir())]


def test_latent_sheets_have_the_photos_above_a_row_for_each_style(teacher, domains, tmp_path):
    arguments = [str(teacher), *photos_of(domains, "day"), "-o", str(tmp_path / "out"), "--rows", "3"]
    assert sample.main(arguments) == 0
    sheets = {path.name: Image.open(path) for path in (tmp_path / "out").iterdir()}
    assert {name: sheet.size for name, sheet in sheets.items()} == {"day.png": (64, 64), "dusk.png": (64, 64)}
    above = np.asarray(sheets["day.png"])[:16]
    np.testing.assert_array_equal(above, np.asarray(sheets["dusk.png"])[:16])
    assert (np.asarray(sheets["day.png"])[16:32] != above).any()


def test_reference_sheets_show_the_references_at_the_left(teacher, domains, tmp_path, capsys):
    references = [word for path in photos_of(domains, "dusk")[:2] for word in ("--reference", path)]
    arguments = [str(teacher), *photos_of(domains, "day"), "-o", str(tmp_path / "out"), "--domain", "dusk", *references]
    assert sample.main(arguments) == 0
    (path,) = (tmp_path / "out").iterdir()
    sheet = np.asarray(Image.open(path))
    assert sheet.shape == (3 * 16, 5 * 16, 3)
    assert (sheet[:16, :16] == 255).all()
    expected = evaluation.read([references[1]], 16)[0]
    np.testing.assert_allclose(sheet[16:32, :16] / 127.5 - 1, expected, atol=0.01)
    assert sample.main(arguments) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert sample.main([*arguments, "--overwrite"]) == 0


def test_a_domain_the_networks_do_not_know_is_named(teacher, domains, tmp_path, capsys):
    assert sample.main([str(teacher), *photos_of(domains, "day"), "-o", str(tmp_path), "--domain", "night"]) == 1
    assert capsys.readouterr().err == "error: --domain night: the networks know day, dusk\n"


# --- evaluate ------------------------------------------------------------------------------------------------------------


def test_a_network_is_as_good_as_itself(teacher, toy_set, pooling, difference, tmp_path):
    report = tmp_path / "report.json"
    arguments = f"{teacher} --photos {toy_set}/train --teacher {teacher} --truth {toy_set}/truth.json --outputs 2"
    arguments += f" --inception {pooling} --lpips {difference} -o {report}"
    assert evaluate.main(arguments.split()) == 0
    numbers = json.loads(report.read_text())
    assert numbers["against_teacher"] == pytest.approx(
        {"l1": 0, "psnr": 100, "haar_details": 0, "gka": 1, "l1_own_styles": 0, "style": 0}, abs=1e-4
    )
    assert numbers["cost"]["file_bytes"] == (teacher / "networks.npz").stat().st_size
    assert set(numbers["fid"]) == {"frechet_latent", "frechet_reference"}
    assert numbers["lpips"]["diversity_reference"] > 0
    assert {"r2_exposure", "l1_to_dusk", "psnr_to_day"} < set(numbers["against_truth"])


def test_truth_is_compared_with_what_is_made_of_its_photo_and_reference(teacher, toy_set):
    networks = checkpoints.load(teacher).networks
    truth = evaluate.read_truth(toy_set / "truth.json")
    entries = [entry for entry in truth["answers"] if entry["target"] == "dusk"]
    parts = ([toy_set / entry[part] for entry in entries] for part in ("photo", "reference", "answer"))
    photo, reference, answer = (evaluation.read(paths, 16) for paths in parts)
    style = networks["encoder"]([reference, np.float32([[0, 1]] * len(entries))])
    made = np.asarray(networks["generator"]([photo, np.asarray(style)])[0])
    values = evaluation.against_truth(networks, ("day", "dusk"), toy_set, truth, 16)
    assert values["l1_to_dusk"] == pytest.approx(np.abs(made - answer).mean() / 2, rel=1e-3)
    assert values["l1_untouched_dusk"] == pytest.approx(np.abs(photo - answer).mean() / 2, rel=1e-4)


@pytest.mark.slow
def test_vgg_is_named_and_sees_no_distance_between_equal_sets(shared, rng):
    from stargan_v2.feature_networks import Vgg

    vgg = Vgg(shared("teachers/vgg19_normalised_to_conv3_1.npz"))
    images = rng.uniform(-1, 1, (3, 32, 32, 3)).astype(np.float32)
    assert vgg.vectors(images).shape == (3, 256)
    np.testing.assert_allclose(vgg.distance(images, images), 0)
    assert (vgg.distance(images, images[::-1])[[0, 2]] > 0.01).all()


def test_inception_sees_large_normalised_planes(pooling):
    grey = np.zeros((2, 8, 8, 3), np.float32)
    expected = (0.5 - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    np.testing.assert_allclose(Inception(pooling).vectors(grey), [expected] * 2, atol=1e-4)


def test_lpips_takes_pairs(difference):
    black = np.full((2, 8, 8, 3), -1, np.float32)
    np.testing.assert_allclose(Lpips(difference).distance(black, -black), [2, 2])


def test_an_onnx_file_has_to_take_what_it_is_given(pooling, tmp_path):
    with pytest.raises(InputError, match="takes 1 inputs, but 2"):
        Lpips(pooling)
    (tmp_path / "text.onnx").write_text("text")
    with pytest.raises(InputError, match=r"text\.onnx is no network"):
        Inception(tmp_path / "text.onnx")
    with pytest.raises(InputError, match="no such file"):
        Inception(tmp_path / "nowhere.onnx")


@pytest.mark.parametrize("text", ["text", "{}", '{"answers": [], "parameters": {}}', "[]"])
def test_a_truth_that_is_none_is_named(teacher, toy_set, tmp_path, capsys, text):
    (tmp_path / "truth.json").write_text(text)
    assert evaluate.main([str(teacher), "--photos", str(toy_set / "test"), "--truth", str(tmp_path / "truth.json")]) == 1
    error = capsys.readouterr().err
    assert "make_day_and_dusk" in error
    assert error.count("\n") == 1


def test_a_truth_of_other_domains_is_named(teacher, domains, toy_set, tmp_path, capsys):
    truth = json.loads((toy_set / "truth.json").read_text())
    truth["answers"][0]["target"] = "night"
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    assert evaluate.main([str(teacher), "--photos", str(domains), "--truth", str(tmp_path / "truth.json")]) == 1
    assert "has answers for night" in capsys.readouterr().err


def test_one_photo_has_no_distribution(teacher, toy_set, pooling, capsys):
    lonely = ["--real", str(toy_set / "tune"), "--inception", str(pooling)]
    assert evaluate.main([str(teacher), "--photos", str(toy_set / "test"), *lonely]) == 1
    assert "needs two photos" in capsys.readouterr().err


def test_other_domains_are_named(teacher, domains, tmp_path, capsys):
    for name in ("night", "noon"):
        (tmp_path / name).symlink_to(domains / "day")
    assert evaluate.main([str(teacher), "--photos", str(tmp_path)]) == 1
    assert "has the domains night, noon, but the networks know day, dusk" in capsys.readouterr().err
