"""Colour transfers match what they claim; content and style are measured as stated; the command writes its report."""

import csv

import keras
import numpy as np
import pytest
from PIL import Image
from skimage.color import lab2rgb, rgb2lab
from skimage.transform import resize

from common.commands import compare
from common.evaluation import methods
from common.evaluation.colour_transfer import METHODS, histograms, monge_kantorovich, reinhard
from common.evaluation.methods import (
    STRENGTHS,
    colour_transfer,
    load_network,
    network,
    parts_of,
    restyle_pairs,
    result_path,
    scored,
    settings_of,
)
from common.evaluation.pairs import pairs_in
from common.evaluation.report import CELL, FILES, Row, advantage, answers, gain
from common.evaluation.similarity import edge_ssim, frechet_distance, glow, look, luminance_ssim, style_distance
from common.network import checkpoints
from common.transfer.stylizer import Stylizer
from common.transfer.transforms import Statistics
from mobilenet_backbone import student
from vgg_backbone import teacher


@pytest.fixture
def photos(rng):
    """A content and a style, smooth and of muted colours, so that no transfer leaves the gamut; floats in [0, 1]."""
    centres, spreads = ((55, 5, -5), (45, -5, 10)), ((6, 4, 3), (4, 3, 5))
    labs = [
        resize(rng.normal(size=(6, 8, 3)), (48, 64)) * spread + centre
        for centre, spread in zip(centres, spreads, strict=True)
    ]
    return [lab2rgb(lab) for lab in labs]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A MobileNet student with arbitrary weights and eigenbases."""
    keras.utils.set_random_seed(0)
    bases = [np.eye(*shape, dtype=np.float32) for shape in ((32, 10), (64, 19), (128, 37), (256, 54))]
    path = tmp_path_factory.mktemp("checkpoint") / "model.weights.h5"
    checkpoints.save(student.build(eigenbases=bases), path)
    return path


@pytest.fixture
def pairs(tmp_path, photos):
    """A folder with two pairs and a photo that belongs to none."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    for name in ("first", "second"):
        for role, photo in zip(("content", "style"), photos, strict=True):
            Image.fromarray(np.uint8(255 * photo)).save(folder / f"{name}_{role}.png")
    Image.new("RGB", (20, 20)).save(folder / "other.jpg")
    return folder


@pytest.fixture
def run(pairs, checkpoint, tmp_path, capfd):
    """`run(option, ...)` -> exit status and stderr of the command on `pairs`; the report goes to `tmp_path / "report"`."""

    def evaluate(*options):
        judge = () if "--weights" in options else ("--weights", f"mobilenet={checkpoint}")
        arguments = [pairs, "-o", tmp_path / "report", "--models", f"mobilenet={checkpoint}", *judge, *options]
        capfd.readouterr()
        return compare.main([*map(str, arguments)]), capfd.readouterr().err

    return evaluate


# --- colour transfers ----------------------------------------------------------------------------------------------------


def test_reinhard_matches_means_and_deviations_in_lab(photos):
    result, style = rgb2lab(reinhard(*photos)), rgb2lab(photos[1])
    np.testing.assert_allclose(result.mean((0, 1)), style.mean((0, 1)), atol=0.05)
    np.testing.assert_allclose(result.std((0, 1)), style.std((0, 1)), rtol=0.01)


def test_monge_kantorovich_matches_mean_and_covariance(photos):
    result = monge_kantorovich(*photos)
    np.testing.assert_allclose(result.mean((0, 1)), photos[1].mean((0, 1)), atol=1e-6)
    expected = np.cov(photos[1].reshape(-1, 3), rowvar=False)
    np.testing.assert_allclose(np.cov(result.reshape(-1, 3), rowvar=False), expected, atol=0.02 * expected.max())


def test_monge_kantorovich_is_the_symmetric_map(photos):
    """Among the linear maps with the same covariances, the one of least motion is symmetric and positive."""
    symmetric = np.array([(1.2, 0.3, 0.0), (0.3, 0.8, -0.2), (0.0, -0.2, 1.0)])
    mapped = photos[0] @ symmetric
    np.testing.assert_allclose(monge_kantorovich(photos[0], mapped), mapped, atol=2e-3)


def test_histograms_match_quantiles(photos):
    result = histograms(*photos)
    shares = np.linspace(0.05, 0.95, 10)
    for channel in range(3):
        expected = np.quantile(photos[1][..., channel], shares)
        np.testing.assert_allclose(np.quantile(result[..., channel], shares), expected, atol=1.5 / 255)


@pytest.mark.parametrize("transfer", METHODS.values())
def test_a_photo_of_one_colour_can_be_transferred(transfer, photos):
    flat = np.full((16, 16, 3), 0.5)
    for pair in ((flat, photos[1]), (photos[0], flat)):
        assert np.isfinite(transfer(*pair)).all()


# --- measures ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", [luminance_ssim, edge_ssim])
def test_content_is_kept_by_the_photo_itself_and_less_by_a_blurred_one(measure, rng):
    photo = np.uint8(rng.integers(0, 256, (40, 50, 3)))
    blurred = np.asarray(Image.fromarray(photo).resize((10, 8)).resize((50, 40)))
    assert measure(photo, photo) == pytest.approx(1)
    assert measure(photo, blurred) < 0.7


def test_edges_do_not_see_a_shift_in_brightness():
    photo = np.uint8(np.random.default_rng(0).integers(0, 100, (40, 50, 3)))
    assert edge_ssim(photo, photo + 100) == pytest.approx(1)
    assert luminance_ssim(photo, photo + 100) < 0.9


def test_a_halo_beside_an_edge_is_a_glow_and_a_change_of_colour_is_none():
    content = np.full((200, 300, 3), 60, np.uint8)
    content[:, 150:] = 200
    distance = np.abs(np.arange(300) - 149.5)
    halo = np.uint8(content + 40 * np.exp(-distance / 10)[None, :, None])
    assert glow(content, content) == 0
    assert glow(content // 2 + 40, content) < 0.05
    assert glow(halo, content) > 1
    assert np.isnan(glow(content[:, :100], content[:, :100]))  # no edge


def test_the_distance_of_gaussians_is_that_of_the_closed_form():
    first = Statistics(np.array([1.0, 2.0]), np.diag([4.0, 9.0]))
    second = Statistics(np.array([1.0, 5.0]), np.diag([1.0, 16.0]))
    assert frechet_distance(first, second) == pytest.approx(9 + (2 - 1) ** 2 + (3 - 4) ** 2)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-9)


def test_the_style_is_at_distance_0_the_content_at_1_and_strength_leads_from_one_to_the_other(photos):
    content, style = (np.uint8(255 * photo) for photo in photos)
    model = student.load()  # features, and results, of a trained network
    looks = [look(model, photo) for photo in (content, style)]

    def distance(photo):
        return style_distance(look(model, photo), looks[1], looks[0])

    assert distance(style) < 0.01
    assert distance(content) == pytest.approx(1)
    stylizer = Stylizer(model)
    analysed = stylizer.analyze(style)
    weak, half, full = (distance(stylizer.apply(content, analysed, strength)) for strength in (0.2, 0.5, 1))
    assert 1.1 > weak > half > full


def test_a_colour_transfer_is_turned_down_by_blending(photos):
    content, style = (np.uint8(255 * photo) for photo in photos)
    at_strength = colour_transfer(histograms)(content, style)
    np.testing.assert_array_equal(at_strength(0), content)
    halfway = (content.astype(float) + at_strength(1)) / 2
    np.testing.assert_allclose(at_strength(0.5), halfway, atol=1)


def test_methods_are_compared_at_the_distance_that_both_reach():
    strong = np.array([(0.2, 0.4, 1.0), (0.7, 0.9, 1.0)])
    weak = np.array([(0.5, 1.0), (0.8, 1.0)])
    # At 0.5 the strong one keeps 0.9 + 0.1 / 6.
    assert gain(strong, weak) == pytest.approx(0.9 + 0.1 / 6 - 0.8)
    assert gain(weak, strong) == pytest.approx(0.8 - 0.9 - 0.1 / 6)
    untouched = np.array([(1.0, 1.1), (1.0, 0.9)])
    assert gain(strong, untouched) is None


def test_what_is_gained_at_equal_style_is_told_with_its_interval():
    """Of two pairs, on which the strong method, at the weak one's style, keeps 0.1 and 0.2 less and glows 1 and 3 more."""
    rows = []
    for pair, (kept, added) in {"first": (0.1, 1), "second": (0.2, 3)}.items():
        for strength in (0.0, 0.5, 1.0):
            rows.append(Row("strong", pair, strength, 0, 1 - 2 * kept * strength, 2 * added * strength, 1 - 0.6 * strength))
            rows.append(Row("weak", pair, strength, 0, 1, 0, 1 - 0.3 * strength))
    assert advantage(rows, "weak", "strong", "edge_ssim") == "+0.150 (+0.100 to +0.200, 2 of 2)"
    assert advantage(rows, "weak", "strong", "glow") == "-2.000 (-3.000 to -1.000, 2 of 2)"
    assert advantage(rows, "strong", "weak", "glow") == "+2.000 (+1.000 to +3.000, 0 of 2)"
    blind = [row._replace(glow=float("nan")) for row in rows if row.pair == "first"] + rows[6:]
    assert advantage(blind, "weak", "strong", "glow") == "-3.000 (-3.000 to -3.000, 1 of 1)"


def test_a_finish_may_be_a_grade():
    assert settings_of("balanced") == settings_of("0.5") == {"grade": 0.5}
    assert settings_of("paper")["size"] is None
    for text in ("1.5", "nan", "glossy"):
        with pytest.raises(ValueError, match=text):
            settings_of(text)


def test_a_name_is_a_network_its_source_and_its_finish():
    assert parts_of("mobilenet") == ("mobilenet", "", "look")
    assert parts_of("vgg@paper") == ("vgg", "", "paper")
    assert parts_of("vgg-teacher=w.npz,decoder.weights.h5@none") == (
        "vgg-teacher",
        "w.npz,decoder.weights.h5",
        "none",
    )


def test_a_finish_is_the_stylizers(photos):
    content, style = (np.uint8(255 * photo) for photo in photos)
    model, finish = load_network("mobilenet@paper")
    stylizer = Stylizer(model, finish="guided", size=None)
    expected = stylizer.apply(content, stylizer.analyze(style))
    np.testing.assert_array_equal(network(model, finish)(content, style)(1.0), expected)


def test_contents_are_enlarged_for_restyling_and_results_reduced_for_measuring(pairs, tmp_path, monkeypatch):
    seen = []

    def restyle(content, style):
        seen.append((content.shape, style.shape))
        return lambda strength: content

    monkeypatch.setattr(methods, "method", lambda name: (restyle, 0))
    (pair, _) = pairs_in(pairs, 48, enlarged=100)
    restyle_pairs("any", [pair], tmp_path)
    assert set(seen) == {((75, 100, 3), (36, 48, 3))}
    assert {Image.open(result_path(tmp_path, pair, each)).size for each in STRENGTHS} == {(48, 36)}


# --- the command ---------------------------------------------------------------------------------------------------------


def test_where_the_right_answer_is_known_results_are_held_to_it(pairs, tmp_path):
    (pair, _) = pairs_in(pairs, 48)
    content, _ = pair.read()
    Image.fromarray(content).save(pairs / f"{pair.name}_truth.png")
    (pair, _) = pairs_in(pairs, 48)
    scores = {}
    for name, result in (("untouched", content), ("mobilenet", np.roll(content, 1, axis=0))):
        Image.fromarray(result).save(result_path(tmp_path, pair, STRENGTHS[-1]))
        scores[name] = {pair.name: scored(name, pair, tmp_path)}
    assert scores["untouched"][pair.name].ciede2000 == 0
    assert scores["untouched"][pair.name].histograms == pytest.approx(1)
    text = answers(scores, ["mobilenet"])
    assert "| untouched | 58.9" in text
    assert "| untouched | 0% |" in text  # the pairs that mobilenet wins


@pytest.mark.slow
def test_the_report_has_every_picture_and_is_not_overwritten(run, tmp_path, checkpoint):
    assert run()[0] == 0
    report = tmp_path / "report"
    assert sorted(path.name for path in report.iterdir()) == sorted(set(FILES) - {"answers.csv"})  # no answer is known
    with (report / "pictures.csv").open() as file:
        rows = list(csv.DictReader(file))
    methods = ["untouched", *METHODS, f"mobilenet={checkpoint}"]
    assert len(rows) == len(methods) * 2 * len(STRENGTHS)
    untouched = [row for row in rows if row["method"] == "histograms" and float(row["strength"]) == 0]
    assert [float(row["edge_ssim"]) for row in untouched] == pytest.approx([1, 1])
    assert [float(row["style_distance"]) for row in untouched] == pytest.approx([1, 1])
    with (report / "methods.csv").open() as file:
        lines = {line["method"]: line for line in csv.DictReader(file)}
    assert list(lines) == methods
    assert int(lines[methods[-1]]["weights"]) == 52_742
    assert all(float(line["seconds"]) > 0 for line in lines.values())
    full = [float(row["edge_ssim"]) for row in rows if row["method"] == "reinhard" and float(row["strength"]) == 1]
    assert float(lines["reinhard"]["edge_ssim"]) == pytest.approx(np.mean(full))
    text = (report / "report.md").read_text()
    assert all(f"| {name} |" in text for name in methods)
    assert Image.open(report / "contact_sheet.jpg").width == (2 + len(methods)) * CELL[0]
    assert Image.open(report / "scatter.png").width > 100

    status, stderr = run()
    assert status == 1
    assert stderr == f"error: {report / 'pictures.csv'} exists; --overwrite replaces it\n"


@pytest.mark.slow
def test_at_full_strength_alone_there_is_no_curve(run, tmp_path):
    assert run("--full-strength")[0] == 0
    with (tmp_path / "report" / "pictures.csv").open() as file:
        assert {float(row["strength"]) for row in csv.DictReader(file)} == {1}
    assert "At equal style" not in (tmp_path / "report" / "report.md").read_text()


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda folder: (folder / "first_style.png").unlink(), "first_content.png has no style: there is no first_style.*"),
        (lambda folder: (folder / "first_style.png").write_text("no photo"), "first_style.png is not a photo"),
        (
            lambda folder: Image.new("RGB", (9, 30)).save(folder / "first_content.png"),
            "9x30 pixels but must be at least 16x16",
        ),
        (lambda folder: [path.unlink() for path in folder.glob("*_*")], "holds no pair"),
        (
            lambda folder: (folder / "first_style.png").write_bytes((folder / "first_content.png").read_bytes()),
            "first_content.png and its style are the same photo",
        ),
    ],
)
def test_bad_pairs_are_one_line_and_no_report(run, pairs, tmp_path, spoil, complaint):
    spoil(pairs)
    status, stderr = run()
    assert (status, stderr.count("\n")) == (1, 1)
    assert stderr.startswith("error: ")
    assert complaint in stderr
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--weights", "vgg=none.npz"), "none.npz: no such file"),
        (("--models", "mobilenet=none.weights.h5"), "none.weights.h5: no such checkpoint"),
    ],
)
def test_missing_weights_are_one_line_and_no_report(run, tmp_path, options, complaint):
    status, stderr = run(*options)
    assert status == 1
    assert stderr.splitlines()[-1] == f"error: {complaint}"
    assert "Traceback" not in stderr
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("options", [("--weights", "mobilenet=imagenet"), ("--models", "mobilenet-teacher=imagenet")])
def test_without_a_network_imagenet_is_one_line(run, monkeypatch, options):
    def unreachable(**options):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "MobileNet", unreachable)
    status, stderr = run(*options)
    assert (status, stderr.count("\n")) == (1, 1)
    assert stderr.startswith("error: the ImageNet weights cannot be had (URL fetch failure)")


def test_a_teacher_without_a_decoder_is_one_line(run, tmp_path):
    vgg = teacher.build(levels=2, decoder_levels=0)
    arrays = {name: np.asarray(variable) for name, variable in teacher.variables_by_layer(vgg).items()}
    np.savez(tmp_path / "vgg.npz", **arrays)
    status, stderr = run("--models", f"vgg-teacher={tmp_path / 'vgg.npz'}")
    assert (status, stderr.count("\n")) == (1, 1)
    assert "the teacher has no decoder; name one after its weights: vgg-teacher=WEIGHTS,DECODER" in stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--models", "resnet"),
        ("--models", "vgg-teacher"),
        ("--models", "mobilenet@glossy"),
        ("--models", "mobilenet@1.5"),
        ("--weights", "vgg"),
        ("--size", "0"),
        ("--enlarge", "0"),
    ],
)
def test_a_name_that_is_none_is_a_usage_error(run, options):
    with pytest.raises(SystemExit) as caught:
        run(*options)
    assert caught.value.code == 2
