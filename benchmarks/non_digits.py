"""Pictures of no digit, by family, all from sources that nothing here is trained on.

Nothing is downloaded: the fonts, scikit-image's and scikit-learn's pictures come with the packages
of ``benchmarks/requirements.txt``; the rest is drawn from a seed.
"""

from collections.abc import Callable, Iterator
from string import ascii_letters

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.interpolate import make_interp_spline
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_sample_images

from benchmarks.letters import UNLIKE_DIGITS, by_hand, of_books
from benchmarks.pictures import Picture, encode

#: Families that are counted apart: letters that a person may take for digits as well, and paper
#: without ink, which is to be refused by the error that says so.
APART = ("letters, look-alikes too", "blank paper")

#: Of scikit-image; left out are those with digits on them.
PHOTOS = (
    "astronaut", "brick", "camera", "cat", "cell", "coffee", "coins", "grass", "gravel",
    "hubble_deep_field", "immunohistochemistry", "moon", "page", "rocket", "text",
)  # fmt: skip
_N_SCRIBBLES, _N_FACES, _N_CROPS, _N_NOISE, _N_BLANK = 300, 100, 15, 100, 25

Rng = np.random.Generator
Gray = NDArray[np.uint8]


def families(seed: int = 0) -> dict[str, list[Picture]]:
    """Return the pictures of every family."""
    drawn: dict[str, Callable[[Rng], Iterator[Gray]]] = {
        "scribbles": scribbles,
        "faces": faces,
        "photos and textures": photos,
        "white noise": white_noise,
        "salt and pepper": salt_and_pepper,
        "smooth noise": smooth_noise,
        "blank paper": blank_paper,
    }
    return {
        "letters by hand": by_hand(UNLIKE_DIGITS),
        "letters of books": of_books(UNLIKE_DIGITS),
        "letters, look-alikes too": by_hand(ascii_letters) + of_books(ascii_letters),
    } | {
        name: [Picture(encode(image)) for image in draw(np.random.default_rng(seed))]
        for name, draw in drawn.items()
    }


def scribbles(rng: Rng) -> Iterator[Gray]:
    """Draw splines through 7 to 13 random points, dark on white, with pens of many widths."""
    for _ in range(_N_SCRIBBLES):
        side = int(rng.integers(64, 257))
        points = rng.random((rng.integers(7, 14), 2))
        curve = make_interp_spline(np.linspace(0, 1, len(points)), points)(np.linspace(0, 1, 200))
        curve = side * (0.1 + 0.8 * (curve - curve.min()) / np.ptp(curve))  # all of it is seen
        canvas = Image.new("L", (side, side), 255)
        width = max(2, round(side * rng.uniform(0.02, 0.07)))
        ink = int(rng.integers(0, 100))
        ImageDraw.Draw(canvas).line(curve.ravel().tolist(), ink, width, joint="curve")
        yield np.asarray(canvas)


def faces(_rng: Rng) -> Iterator[Gray]:
    """Take the faces of scikit-image's excerpt of Labeled Faces in the Wild, 25×25 pixels."""
    subset = skimage.data.lfw_subset()[:_N_FACES]  # the other half shows no faces
    yield from (subset * 255).round().astype(np.uint8)


def photos(rng: Rng) -> Iterator[Gray]:
    """Cut random squares of 28 to 200 pixels out of photos and textures."""
    sources = [getattr(skimage.data, name)() for name in PHOTOS] + load_sample_images().images
    for source in sources:
        for _ in range(_N_CROPS):
            side = int(rng.integers(28, min(200, *source.shape[:2]) + 1))
            top, left = (int(rng.integers(length - side + 1)) for length in source.shape[:2])
            yield source[top : top + side, left : left + side]


def white_noise(rng: Rng) -> Iterator[Gray]:
    """Draw every pixel's gray level by itself."""
    for side in rng.integers(28, 129, _N_NOISE):
        yield rng.integers(0, 256, (side, side), np.uint8)


def salt_and_pepper(rng: Rng) -> Iterator[Gray]:
    """Turn 1 to 20 % of a gray picture's pixels black or white."""
    for side in rng.integers(28, 129, _N_NOISE):
        image = np.full((side, side), rng.integers(60, 200), np.uint8)
        changed = rng.random((side, side)) < rng.uniform(0.01, 0.2)
        image[changed] = rng.choice(np.array([0, 255], np.uint8), int(changed.sum()))
        yield image


def smooth_noise(rng: Rng) -> Iterator[Gray]:
    """Blur white noise by a fiftieth to a sixth of the side, and stretch it to all gray levels."""
    for side in rng.integers(28, 129, _N_NOISE):
        field = gaussian_filter(rng.standard_normal((side, side)), side * rng.uniform(0.02, 0.16))
        yield _gray(255 * (field - field.min()) / np.ptp(field))


def blank_paper(rng: Rng) -> Iterator[Gray]:
    """Paper of one shade, with grain, in slanting light, and in a vignette: as many of each."""
    for side in rng.integers(28, 257, _N_BLANK):
        shade = rng.uniform(120, 255)
        grain = rng.standard_normal((side, side))
        rows, columns = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
        yield _gray(np.full((side, side), shade))
        yield _gray(shade + 2 * grain)
        yield _gray(shade + 15 * (rows * rng.uniform(-1, 1) + columns) + grain)
        yield _gray(shade - 25 * (rows**2 + columns**2) + grain)


def _gray(levels: NDArray[np.floating]) -> Gray:
    return levels.round().clip(0, 255).astype(np.uint8)
