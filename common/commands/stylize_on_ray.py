"""The command `stylize` on a Ray cluster: a folder here or in storage, a photo or film a task."""

import argparse
import contextlib
import functools
import io
import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from common.commands import ray_cluster
from common.commands.results import BYTES_PER_PIXEL, attempt, jobs_for, output_path, summed_up, without_results
from common.commands.storage import Folder, local_copy
from common.commands.stylize_files import asked_style, require_content, required_settings, stylize_file
from common.errors import InputError
from common.photos import photos_among
from common.photos.films import FILMS
from common.transfer.style import Style
from common.transfer.stylizer import Stylizer


@dataclass(frozen=True)
class Job:
    """What the workers have to know, the same for all photos.

    Attributes:
        backbone: name of the network's.
        options: of the command.
        settings: keyword arguments of the `Stylizer`.
        style: measured by the process that hands out the work.
        source, target: where photos are, and where results go.
    """

    backbone: str
    options: argparse.Namespace
    settings: dict
    style: Style
    source: Folder
    target: Folder


def stylize_on_ray(options, backbone):
    """As `common.commands.stylize.stylize_photos`, for a folder, on the Ray cluster that `options` name."""
    ray_cluster.ray_package()
    ray_cluster.require_cluster(options.ray)
    source = Folder(options.content)
    target = Folder(options.output) if options.output else source
    with contextlib.ExitStack() as copies:
        options.style = copies.enter_context(local_copy(options.style))
        options.mix = [(copies.enter_context(local_copy(place)), weight) for place, weight in options.mix]
        settings = required_settings(options, is_folder=True, several=True)
        pairs, refused = work_to_do(source, target, options)
        network = network_of(backbone, options.model, options.checkpoint)
        style = asked_style(Stylizer(network, **settings), options)
    if not pairs:
        return summed_up(refused, len(refused))
    jobs = options.jobs
    if options.ray == ray_cluster.LOCAL and not jobs:
        contents = [options.content / name for name, _ in pairs] if source.is_local else []
        jobs = jobs_for(contents, network.bytes_per_pixel if settings["size"] is None else BYTES_PER_PIXEL)
    job = Job(backbone, options_for_workers(options), settings, style, source, target)
    with ray_cluster.joined(options.ray, jobs) as ray:
        done = outcomes(ray_cluster.results(ray, stylize_on_worker, job, pairs, jobs), source)
        return summed_up(itertools.chain(refused, done), len(refused) + len(pairs))


def work_to_do(source, target, options):
    """Names of the contents and of their results, the largest files first; and outcomes of those that are refused.

    That nothing is replaced is seen to here: a worker finds a result of its own where its predecessor was lost late.
    """
    if not source.exists():
        raise InputError(f"--ray takes a folder of photos: {source} is none")
    sizes = source.sizes()
    contents = without_results(photos_among(map(Path, sizes), source, FILMS))
    target.make()
    there, pairs, refused = set(target.sizes()), [], []
    for content in sorted(contents, key=lambda content: -sizes[content.name]):
        output = output_path(content, options.output and Path(), is_folder=True).name
        if output not in there or options.overwrite:
            pairs.append((content.name, output))
            there.add(output)
        elif not options.resume:
            refused.append((content.name, 1, f"{target.named(output)} exists; --overwrite replaces it"))
    return pairs, refused


def options_for_workers(options):
    """`options` as they mean the same in another folder, and on a second try."""
    checkpoint = options.checkpoint
    if checkpoint and Path(checkpoint).exists():
        checkpoint = str(Path(checkpoint).absolute())
    return argparse.Namespace(**vars(options) | {"checkpoint": checkpoint, "overwrite": True})


@functools.cache
def network_of(backbone, model, checkpoint):
    """A network, loaded once a process."""
    from common.network.registry import load_network

    return load_network(backbone, model, checkpoint)


def stylize_on_worker(job, name, output):
    """Stylise one file, on a worker.

    Returns:
        What `common.commands.results.attempt` gives, and the warnings that were printed.
    """
    printed, names = io.StringIO(), {}

    def work(name, output):
        with job.source.reading(name) as content, job.target.writing(output) as result:
            names.update({str(content): job.source.named(name), str(result): job.target.named(output)})
            require_content(content, result, job.options, job.settings)
            network = network_of(job.backbone, job.options.model, job.options.checkpoint)
            return stylize_file(network, job.settings, job.style, job.options, content, result)

    with contextlib.redirect_stderr(printed):
        outcome = attempt(work, name, output)
    warnings = printed.getvalue()
    for path, named in names.items():
        warnings = warnings.replace(path, named)
    return outcome, warnings


def outcomes(results, source):
    """Outcomes of `ray_cluster.results`; warnings are told on the way."""
    for (name, _), result in results:
        if result is None:
            yield name, 1, f"{source.named(name)}: {ray_cluster.RETRIES + 1} workers were lost with it"
            continue
        outcome, warnings = result
        if warnings:
            tqdm.write(warnings, file=sys.stderr, end="")
        yield outcome
