"""Digits with something else in the picture, drawn by the project's pen: families of scenes."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from tests.scenes import light, marks, surroundings
from tests.strokes import encode

Draw = Callable[[int, np.random.Generator], Image.Image]

#: The families that are to be read.
FAMILIES = {
    "underlined": marks.underlined,
    "double underlined": marks.double_underlined,
    "circled": marks.circled,
    "shadow across, level": light.shadow_across,
    "shadow across, oblique": light.shadow_oblique,
    "lamp in the dark": light.lamp_in_the_dark,
    "sheet on a desk, straight": surroundings.sheet_straight,
    "sheet on a desk, askew": surroundings.sheet_askew,
    "desk in a corner, pencil": surroundings.desk_in_a_corner,
    "desk along an edge, pencil": surroundings.desk_along_an_edge,
    "phone's status bar": surroundings.phone_with_a_status_bar,
    "window with bar and buttons": surroundings.window_with_buttons,
    "tight": marks.tight,
    "table cell": marks.in_a_table_cell,
}
#: Further families, some of which are hard for people as well.
FURTHER = {
    "printed text above": marks.under_printed_text,
    "second pen's tick": marks.ticked,
    "finger at the edge": marks.pointed_at,
    "flash reflected": light.flash_reflected,
    "folded paper": light.folded,
    "pencil in a shadow": light.pencil_in_a_shadow,
    "spiral holes": marks.with_spiral_holes,
    "coffee stain": marks.stained_by_coffee,
    "stamp": marks.stamped,
    "paper clip": marks.under_a_paper_clip,
    "plot with axes": marks.between_axes,
    "rubbed out before": marks.rubbed_out_before,
    "checkerboard": surroundings.on_a_checkerboard,
    "dashed": marks.dashed,
    "hollow": marks.hollow,
}
#: A drawing has fewer colours than a photo.
DRAWN_MAX_COLORS = 2000


def draw_scene(family, index, seed=0):
    """Draw one form of a family and return it as a file: a photo as a JPEG, a drawing as a PNG.

    Parameters
    ----------
    family : str
        Of `FAMILIES` or `FURTHER`.
    index : int
        Its last digit is the one that is drawn.
    seed : int, default=0
    """
    both = FAMILIES | FURTHER
    rng = np.random.default_rng([seed, index, list(both).index(family)])
    picture = both[family](index % 10, rng)
    if picture.getcolors(DRAWN_MAX_COLORS) is not None:
        return encode(picture, "PNG")
    return encode(picture, "JPEG", quality=int(rng.integers(75, 93)))
