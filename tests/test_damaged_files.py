"""Files that are damaged: whatever is read, it loads and is sound, or it is refused in one line that names the file.

Every kind of file is written once, sound and small. Copies of it are mangled: bytes changed, added and left out; members of
archives swapped, dropped, packed otherwise; arrays of another type or shape, or not finite; JSON with other values. What is
changed depends on the kind and the number of the copy alone, so that a copy that breaks something can be made again.
"""

import io
import itertools
import json
import zipfile
import zlib
from collections.abc import Callable
from typing import NamedTuple

import h5py
import keras
import numpy as np
import pytest
from PIL import Image

from adain import weights as painters
from adain.network import Network
from common import origin
from common.eigenbases.file import Eigenbases, load_eigenbases, save_eigenbases
from common.errors import InputError
from common.grading import packing, runtime, training
from common.grading.cube import read_cube, write_cube
from common.network import checkpoints, onnx_network
from common.network.backbone import Widths
from common.network.onnx_export import write_student
from common.photos import read_rgb
from common.photos.films import Film
from common.photos.masks import read_labels, read_mask
from common.transfer.look import Look
from common.transfer.style import Style
from common.transfer.transforms import Statistics
from mobilenet_backbone import BACKBONE, student
from stargan_v2 import checkpoints as gans
from stargan_v2.networks import Config
from tests import toy_films
from vgg_backbone import teacher

# Copies of each kind; of those that build a network of some size to be read, fewer.
COPIES, COPIES_OF_LARGE = 300, 100
# Of one level, so that it is built in no time.
NARROW = Widths(encoder=((4,),), decoder=((3,),))
# What a field of a description may not be, but is.
STRANGE = (None, True, -1, 0, 3, 0.5, 1e308, float("nan"), 10**30, "", "text", [], [[]], [-1], [None], ["x"], {}, {"a": 1})
ZIP = ".npz", ".zip"


class Kind(NamedTuple):
    """A kind of file.

    Attributes:
        suffix: of its name.
        write: `path -> None`, a sound one.
        read: `path -> arrays`, all that has to be finite of what was read.
        copies: that are mangled.
    """

    suffix: str
    write: Callable
    read: Callable
    copies: int = COPIES


# --- sound files ---------------------------------------------------------------------------------------------------------


def write_photo(path, **options):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
    Image.fromarray(pixels).resize((40, 30)).save(path, **options)


def read_photo(path):
    pixels = read_rgb(path)
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    return []


def read_picture_of_a_mask(path):
    mask = read_mask(path)
    assert read_labels(path).shape == (*mask.shape, 3)
    return [mask]


def write_film(path):
    toy_films.write(path, toy_films.pan("city_content", 6), sound=True)


def read_film(path):
    """Its first frames: what is written of its length is not to be trusted."""
    for frame in itertools.islice(Film(path).frames(), 20):
        assert frame.pixels.dtype == np.uint8
    return []


def narrow_student():
    keras.utils.set_random_seed(0)
    return student.build(NARROW, [np.eye(6, 4, dtype=np.float32)])


def read_checkpoint(path):
    model = student.load(path)
    assert [basis.shape[1] for basis in model.eigenbases or ()] in ([], list(model.widths.features))
    assert isinstance(checkpoints.read_record(path), dict)
    return [*model.get_weights(), *(model.eigenbases or ())]


def write_onnx_student(path):
    """Of four levels, as what is read has to be."""
    keras.utils.set_random_seed(0)
    model = student.build(student.widths_of((4, 6, 8, 10)))
    write_student(model, path, {"seed": 0})


def read_onnx_student(path):
    network = onnx_network.load_student(BACKBONE, path)
    features, skips = network.encode(np.full((1, 32, 48, 3), 0.5, np.float32))
    return [*features, *skips, *(np.array(network.widths.features),)]


def write_decoder(path):
    checkpoints.save_decoder(narrow_student(), path, {"seed": 0})


def read_decoder(path):
    def narrow_teacher(weights, decoder_levels):
        return student.build(NARROW._replace(decoder=NARROW.decoder[:decoder_levels]))

    return checkpoints.load_with_decoder(narrow_teacher, BACKBONE, None, path).get_weights()


def write_style(path):
    Style((Statistics(np.ones(2), np.eye(2)), Statistics(np.ones(3), np.eye(3))), "network").save(path)


def read_style(path):
    return [array for of_level in Style.load(path).statistics for array in of_level]


def write_look(path):
    Look(np.random.default_rng(0).random((2, 3, 4, 4, 3), np.float32)).save(path)


def read_look(path):
    return [Look.load(path).apply(np.full((16, 20, 3), 0.5, np.float32))]


def write_bases(path):
    bases = [np.eye(6, 2, dtype=np.float32), np.eye(8, 3, dtype=np.float32)]
    save_eigenbases(path, Eigenbases(bases, [np.linspace(0.1, 1, 6), np.linspace(0.1, 1, 8)], {"backbone": "mobilenet"}))


def read_bases(path):
    found = load_eigenbases(path)
    assert isinstance(found.record, dict)
    assert all(basis.ndim == 2 and basis.any() for basis in found.bases)
    return [*found.bases, *found.curves]


def write_teacher(path):
    """VGG up to its first cut."""
    arrays = {name: np.asarray(variable) for name, variable in teacher.variables_by_layer(teacher.build(1)).items()}
    np.savez(path, **arrays)


def read_teacher(path):
    return teacher.load(path).get_weights()


def write_origin(path):
    path.write_text(json.dumps({"backbone": "vgg", "seed": 0, "stages": {"joint": {"steps": 2}}, "widths": [1, 2]}))


def read_origin(path):
    assert isinstance(origin.read_origin(path), dict)
    return []


def write_lut(path):
    write_cube(np.random.default_rng(0).random((3, 3, 3, 3), np.float32), path)


def read_lut(path):
    return [read_cube(path)]


def write_predictor(path):
    path.write_bytes(runtime.DEFAULT.read_bytes())


def read_predictor(path):
    predictor = runtime.GradePredictor.load(path)
    descriptor = predictor.describe(np.full((20, 16, 3), 90, np.uint8))
    return [descriptor, predictor.lut(descriptor, descriptor)]


def write_predictor_weights(path):
    packing.write_keras(*training.build(), path)


def read_predictor_weights(path):
    return [weights for model in packing.read_keras(path) for weights in model.get_weights()]


def write_painter(path):
    painters.save(Network("relu3_1", 2), path)


def read_painter(path):
    return [variable.numpy() for variable in painters.load(path).variables.values()]


def write_gan(path):
    config = Config(size=16, width=2, cap=3, style_dim=2, latent_dim=2, hidden=2)
    gans.save(path, gans.Trained(("day", "dusk"), config, gans.build(config, config), config, 1))


def read_gan(path):
    return [weights for network in gans.load(path).networks.values() for weights in network.get_weights()]


KINDS = {
    "jpeg": Kind(".jpg", write_photo, read_photo),
    "png": Kind(".png", write_photo, read_photo),
    "webp": Kind(".webp", write_photo, read_photo),
    "tiff": Kind(".tif", lambda path: write_photo(path, compression="tiff_deflate"), read_photo),
    "plain tiff": Kind(".tiff", write_photo, read_photo),
    "mask": Kind(".png", write_photo, read_picture_of_a_mask),
    "film": Kind(".mp4", write_film, read_film),
    "checkpoint": Kind(".weights.h5", lambda path: checkpoints.save(narrow_student(), path, {"seed": 0}), read_checkpoint),
    "decoder": Kind(".h5", write_decoder, read_decoder),
    "student for ONNX Runtime": Kind(".onnx.zip", write_onnx_student, read_onnx_student, COPIES_OF_LARGE),
    "teacher": Kind(".npz", write_teacher, read_teacher),
    "eigenbases": Kind(".npz", write_bases, read_bases),
    "style": Kind(".npz", write_style, read_style),
    "look": Kind(".npz", write_look, read_look),
    "origin of a run": Kind(".json", write_origin, read_origin),
    "predictor": Kind(".onnx.zip", write_predictor, read_predictor, COPIES_OF_LARGE),
    "predictor's weights": Kind(".npz", write_predictor_weights, read_predictor_weights, COPIES_OF_LARGE),
    "LUT": Kind(".cube", write_lut, read_lut),
    "AdaIN network": Kind(".npz", write_painter, read_painter, COPIES_OF_LARGE),
    "StarGAN v2": Kind(".npz", write_gan, read_gan, COPIES_OF_LARGE),
}
every_kind = pytest.mark.parametrize("name", KINDS)


# --- damage --------------------------------------------------------------------------------------------------------------


def flip_bytes(content, random):
    """Some bytes changed, anywhere or at one end, where headers and tables are."""
    bytes_ = np.frombuffer(content, np.uint8).copy()
    reach = int(random.choice([64, 1024, len(bytes_)]))
    places = random.integers(0, min(reach, len(bytes_)), random.choice([1, 4, 40]))
    bytes_[places if random.random() < 0.5 else len(bytes_) - 1 - places] = random.integers(0, 256)
    return bytes_.tobytes()


def truncate(content, random):
    return content[: random.integers(len(content))]


def repeat(content, random):
    """A piece of it once more, somewhere."""
    start, end = sorted(random.integers(0, len(content), 2))
    place = random.integers(len(content))
    return content[:place] + content[start:end][:2000] + content[place:]


def clear(content, random):
    """A piece of it zero."""
    start = random.integers(len(content))
    piece = content[start : start + random.choice([4, 100, 5000])]
    return content[:start] + bytes(len(piece)) + content[start + len(piece) :]


def change_json(text, random):
    """One value of it, at any depth, replaced by a strange one, or left out."""
    tree = json.loads(text)
    spots = list(places(tree))
    if not spots or random.random() < 0.1:
        return json.dumps(STRANGE[random.integers(len(STRANGE))])
    holder, key = spots[random.integers(len(spots))]
    if random.random() < 0.2:
        del holder[key]
    else:
        holder[key] = STRANGE[random.integers(len(STRANGE))]
    return json.dumps(tree)


def places(tree):
    """Every dict or list in it with each of its keys."""
    keys = tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in list(keys):
        yield tree, key
        yield from places(tree[key])


def change_array(array, random):
    """Another shape or type, or values that are no good."""
    first = array.reshape(-1)[:1]
    others = [
        array.astype(str),
        array.reshape(-1),
        array[..., None],
        np.stack([array, array]),
        np.zeros_like(array),
        np.zeros(0, array.dtype),
        first,
        np.array(array.tolist() if array.size < 1000 else first.tolist(), object),
        np.zeros(3, [("a", np.float32), ("b", "U3")]),
        np.array(7),
        np.array("text"),
    ]
    if array.dtype.kind == "f":
        spoiled = array.copy()
        spoiled.flat[random.integers(array.size)] = np.nan
        others += [
            array.astype(np.float16),
            spoiled,
            np.full_like(array, np.nan),
            np.full_like(array, np.inf),
            -array,
            array * np.float32(1e30),
        ]
    return others[random.integers(len(others))]


def as_npy(array):
    packed = io.BytesIO()
    np.save(packed, array, allow_pickle=True)
    return packed.getvalue()


def repack(content, random):
    """A zip archive with members changed, swapped, left out, doubled, or compressed otherwise."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    names = list(members)
    first, second = (names[random.integers(len(names))] for _ in range(2))
    method = int(random.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    match random.integers(6):
        case 0:
            members[first], members[second] = members[second], members[first]
        case 1:
            del members[first]
        case 2:
            members[f"{first}x" if random.random() < 0.5 else "more"] = members[second]
        case 3:
            damage = BYTES[random.integers(len(BYTES))]
            members[first] = damage(members[first], random)
        case _:
            members[first] = change_member(first, members[first], random)
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", method) as packed:
        for name, member in members.items():
            packed.writestr(name, member)
    result = result.getvalue()
    if random.random() < 0.1:  # a way of packing that nobody knows
        place = result.rfind(b"PK\x01\x02") + 10  # of the last member, in the directory
        result = result[:place] + bytes([random.choice([1, 9, 77, 97]), 0]) + result[place + 2 :]
    return result


def change_member(name, content, random):
    if name.endswith(".json"):
        return change_json(content, random).encode()
    if name.endswith(".npy"):
        array = np.load(io.BytesIO(content))
        if array.dtype.kind == "U" and array.ndim == 0 and str(array).startswith("{") and random.random() < 0.7:
            return as_npy(np.array(change_json(str(array), random)))
        return as_npy(change_array(array, random))
    return content[: random.integers(max(1, len(content)))]


def loose_array(content, random):
    """What `numpy.save` writes, under the name of an archive."""
    return as_npy(np.ones((2, 3)))


def change_hdf5(content, random):
    """A dataset changed, left out, or elsewhere; or another description."""
    held = io.BytesIO(content)
    with h5py.File(held, "r+") as file:
        names = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        name = names[random.integers(len(names))]
        match random.integers(8):
            case 0:
                del file[name]
            case 1:
                array = change_array(file[name][()], random)
                del file[name]
                file[name] = array if array.dtype.kind in "fi" else np.bytes_(b"text")
            case 2:
                other = names[random.integers(len(names))]
                array = file[other][()]
                del file[name]
                file[name] = array
            case 3:
                del file[name]
                file[name] = h5py.ExternalLink("elsewhere.h5", "/x") if random.random() < 0.5 else h5py.SoftLink("/nowhere")
            case 4:
                del file[name]
                file.create_group(name)
            case 5:
                file["more/values"] = np.ones(3)
            case _:
                changed = change_json(file.attrs["description"], random)
                file.attrs["description"] = STRANGE[2] if random.random() < 0.1 else changed
    return held.getvalue()


BYTES = (flip_bytes, truncate, repeat, clear)


def damages(suffix):
    """What can befall a file of that suffix."""
    if suffix.endswith(ZIP):
        return (*BYTES, *[repack] * 6, loose_array)
    if suffix.endswith(".h5"):
        return (*BYTES, *[change_hdf5] * 5)
    if suffix.endswith(".json"):
        return (*BYTES, *[lambda content, random: change_json(content, random).encode()] * 4)
    return BYTES


# --- the test ------------------------------------------------------------------------------------------------------------


def outcome(kind, path):
    """Whether a file was read, once it was sound; an error for the user has to be one line, with the file's name."""
    try:
        arrays = kind.read(path)
    except InputError as error:
        refusal = str(error)
    else:
        refusal = None
    if refusal is not None:
        assert "\n" not in refusal
        assert path.name in refusal
        return False
    assert all(np.isfinite(array).all() for array in arrays), "what is not finite was read"
    return True


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """`sound(name)`: the path of a sound file of that kind."""
    folder = tmp_path_factory.mktemp("sound")
    written = {}

    def path(name):
        if name not in written:
            written[name] = folder / f"{name}{KINDS[name].suffix}"
            KINDS[name].write(written[name])
        return written[name]

    return path


@every_kind
def test_a_sound_file_is_read(sound, name):
    assert outcome(KINDS[name], sound(name))


@pytest.mark.slow
@every_kind
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_file_is_read_or_refused(sound, name, tmp_path):
    kind, content = KINDS[name], sound(name).read_bytes()
    path = tmp_path / f"damaged{kind.suffix}"
    ways = damages(kind.suffix)
    refused = 0
    for copy in range(kind.copies):
        random = np.random.default_rng([zlib.crc32(name.encode()), copy])
        way = ways[random.integers(len(ways))]
        path.write_bytes(way(content, random))
        try:
            refused += not outcome(kind, path)
        except Exception as error:
            error.add_note(f"copy {copy} of a {name}, {way.__name__}")
            raise
    assert refused > kind.copies / 10
