import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

import mobilenet_backbone.student
import mobilenet_backbone.teacher
import vgg_backbone.student
import vgg_backbone.teacher
from common.commands import train_eigenbases
from common.eigenbases.closed_form import explained_curve, explained_variance, leading_eigenvectors, width_explaining
from common.eigenbases.covariances import PhotoCovariances, mean_covariance, mean_covariances
from common.eigenbases.file import Eigenbases, load_eigenbases, save_eigenbases
from common.eigenbases.gradient import GradientEigenbases, objective
from common.errors import InputError
from common.network import registry
from common.network.autoencoder import encoder_sha256
from common.network.backbone import Widths
from common.photos import photo_paths

CHANNELS = (6, 8, 12)


def small_teacher(weights=None):
    """Three levels of VGG, a few channels each, with random weights that are always the same."""
    keras.utils.set_random_seed(1)
    return vgg_backbone.student.build(Widths(((6,), (6, 8), (8, 12)), ()))


@pytest.fixture(autouse=True)
def small_networks(monkeypatch):
    """The backbone vgg with a small teacher, and a student of small widths."""
    student = SimpleNamespace(WIDTHS=Widths(((2,), (2, 3), (3, 4), (5, 5, 5, 5)), ()))
    monkeypatch.setattr(registry, "student", lambda name: student)
    monkeypatch.setattr(registry, "teacher", lambda name: SimpleNamespace(load_encoder=small_teacher))


@pytest.fixture(scope="module")
def covariance_of_teacher():
    return PhotoCovariances(small_teacher())


@pytest.fixture
def covariance(rng):
    """Of 12 channels, with variances that fall by half from one principal axis to the next."""
    axes = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    return (axes * 2.0 ** -np.arange(12)) @ axes.T


@pytest.fixture
def photos(tmp_path, rng):
    """A folder with ten photos of several sizes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(10):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        coarse.resize((40 + 3 * number, 50)).save(folder / f"{number}.png")
    return folder


def command(photos, *more):
    arguments = ["--dataset", photos, "--weights", "small.npz", *more]
    return train_eigenbases.main("vgg", "Find eigenbases.", [str(argument) for argument in arguments])


# --- covariances ---------------------------------------------------------------------------------------------------------


def test_covariance_is_the_mean_of_each_photos_own(covariance_of_teacher, rng):
    images = [rng.random((1, *size, 3), dtype=np.float32) for size in ((32, 48), (40, 20), (16, 16))]
    expected = []
    for image in images:
        feature = np.asarray(small_teacher().encode(image)[0][2], np.float64).reshape(-1, 12)
        expected.append(np.cov(feature.T, bias=True))
    found = mean_covariances(covariance_of_teacher, images)
    assert [k.shape for k in found] == [(c, c) for c in CHANNELS]
    np.testing.assert_allclose(found[2], np.mean(expected, axis=0), rtol=1e-4, atol=1e-4 * np.trace(expected[0]))


def test_order_of_photos_does_not_matter(covariance_of_teacher, rng):
    images = [rng.random((1, 16, 16 + 4 * n, 3), dtype=np.float32) for n in range(8)]
    first, second = (
        [leading_eigenvectors(k, 3) for k in mean_covariances(covariance_of_teacher, [images[i] for i in order])]
        for order in (range(8), rng.permutation(8))
    )
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_no_photos_are_an_error(covariance_of_teacher):
    with pytest.raises(ValueError, match="no photos"):
        mean_covariances(covariance_of_teacher, [])


# --- closed form ---------------------------------------------------------------------------------------------------------


def test_leading_eigenvectors_are_orthonormal_with_fixed_signs(covariance):
    basis = leading_eigenvectors(covariance, 5)
    assert basis.shape == (12, 5)
    np.testing.assert_allclose(basis.T @ basis, np.eye(5), atol=1e-12)
    np.testing.assert_allclose(covariance @ basis, basis * 2.0 ** -np.arange(5), atol=1e-12)
    assert (basis[np.abs(basis).argmax(axis=0), range(5)] > 0).all()


def test_no_basis_explains_more_than_the_closed_form(covariance, rng):
    best = explained_variance(covariance, leading_eigenvectors(covariance, 4))
    assert best == pytest.approx(explained_curve(covariance)[3])
    assert all(explained_variance(covariance, rng.normal(size=(12, 4))) < best for _ in range(20))


def test_explained_variance_depends_on_the_span_alone(covariance, rng):
    basis = rng.normal(size=(12, 4))
    assert explained_variance(covariance, basis @ rng.normal(size=(4, 4))) == pytest.approx(
        explained_variance(covariance, basis)
    )


@pytest.mark.parametrize(("share", "width"), [(0, 1), (0.4, 1), (0.41, 2), (0.9, 3), (0.91, 4), (1, 4)])
def test_smallest_width_that_explains_a_share(share, width):
    curve = explained_curve(np.diag([1.0, 4, 2, 3]))
    np.testing.assert_allclose(curve, [0.4, 0.7, 0.9, 1])
    assert width_explaining(curve, share) == width


# --- gradient ------------------------------------------------------------------------------------------------------------


def test_objective_is_the_papers(rng):
    feature = rng.normal(size=(1, 10, 10, 12)).astype(np.float32)
    basis = rng.normal(size=(12, 4)).astype(np.float32)
    centred = (feature - feature.mean(axis=(1, 2))).reshape(-1, 12)
    literal = np.mean((centred @ basis @ basis.T - centred) ** 2) + np.mean((basis.T @ basis - np.eye(4)) ** 2)
    found = objective(mean_covariance(feature), keras.ops.convert_to_tensor(basis))
    assert float(found) == pytest.approx(literal, rel=1e-5)


def test_gradient_comes_down_to_the_closed_form_and_never_below(covariance, without_xla):
    best = leading_eigenvectors(covariance, 4).astype(np.float32)
    covariance = covariance.astype(np.float32)
    least = float(objective(covariance, keras.ops.convert_to_tensor(best)))
    model = GradientEigenbases([12], [4], seed=3)
    model.compile(keras.optimizers.Adam(1e-2))
    batches = np.repeat(covariance[None], 20, axis=0)
    losses = model.fit([batches], batch_size=1, epochs=40, verbose=0).history["loss"]
    assert losses[0] > 1.5 * least
    assert losses[-1] == pytest.approx(least, rel=1e-3)
    assert min(losses) > least - 1e-6
    explained = explained_variance(covariance, model.eigenbases[0])
    assert explained == pytest.approx(explained_variance(covariance, best), abs=1e-3)


# --- the file ------------------------------------------------------------------------------------------------------------


def some_eigenbases():
    bases = [np.eye(c, w, dtype=np.float32) for c, w in zip(CHANNELS, (2, 3, 4), strict=True)]
    return Eigenbases(bases, [np.linspace(0.1, 1, c) for c in CHANNELS], {"backbone": "vgg"})


def test_file_gives_back_what_was_saved(tmp_path):
    saved = some_eigenbases()
    for name in ("a.npz", "b.npz"):
        save_eigenbases(tmp_path / name, saved)
    loaded = load_eigenbases(tmp_path / "a.npz", small_teacher())
    for part in ("bases", "curves"):
        for a, b in zip(getattr(saved, part), getattr(loaded, part), strict=True):
            np.testing.assert_array_equal(a, b)
    assert loaded.record == saved.record
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"record": None}, "record is missing"),
        ({"eigenbases/1": None}, "eigenbases/1 is missing"),
        ({"explained/2": None}, "explained/2 is missing"),
        ({"eigenbases/0": np.ones(6)}, r"eigenbases/0 has shape \(6,\)"),
        ({"eigenbases/0": np.ones((2, 6))}, r"eigenbases/0 has shape \(2, 6\)"),
        ({"eigenbases/2": np.full((12, 4), np.nan)}, "eigenbases/2 is not finite"),
        ({"eigenbases/2": np.ones((12, 4), object)}, "not a .npz file of arrays"),
        ({"eigenbases/1": np.ones((9, 3)), "explained/1": np.ones(9)}, "eigenbases/1 is for 9 channels .* has 8"),
        ({"record": json.dumps({"backbone": "mobilenet"})}, "mobilenet backbone, not of vgg"),
    ],
)
def test_unsound_file_is_refused_by_name(tmp_path, change, message):
    save_eigenbases(tmp_path / "sound.npz", some_eigenbases())
    with np.load(tmp_path / "sound.npz") as sound:
        arrays = {name: array for name, array in ({**sound} | change).items() if array is not None}
    np.savez(tmp_path / "unsound.npz", **arrays)
    with pytest.raises(InputError, match=message):
        load_eigenbases(tmp_path / "unsound.npz", small_teacher())


def test_other_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_eigenbases(tmp_path / "missing.npz")
    (tmp_path / "text.npz").write_text("text")
    np.save(tmp_path / "array.npy", np.ones(3))
    save_eigenbases(tmp_path / "cut.npz", some_eigenbases())
    (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:1000])
    for name in ("text.npz", "array.npy", "cut.npz"):
        with pytest.raises(InputError, match=f"{name} is not a .npz file of arrays"):
            load_eigenbases(tmp_path / name)


# --- the command ---------------------------------------------------------------------------------------------------------


def test_command_writes_bases_curves_and_record(photos, tmp_path, capsys):
    output = tmp_path / "bases.npz"
    assert command(photos, "-o", output, "--plot", tmp_path / "curves.png") == 0
    bases, curves, record = load_eigenbases(output, small_teacher())
    assert [basis.shape for basis in bases] == [(6, 2), (8, 3), (12, 4)]
    for basis, curve, share in zip(bases, curves, record["explained"], strict=True):
        np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-5)
        assert curve[basis.shape[1] - 1] == pytest.approx(share, abs=1e-5)
    assert record | {"explained": None} == {
        "backbone": "vgg",
        "weights": ["small.npz"],
        "weights_sha256": encoder_sha256(small_teacher()),
        "method": "closed-form",
        "photos": 10,
        "widths": [2, 3, 4],
        "explained": None,
        "seed": 0,
    }
    assert "ends early: levels 0 to 2 only" in capsys.readouterr().out
    assert Image.open(tmp_path / "curves.png").width > 500


def test_command_gives_the_same_file_whatever_the_order(photos, tmp_path):
    assert command(photos, "-o", tmp_path / "a.npz") == 0
    assert command(photos, "-o", tmp_path / "again.npz") == 0
    for path in sorted(photos.iterdir()):
        path.rename(path.with_name(f"{9 - int(path.stem)}th.png"))
    assert command(photos, "-o", tmp_path / "b.npz") == 0
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()
    for a, b in zip(*(load_eigenbases(tmp_path / name).bases for name in ("a.npz", "b.npz")), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_command_chooses_widths_by_share(photos, tmp_path):
    assert command(photos, "-o", tmp_path / "bases.npz", "--explained", "0.8") == 0
    bases, curves, record = load_eigenbases(tmp_path / "bases.npz")
    for basis, curve in zip(bases, curves, strict=True):
        width = basis.shape[1]
        assert curve[width - 1] >= 0.8
        assert width == 1 or curve[width - 2] < 0.8
    assert record["widths"] == [basis.shape[1] for basis in bases]


def test_command_skips_and_names_what_it_cannot_use(photos, tmp_path, capsys):
    (photos / "0.png").write_text("not a photo")
    Image.new("RGB", (15, 40)).save(photos / "narrow.png")
    assert command(photos, "-o", tmp_path / "bases.npz") == 0
    assert load_eigenbases(tmp_path / "bases.npz").record["photos"] == 9
    errors = capsys.readouterr().err
    assert "skipped 2" in errors
    assert "0.png is not a photo" in errors
    assert "narrow.png: 15x40 pixels are left but it takes 16 each way" in errors


def test_command_takes_some_of_the_photos(photos, tmp_path):
    assert command(photos, "-o", tmp_path / "bases.npz", "--limit", "4", "--seed", "5") == 0
    record = load_eigenbases(tmp_path / "bases.npz").record
    assert (record["photos"], record["seed"]) == (4, 5)


def test_command_scores_other_bases(photos, tmp_path, capsys):
    command(photos, "-o", tmp_path / "bases.npz")
    share = load_eigenbases(tmp_path / "bases.npz").record["explained"][2]
    capsys.readouterr()
    assert command(photos, "--score", tmp_path / "bases.npz") == 0
    assert f"level 2:   4 of  12 channels explain {share:.4f}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "missing/bases.npz"], "missing: no such folder to write bases.npz to"),
        (["-o", "bases.npz", "--plot", "curves.txt"], "curves.txt: a plot can be"),
        (["-o", "bases.npz", "--widths", 2, 3], "--widths has 2 numbers but the teacher has 3 levels"),
        (["-o", "bases.npz", "--widths", 2, 9, 4, 5], "9 at level 1, where the teacher has 8 channels"),
        (["--score", "missing.npz"], "missing.npz: no such file"),
    ],
)
def test_command_refuses_before_it_reads_a_photo(photos, tmp_path, capsys, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train_eigenbases.Photos, "read", None)
    assert command(photos, *options) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("existing", ["bases.npz", "curves.png"])
def test_command_replaces_nothing_unasked(photos, tmp_path, capsys, existing):
    (tmp_path / existing).write_text("mine")
    results = "-o", tmp_path / "bases.npz", "--plot", tmp_path / "curves.png"
    assert command(photos, *results) == 1
    assert f"{existing} exists; --overwrite replaces it" in capsys.readouterr().err
    assert (tmp_path / existing).read_text() == "mine"
    assert command(photos, *results, "--overwrite") == 0


def test_command_needs_photos(tmp_path, capsys):
    assert command(tmp_path, "-o", tmp_path / "bases.npz") == 1
    assert "holds no photo" in capsys.readouterr().err
    (tmp_path / "bad.png").write_text("not a photo")
    assert command(tmp_path, "-o", tmp_path / "bases.npz") == 1
    assert "no photo can be used" in capsys.readouterr().err
    assert not (tmp_path / "bases.npz").exists()


def test_interrupted_command_leaves_nothing_half_written(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(np, "savez", lambda file, **arrays: (file.write(b"half"), (_ for _ in ()).throw(KeyboardInterrupt)))
    assert command(photos, "-o", tmp_path / "bases.npz") == 130
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_gradient_goes_on_where_it_was_cut_short(photos, tmp_path, capsys, monkeypatch, without_xla):
    gradient = ("--method", "gradient", "--epochs", 4, "--learning-rate", 0.01)
    assert command(photos, "-o", tmp_path / "whole.npz", *gradient) == 0

    fit = GradientEigenbases.fit

    def cut_short(self, *arguments, epochs, **options):
        fit(self, *arguments, epochs=2, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(GradientEigenbases, "fit", cut_short)
        assert command(photos, "-o", tmp_path / "resumed.npz", *gradient) == 130
    assert not (tmp_path / "resumed.npz").exists()
    assert command(photos, "-o", tmp_path / "resumed.npz", *gradient, "--seed", 1) == 1
    assert "resumed.npz.training holds a training made from other seed" in capsys.readouterr().err
    assert command(photos, "-o", tmp_path / "resumed.npz", *gradient) == 0
    assert "Epoch 2/4" not in capsys.readouterr().out

    whole, resumed = (load_eigenbases(tmp_path / name) for name in ("whole.npz", "resumed.npz"))
    assert whole.record == resumed.record
    for a, b in zip(whole.bases, resumed.bases, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "resumed.npz", "whole.npz"]


# --- the real teachers ---------------------------------------------------------------------------------------------------


def shares_explained(backbone, weights, photos, validation, released):
    """Shares of validation photos' variance, by level: of the closed form from `photos`, and of the released bases."""
    student, teacher = backbone.student, backbone.teacher
    model = teacher.load(weights)
    photo_covariances = PhotoCovariances(model)
    covariances, unseen = (
        mean_covariances(photo_covariances, train_eigenbases.Photos(paths, 16, crop).readable())
        for paths, crop in ((photos, None), (validation, 320))
    )
    widths = student.WIDTHS.features[: len(covariances)]
    closed_form = [leading_eigenvectors(*pair) for pair in zip(covariances, widths, strict=True)]
    bases = (closed_form, train_eigenbases.scored_bases(released, student, model))
    return [train_eigenbases.shares(unseen, b) for b in bases]


@pytest.mark.slow
def test_mobilenet_explains_what_the_method_states(shared):
    """A third of the photos is enough for the third decimal."""
    weights = shared("teachers/mobilenet_v1_1.0_224_to_conv_pw_6.npz")
    photos, validation = photo_paths(shared("photos/train"))[::3], photo_paths(shared("photos/val"))
    closed_form, released = shares_explained(mobilenet_backbone, weights, photos, validation, shared("released/mobilenet"))
    assert np.subtract(closed_form, (0.9888, 0.7732, 0.7917, 0.7387)).min() > -0.001
    np.testing.assert_allclose(released, (0.9898, 0.7656, 0.7875, 0.7322), atol=1e-4)


@pytest.mark.slow
def test_vgg_explains_more_than_the_released_bases(shared):
    weights = shared("teachers/vgg19_normalised_to_conv3_1.npz")
    photos, validation = photo_paths(shared("photos/train"))[::30], photo_paths(shared("photos/val"))[::16]
    closed_form, released = shares_explained(vgg_backbone, weights, photos, validation, shared("released/vgg"))
    assert all(ours > theirs for ours, theirs in zip(closed_form, released, strict=True))


def test_every_channel_has_something_to_carry_where_the_feature_has_too_few_directions(rng):
    directions = np.linalg.qr(rng.normal(size=(12, 3)))[0]
    covariance = directions @ np.diag([4.0, 2.0, 1.0]) @ directions.T
    basis = leading_eigenvectors(covariance, 6)
    np.testing.assert_allclose(basis.T @ basis, np.eye(6), atol=1e-9)
    assert explained_variance(covariance, basis) == pytest.approx(1)
    assert np.diag(basis.T @ covariance @ basis).min() > 0.01
