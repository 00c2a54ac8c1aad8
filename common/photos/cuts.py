"""Cuts: where a film goes on with another picture."""

import cv2
import numpy as np

# Width and height of the thumbnails that are compared.
THUMBNAIL = (48, 27)
# Standard deviations, in a thumbnail's pixels, of the Gaussians between whose results it is seen: without grain, and without
# the sky above and the ground below that unrelated photos share.
FINE, COARSE = 1, 6
# Added to a thumbnail's spread, so that the noise of a black frame counts for little; of pixels in [0, 1].
LEAST_SPREAD = 0.02
# Difference of neighbouring frames from which on there is a cut, and how many times it exceeds what the shot was used to.
# Unrelated photos differ by 0.61 to 1.2; a pan of a twelfth of the width a frame by 0.22, the first light of a fade by 0.41.
CUT, TIMES_USUAL = 0.58, 2.5
# Share of the newest difference in what a shot is used to.
NEWEST = 0.2
# Seconds within which a shot may come back: a flash, or a few damaged frames, is no cut.
FLASH = 0.5


class Cuts:
    """Numbers the shots of a film, frame after frame.

    Brightness and contrast have no part in it, so fades are no cuts. After a flash the number is again what it was before.
    """

    def __init__(self):
        self._shot = self._shots = 0
        self._last = None  # thumbnail of the last frame
        self._usual = 0.0
        self._left = None  # of the shot before the last cut: number, thumbnail, seconds of the cut

    def shot(self, pixels, seconds):
        """The number of the shot that the next frame belongs to, 0 for the first.

        Args:
            pixels: `(height, width, 3)`, uint8 or floats in [0, 1].
            seconds: when the frame is shown.
        """
        thumbnail = normalised(pixels)
        last, self._last = self._last, thumbnail
        if last is None:
            return self._shot
        if self._left and self._is_back(thumbnail, seconds):
            self._shot, self._left = self._left[0], None
            return self._shot
        difference = np.abs(thumbnail - last).mean()
        if difference > max(CUT, TIMES_USUAL * self._usual):
            if not (self._left and self._within_flash(seconds)):  # in a flash of several frames the first is what counts
                self._left = self._shot, last, seconds
            self._shots += 1
            self._shot, self._usual = self._shots, 0.0
        else:
            self._usual += NEWEST * (difference - self._usual)
        return self._shot

    def _within_flash(self, seconds):
        return seconds - self._left[2] <= FLASH

    def _is_back(self, thumbnail, seconds):
        if not self._within_flash(seconds):
            self._left = None
            return False
        return np.abs(thumbnail - self._left[1]).mean() < CUT


def normalised(pixels):
    """A thumbnail `(27, 48, 3)` of a frame, band-passed, each channel with mean 0 and a spread of about 1."""
    thumbnail = cv2.resize(pixels, THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)
    if pixels.dtype == np.uint8:
        thumbnail /= 255
    thumbnail -= cv2.GaussianBlur(thumbnail, (0, 0), COARSE)
    thumbnail = cv2.GaussianBlur(thumbnail, (0, 0), FINE)
    return thumbnail / (thumbnail.std() + LEAST_SPREAD)
