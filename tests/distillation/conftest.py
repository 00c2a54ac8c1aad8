import pytest

from common.distillation import stages
from tests.toys import without_xla


@pytest.fixture(autouse=True, scope="module")
def short_trainings():
    """What takes long, and would gain nothing on the few steps of a test: XLA, and starting from a hundred batches."""
    with without_xla(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "STARTING_BATCHES", 3)
        yield
