"""The usual recipe by OpenCV for a digit in a picture, as tutorials for MNIST have it.

Gray levels, blur, Otsu's threshold, the largest contour, a box of 20 pixels, centre of mass.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE, BOX, CENTER = 28, 20, 14


def framed(content: bytes) -> NDArray[np.float32]:
    """Decode a picture and return its digit, light on black, from 0 to 1, of shape (1, 784)."""
    gray = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    ink = _ink(gray)
    contours, _ = cv2.findContours((ink > 0).astype(np.uint8), *_OUTER)
    if not contours:
        return np.zeros((1, SIDE * SIDE), np.float32)
    left, top, width, height = cv2.boundingRect(max(contours, key=cv2.contourArea))
    scale = BOX / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    cropped = ink[top : top + height, left : left + width]
    digit = cv2.resize(cropped, size, interpolation=cv2.INTER_AREA)
    return _centered(digit).reshape(1, SIDE * SIDE).astype(np.float32) / 255


_OUTER = (cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)


def _ink(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the gray levels of the ink, light on black, by Otsu's threshold."""
    smooth = cv2.GaussianBlur(gray, (3, 3), 0)
    rim = np.concatenate([smooth[0], smooth[-1], smooth[:, 0], smooth[:, -1]])
    threshold, _ = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    if rim.mean() > threshold:
        smooth, threshold = 255 - smooth, 255 - threshold
    levels = np.where(smooth > threshold, smooth, 0)
    return cv2.normalize(levels, None, 0, 255, cv2.NORM_MINMAX)


def _centered(digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put a digit into the image so that its centre of mass is at pixel 14."""
    moments = cv2.moments(digit)
    height, width = digit.shape
    mass = moments["m00"] or 1
    x = round(CENTER - moments["m10"] / mass)
    y = round(CENTER - moments["m01"] / mass)
    x, y = min(max(x, 0), SIDE - width), min(max(y, 0), SIDE - height)
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[y : y + height, x : x + width] = digit
    return image
