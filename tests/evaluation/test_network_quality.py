"""What a model is worth: the share explained, and dead channels, by hand."""

import numpy as np
import pytest

from common.eigenbases.closed_form import explained_variance
from common.eigenbases.covariances import mean_covariance
from common.evaluation.network_quality import measure, unexplained
from mobilenet_backbone import student


def test_a_student_at_its_best_explains_what_the_basis_does(rng):
    feature = rng.normal(size=(2, 8, 8, 12)).astype(np.float32) * np.arange(1, 13)
    basis = np.linalg.qr(rng.normal(size=(12, 4)))[0]
    offset = 100  # the means of a student's feature do not count
    missed, beyond, total = unexplained(feature, feature @ basis.astype(np.float32) + offset, basis)
    covariance = np.asarray(mean_covariance(feature))
    assert total == pytest.approx(128 * np.trace(covariance), rel=1e-5)
    assert 1 - missed / total == pytest.approx(explained_variance(covariance, basis), abs=1e-4)
    assert beyond == pytest.approx(missed, rel=1e-3)


def test_dead_channels_are_counted_and_quality_is_a_mean_over_photos(rng):
    model = student.build()
    model.encoder_blocks[0].get_layer("conv1").bias.assign(np.where(np.arange(10) < 3, -1e6, 1e-3))
    photos = rng.random((2, 32, 32, 3), np.float32)
    measures = measure(model, [(photos,)])
    assert measures.live[0] == ("encoder_0 conv1", 7, 10)
    errors = np.mean((np.clip(model.reconstruct(photos, 2), 0, 1) - photos) ** 2, axis=(1, 2, 3))
    assert measures.psnr[2] == pytest.approx(np.mean(-10 * np.log10(errors)), abs=1e-3)
