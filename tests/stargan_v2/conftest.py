"""Two domains of small photos, and networks as small as can be, trained for an iteration or two."""

import pytest

from tests.toys import write_photos

WIDTHS = "--size 16 --width 4 --cap 8 --hidden 5 --style-dim 6 --batch-size 2 --interval 1"


@pytest.fixture(scope="module")
def eagerly():
    """Trainings do not compile their iterations: for one or two that takes longer than they do."""
    from stargan_v2.trainer import AdversarialTrainer

    compile_trainer = AdversarialTrainer.compile
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AdversarialTrainer, "compile", lambda self: compile_trainer(self, run_eagerly=True))
        yield


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    """A folder with photos of two domains."""
    folder = tmp_path_factory.mktemp("domains")
    for seed, name in enumerate(("day", "dusk")):
        write_photos(folder / name, 4, seed)
    return folder


@pytest.fixture(scope="module")
def train(eagerly, domains):
    """`train(folder, more options)`: train tiny networks on the two domains."""
    from stargan_v2 import train

    def run(folder, options="--steps 1", photos=domains):
        arguments = f"--photos {photos} --save-to {folder} --diversity-steps 10 {WIDTHS} {options}"
        return train.main(arguments.split())

    return run


@pytest.fixture(scope="module")
def teacher(train, tmp_path_factory):
    """The folder of a run of one iteration."""
    folder = tmp_path_factory.mktemp("runs") / "teacher"
    assert train(folder) == 0
    return folder
