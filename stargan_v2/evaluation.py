"""What trained networks are worth: how like the target domain, how like their teacher, how near the truth, at what cost.

Each function gives numbers by name, a dict that JSON can hold.
"""

import numpy as np
from keras import ops

from common.distillation.kernels_and_wavelets import gka, wavelet_distance
from common.photos import read_rgb
from stargan_v2 import grids, measures
from stargan_v2.batches import resized

# Images that a generator makes at a time.
BATCH = 32


def read(paths, size):
    """Photos as networks take them."""
    return np.stack([resized(read_rgb(path), size) for path in paths])


def in_batches(function, *arrays):
    """`function` of arrays, a part of them at a time, as one array."""
    parts = range(0, len(arrays[0]), BATCH)
    return np.concatenate([ops.convert_to_numpy(function(*(x[start : start + BATCH] for x in arrays))) for start in parts])


def made(networks, images, styles):
    """What a generator makes of images and styles."""
    return in_batches(lambda *inputs: networks["generator"](list(inputs))[0], images, styles)


def styles_of(networks, references, domain):
    """Styles of references, all of one domain, a number."""
    domains = one_hot(networks, domain, len(references))
    return in_batches(lambda *inputs: networks["encoder"](list(inputs)), references, domains)


def one_hot(networks, domain, count):
    """A domain's vector so many times."""
    domains = networks["encoder"].inputs[1].shape[-1]
    return np.repeat(np.eye(domains, dtype=np.float32)[[domain]], count, axis=0)


def directions(domains):
    """Ordered pairs of different domains, as numbers."""
    return [(source, target) for source in range(len(domains)) for target in range(len(domains)) if source != target]


def outputs_of(networks, photos, source, target, count, seed=0):
    """`count` images of every photo of a domain in another, in styles of noise, and in styles of references.

    Args:
        photos: arrays by domain.

    Returns:
        Two lists of `count` arrays, each as long as the photos of the source.
    """
    random = np.random.default_rng([seed, source, target])
    images, latent_dim = photos[source], networks["mapping"].inputs[0].shape[-1]
    latent, guided = [], []
    for _ in range(count):
        noise = random.normal(size=(len(images), latent_dim)).astype(np.float32)
        domain = one_hot(networks, target, 1)[0]
        latent.append(made(networks, images, grids.styles_of_noise(networks, noise, domain)))
        references = photos[target][random.integers(len(photos[target]), size=len(images))]
        guided.append(made(networks, images, styles_of(networks, references, target)))
    return latent, guided


def likeness(networks, photos, real, vectors, distance, count):
    """Frechet distance to real photos of the target domain, and diversity; means over ordered pairs of domains.

    Args:
        photos: arrays by domain, to go from, and to take references from.
        real: arrays by domain, to compare with.
        vectors: images to `(batch, channels)`, or None for no Frechet distance.
        distance: two arrays of images to `(batch,)`, or None for no diversity.
        count: images of each photo.
    """
    values = {}
    for source, target in directions(photos):
        for kind, outputs in zip(("latent", "reference"), outputs_of(networks, photos, source, target, count), strict=True):
            if vectors:
                features = vectors(np.concatenate(outputs)), vectors(real[target])
                values.setdefault(f"frechet_{kind}", []).append(measures.frechet(*features))
            if distance and count > 1:
                values.setdefault(f"diversity_{kind}", []).append(measures.mean_pairwise(distance, outputs))
    return {name: float(np.mean(numbers)) for name, numbers in values.items()}


def against_teacher(student, teacher, photos):
    """The student's images against the teacher's, in the teacher's styles and in its own; means over pairs of domains.

    Every photo has the reference of its number in the target domain.
    """
    values = []
    for source, target in directions(photos):
        images = photos[source]
        references = np.resize(photos[target], (len(images), *images.shape[1:]))
        style, own = (styles_of(networks, references, target) for networks in (teacher, student))
        taught, result, alone = made(teacher, images, style), made(student, images, style), made(student, images, own)
        values.append(
            {
                "l1": measures.l1(result, taught),
                "psnr": measures.psnr(result, taught),
                "haar_details": float(wavelet_distance(result, taught)),
                "gka": mean_alignment(student, teacher, images, style),
                "l1_own_styles": measures.l1(alone, taught),
                "style": float(np.abs(own - style).mean()),
            }
        )
    return {name: float(np.mean([value[name] for value in values])) for name in values[0]}


def mean_alignment(student, teacher, images, styles):
    """Kernel alignment of two generators' blocks, averaged over blocks and batches."""
    alignments = []
    for start in range(0, len(images), BATCH):
        inputs = [images[start : start + BATCH], styles[start : start + BATCH]]
        blocks = (networks["generator"](inputs)[1:] for networks in (student, teacher))
        alignments.append(np.mean([float(gka(x, y)) for x, y in zip(*blocks, strict=True)]))
    return float(np.mean(alignments))


def against_truth(networks, domains, folder, truth, size):
    """Images in the style of a reference against right answers; R^2 of linear fits from styles to what is known of them.

    Args:
        domains: their names.
        folder: of the set.
        truth: what `make_day_and_dusk` wrote there.
    """
    values = {}
    for target in dict.fromkeys(entry["target"] for entry in truth["answers"]):
        entries = [entry for entry in truth["answers"] if entry["target"] == target]
        parts = ("photo", "reference", "answer")
        photos, references, answers = (read([folder / entry[part] for entry in entries], size) for part in parts)
        result = made(networks, photos, styles_of(networks, references, domains.index(target)))
        values[f"l1_to_{target}"] = measures.l1(result, answers)
        values[f"psnr_to_{target}"] = measures.psnr(result, answers)
        values[f"l1_untouched_{target}"] = measures.l1(photos, answers)
        values[f"psnr_untouched_{target}"] = measures.psnr(photos, answers)
    return values | parameters_in_styles(networks, domains, folder, truth, size)


def parameters_in_styles(networks, domains, folder, truth, size):
    """R^2 on test photos of linear fits, made on training photos, from a reference's style to its parameters.

    Nothing where there are fewer than two photos to test on.
    """
    codes, numbers = {}, {}
    if sum(name.startswith("test/") for name in truth["parameters"]) < 2:
        return {}
    for part in ("train", "test"):
        names = [name for name in truth["parameters"] if name.startswith(f"{part}/")]
        domain = domains.index(names[0].split("/")[1])
        codes[part] = styles_of(networks, read([folder / name for name in names], size), domain)
        numbers[part] = np.array([list(truth["parameters"][name].values()) for name in names])
    fits = measures.linear_fit(codes["train"], numbers["train"], codes["test"], numbers["test"])
    parameters = next(iter(truth["parameters"].values()))
    return {f"r2_{name}": float(fit) for name, fit in zip(parameters, fits, strict=True)}


def cost(trained, path):
    """Parameters, multiplications and additions of one pass, time of the generator for an image, size of the file."""
    used = [name for name in trained.networks if name != "discriminator"]
    return {
        "parameters": sum(trained.networks[name].count_params() for name in used),
        **{f"parameters_{name}": trained.networks[name].count_params() for name in used},
        **{f"macs_{name}": measures.macs(trained.networks[name]) for name in used},
        "generator_ms": measures.milliseconds(trained.networks["generator"]),
        "file_bytes": path.stat().st_size,
    }
