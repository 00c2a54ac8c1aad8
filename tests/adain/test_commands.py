"""The commands: styles made, a network trained, stopped and resumed, used, cut and measured."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from adain import make_styles, measure, prune, stylize, train, training, weights
from adain.presets import PRESETS
from tests.toys import write_photos

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return write_photos(tmp_path_factory.mktemp("adain") / "photos", 4)


@pytest.fixture(scope="module")
def styles(photos):
    folder = photos.parent / "styles"
    assert make_styles.main([str(photos), "-o", str(folder), "--count", "6"]) == 0
    return folder


def arguments(photos, styles, vgg, run, *more):
    options = {
        "--content": photos,
        "--style": styles,
        "--weights": vgg,
        "--save-to": run,
        "--feature": "relu3_1",
        "--steps": 4,
        "--interval": 2,
        "--batch-size": 2,
        "--crop": 16,
        "--shorter-side": 32,
    }
    return [str(word) for option in options.items() for word in option] + list(map(str, more))


@pytest.fixture(scope="module")
def run(photos, styles, vgg):
    """The folder of a finished run with every loss, the last convolution trained."""
    folder = photos.parent / "run"
    more = ("--preset", "channel-xor", "--uncorrelation-weight", 50, "--train-from", "conv3_1")
    more += ("--half-alive", "annealed", "--channel-weight", "auto")
    assert train.main(arguments(photos, styles, vgg, folder, *more)) == 0
    return folder


def test_styles_of_a_seed_are_the_same_and_of_every_kind(photos, styles, tmp_path):
    assert make_styles.main([str(photos), "-o", str(tmp_path / "again"), "--count", "6"]) == 0
    first, again = (sorted(folder.iterdir()) for folder in (styles, tmp_path / "again"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert {Image.open(path).size for path in first} == {(256, 256)}


@pytest.mark.parametrize("kind", make_styles.KINDS)
def test_every_kind_of_style_shows_something(rng, kind):
    photo = rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)
    image = make_styles.KINDS[kind](rng, photo)
    assert image.dtype == np.uint8
    assert image.shape == (256, 256, 3)
    assert image.std() > 5


def test_styles_do_not_go_into_a_folder_that_holds_something(photos, capsys):
    assert make_styles.main([str(photos), "-o", str(photos)]) == 1
    assert "give a new folder" in capsys.readouterr().err


def test_a_run_leaves_a_network_a_record_samples_and_curves(run):
    network = weights.load(run / "adain.npz")
    record = json.loads((run / "adain.json").read_text())
    assert network.bottleneck == 256
    assert record["loss_weights"]["xor"] == pytest.approx(record["loss_weights"]["channel"] / 20)
    assert record["loss_weights"]["channel"] > 0
    assert {path.name for path in run.glob("*.png")} == {"samples.png", "curves.png"}
    header = (run / "log.csv").read_text().splitlines()[0].split(",")
    assert {"content", "style", "uncorrelation", "channel", "xor", "live"} <= set(header)


def test_only_what_is_to_learn_learns(run, vgg, photos):
    from common.photos import photo_paths

    before = weights.pretrained_encoder(vgg, "relu3_1", train.scaling_crops(photo_paths(photos)))
    after = weights.load(run / "adain.npz").encoder
    same = [
        np.array_equal(*(layer.get_weights()[0] for layer in (before.get_layer(name), after.get_layer(name))))
        for name in ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1")
    ]
    assert same == [True, True, True, True, False]


@pytest.mark.slow
def test_a_run_that_was_cut_short_ends_as_if_it_had_not_been(photos, styles, vgg, run, tmp_path, monkeypatch):
    more = ("--preset", "channel-xor", "--uncorrelation-weight", 50, "--train-from", "conv3_1")
    more += ("--half-alive", "annealed", "--channel-weight", "auto")
    command = arguments(photos, styles, vgg, tmp_path / "cut", *more)

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    whole = training.Samples.on_epoch_end
    monkeypatch.setattr(training.Samples, "on_epoch_end", Stop.on_epoch_end)
    assert train.main(command) == 130
    monkeypatch.setattr(training.Samples, "on_epoch_end", whole)
    assert train.main(command) == 0
    with np.load(run / "adain.npz") as first, np.load(tmp_path / "cut" / "adain.npz") as again:
        for name in first.files:
            if first[name].dtype.kind == "f":
                np.testing.assert_allclose(again[name], first[name], atol=1e-5)


def test_a_run_of_something_else_is_not_gone_on_with(photos, styles, vgg, run, capsys):
    assert train.main(arguments(photos, styles, vgg, run, "--preset", "uncorrelation")) == 1
    assert "made from other" in capsys.readouterr().err


def test_a_part_whose_rate_is_0_stays_as_it_is(photos, styles, vgg, run, tmp_path):
    more = ("--start", run / "adain.npz", "--preset", "uncorrelation", "--decoder-learning-rate", 0)
    assert train.main(arguments(photos, styles, vgg, tmp_path / "run", *more, "--steps", 2)) == 0
    before, after = (weights.load(folder / "adain.npz") for folder in (run, tmp_path / "run"))
    assert all(map(np.array_equal, before.decoder.get_weights(), after.decoder.get_weights()))
    assert not np.array_equal(before.encoder.get_weights()[0], after.encoder.get_weights()[0])


def test_the_encoder_learns_at_a_rate_of_its_own():
    """Adam's first step is the learning rate, whatever the gradient."""
    variables = [keras.Variable([1.0]), keras.Variable([1.0])]
    optimizer = training.GroupedAdam(0.1, [0.5, 1.0])
    optimizer.apply([np.array([3.0], np.float32)] * 2, variables)
    assert [float(np.asarray(v)[0]) for v in variables] == pytest.approx([0.95, 0.9], abs=1e-5)


def test_the_presets_are_the_published_ones():
    options = train.command_parser().parse_args(
        ["--content", "a", "--style", "b", "--weights", "c", "--save-to", "d", "--preset", "channel-xor"]
    )
    assert train.settings(options) == (
        {"content": 1.0, "style": 100, "uncorrelation": 0, "channel": 1e4, "xor": 500},
        {"encoder_rate": 5e-6, "decoder_rate": 1e-4},
    )
    assert (options.steps, options.batch_size, options.crop, options.shorter_side) == (80_000, 4, 256, 512)
    assert PRESETS["baseline"]["encoder_rate"] == 0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--steps", 3), "not a multiple of 2"),
        (("--style-weight", "auto"), "only --channel-weight"),
        (("--channel-weight", "auto", "--xor-weight", 1), "leave out --xor-weight"),
        (("--decoder-learning-rate", 0), "nothing is trained"),
        (("--weights", "missing.npz"), "no such file"),
        (("--train-from", "conv9"), "no layer conv9"),
        (("--crop", 18), "not a multiple of 4"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(photos, styles, vgg, tmp_path, capsys, more, message):
    assert train.main(arguments(photos, styles, vgg, tmp_path / "run", *more)) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_photo_and_a_folder_are_painted(photos, styles, run, tmp_path):
    style, checkpoint = next(styles.iterdir()), ("--checkpoint", str(run / "adain.npz"))
    assert stylize.main([str(photos / "0.png"), str(style), "-o", str(tmp_path / "one.png"), *checkpoint]) == 0
    assert stylize.main([str(photos), str(style), "-o", str(tmp_path / "all"), *checkpoint]) == 0
    one, of_folder = (np.asarray(Image.open(path)) for path in (tmp_path / "one.png", tmp_path / "all" / "0.png"))
    assert one.shape == (72, 80, 3)
    np.testing.assert_array_equal(one, of_folder)
    assert len(list((tmp_path / "all").iterdir())) == 4


@pytest.mark.parametrize(
    ("content", "style", "message"),
    [
        ("missing.jpg", "0.png", "no such file"),
        ("0.png", "missing.jpg", "no such file"),
        ("text.jpg", "0.png", "not a photo"),
        ("tiny.png", "0.png", "at least 16x16"),
        ("0.png", "0.png", "exists"),
    ],
)
def test_what_cannot_be_painted_is_said_in_one_sentence(photos, run, tmp_path, capsys, content, style, message):
    folder = write_photos(tmp_path / "photos", 1)
    (folder / "text.jpg").write_text("no photo")
    Image.new("RGB", (5, 5)).save(folder / "tiny.png")
    output = tmp_path / "out.png"
    if message == "exists":
        output.write_text("kept")
    words = [folder / content, folder / style, "-o", output, "--checkpoint", run / "adain.npz"]
    assert stylize.main(list(map(str, words))) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_network_is_cut(photos, styles, run, tmp_path, capsys):
    words = [run / "adain.npz", "--dataset", photos, "--style", styles, "--channels", 16, 200, "-o", tmp_path / "out"]
    assert prune.main([*map(str, words), "--size", "32", "--half"]) == 0
    assert weights.load(tmp_path / "out" / "pruned_200.npz").bottleneck == 56
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {"liveness.png", "norms.png", "panel.png"}
    cost = json.loads((tmp_path / "out" / "pruned.json").read_text())["cost"]
    assert cost["0"]["parameters"] - cost["16"]["parameters"] == 16 * 2305
    assert cost["200"]["multiplications"] < cost["0"]["multiplications"]
    assert prune.main([*map(str, words), "--size", "32"]) == 1
    assert "give a new folder" in capsys.readouterr().err


def test_too_many_channels_cannot_be_cut(photos, styles, run, tmp_path, capsys):
    words = [run / "adain.npz", "--dataset", photos, "--style", styles, "--channels", 256, "-o", tmp_path / "out"]
    assert prune.main([*map(str, words), "--size", "32"]) == 1
    assert "from 0 to 255 of 256" in capsys.readouterr().err


def test_networks_are_measured(photos, styles, vgg, run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(measure, "CUTS", (0, 16))
    monkeypatch.setattr(measure, "DRAWS", 1)
    words = [run / "adain.npz", "--content", photos, "--style", styles, "--weights", vgg, "-o", tmp_path / "report"]
    assert measure.main([*map(str, words), "--size", "32", "--pairs", "2"]) == 0
    (row,) = json.loads((tmp_path / "report" / "report.json").read_text())["networks"].values()
    assert row["cuts"]["own"][0]["psnr"] == pytest.approx(100)
    assert row["without dead"] < 1e-5
    assert row["cuts"]["own"][1]["psnr"] < 100
    assert row["cuts"]["own"] == row["cuts"]["baseline"]
    assert 0 <= row["xor"] <= 1
    assert 0 < row["correlation"] < 1
    with np.load(tmp_path / "report" / "norms.npz") as norms:
        assert norms["run"].shape == (10, 256)
    assert "channels cut | 0 | 128" in (tmp_path / "report" / "report.md").read_text()


@pytest.mark.parametrize("name", ["make_styles", "train", "stylize", "prune", "measure"])
def test_help_comes_before_keras(name):
    code = f"import sys, adain.{name}; print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
