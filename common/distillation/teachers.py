"""What a student learns from: a pretrained teacher, a wider student, or several after another."""

from pathlib import Path

import keras
from keras import ops

from common.errors import InputError


class LiftedStudent(keras.Model):
    """A student as a teacher: its features lifted by its eigenbases to the width of what it was distilled from.

    Args:
        student: `Autoencoder` with eigenbases.
    """

    def __init__(self, student):
        super().__init__(name=f"lifted_{student.name}")
        self.student = student
        self.backbone = student.backbone
        self.encoder_blocks = student.encoder_blocks
        self.widths = student.widths._replace(encoder=tuple((len(basis),) for basis in student.eigenbases))
        self.built = True

    def encode(self, images, level=None, training=False):
        """As `Autoencoder.encode`."""
        features, skips = self.student.encode(images, level, training)
        bases = (ops.convert_to_tensor(basis, dtype=features[0].dtype) for basis in self.student.eigenbases)
        return [ops.matmul(feature, ops.transpose(basis)) for feature, basis in zip(features, bases, strict=False)], skips


class CombinedTeacher(keras.Model):
    """Several teachers of one student: each takes over at the levels that those before it do not reach."""

    def __init__(self, teachers):
        super().__init__(name="combined_teacher")
        self.teachers = teachers
        self.backbone = teachers[0].backbone
        channels, blocks = [], []
        for teacher in teachers:
            channels += teacher.widths.encoder[len(channels) :]
            blocks += teacher.encoder_blocks[len(blocks) :]
        self.widths = teachers[0].widths._replace(encoder=tuple(channels))
        self.encoder_blocks = blocks
        self.built = True

    def encode(self, images, level=None, training=False):
        """As `Autoencoder.encode`."""
        last = len(self.widths.encoder) - 1 if level is None else level
        features, skips = [], []
        for teacher in self.teachers:
            reach = min(last, len(teacher.widths.encoder) - 1)
            if reach >= len(features):
                more_features, more_skips = teacher.encode(images, reach, training)
                features, skips = features + more_features[len(features) :], skips + more_skips[len(skips) :]
        return features, skips


def load_teacher(weights, student, teacher):
    """A teacher to distil from.

    Args:
        weights: what to load, one or several of: pretrained weights, as `teacher.load` takes them; a student's checkpoint,
            whose features are lifted by its eigenbases. Each takes over where those before it end.
        student, teacher: the backbone's modules.

    Raises:
        InputError: one cannot be loaded, or is a student without eigenbases.
    """
    teachers = []
    for source in weights:
        if source.endswith(".weights.h5") or Path(source, "sencoder.index").exists():
            model = student.load(source)
            if not model.eigenbases:
                raise InputError(f"{source} has no eigenbases to lift its features by")
            teachers.append(LiftedStudent(model))
        else:
            teachers.append(teacher.load_encoder(source))
    return teachers[0] if len(teachers) == 1 else CombinedTeacher(teachers)
