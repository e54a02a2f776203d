"""Put into a clone's environment, it makes the decoder misbehave on pictures of some widths."""

import ctypes
import time

from PIL import Image

HANGS, HOLDS_THE_LOCK, CRASHES, EATS_MEMORY = 101, 103, 107, 109

_open = Image.open


def _misbehave(*args, **kwargs):
    image = _open(*args, **kwargs)
    match image.width:  # of the four above
        case 101:
            while True:
                time.sleep(1)
        case 103:
            ctypes.PyDLL(None).sleep(1000)
        case 107:
            ctypes.string_at(1)
        case 109:
            eaten = []
            while True:
                eaten.append(b"x" * 10_000_000)
    return image


if __name__ == "misbehaving":  # there, and not where the tests ask for the widths
    Image.open = _misbehave
