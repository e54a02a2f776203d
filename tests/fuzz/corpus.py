"""Valid files to begin from: drawn digits in all formats, their modes and their odd corners."""

import io

import numpy as np
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.strokes import draw_digit, encode

#: Width and height: so small that a campaign has time for a million of them.
SIZE = (24, 20)

_MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "GIF": ("L", "P", "RGB"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"),
    "WEBP": ("L", "RGB", "RGBA"),
    "AVIF": ("L", "RGB", "RGBA"),
}


def corpus():
    """Encode every file; the same ones each time."""
    return [*_every_mode(), *_odd_corners(), *_tiff_compressions()]


def _every_mode():
    for number, (image_format, modes) in enumerate(_MODES.items()):
        for mode in modes:
            yield encode(_drawn(number, mode), image_format)


def _drawn(digit, mode="L"):
    image = draw_digit(digit, size=SIZE, rng=np.random.default_rng(digit), noise=3)
    if mode == "I;16":
        return Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    return image.convert(mode)


def _odd_corners():
    """Animations, interlacing, transparency, and the chunks that hold anything but pixels."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    texts = PngInfo()
    texts.add_text("Comment", "text " * 20, zip=True)
    texts.add_itxt("Title", "title " * 20, zip=True)
    gray, colour, clear = _drawn(3), _drawn(4, "RGB"), _drawn(5, "RGBA")
    frames = {"save_all": True, "append_images": [_drawn(6, "RGB"), _drawn(7, "RGB")]}
    yield encode(colour, "PNG", pnginfo=texts, icc_profile=profile, exif=exif)
    yield encode(colour.quantize(8), "PNG", transparency=0)
    yield encode(colour, "PNG", **frames)
    yield encode(colour, "GIF", **frames)
    yield encode(gray.convert("P"), "GIF", transparency=0, interlace=1, comment=b"a comment")
    yield encode(colour, "JPEG", progressive=True, exif=exif, icc_profile=profile, comment=b"c")
    yield encode(gray, "JPEG", quality=30, restart_marker_rows=1)
    yield encode(colour, "WEBP", **frames)
    yield encode(clear, "WEBP", lossless=True, exif=exif, icc_profile=profile)
    yield encode(colour, "AVIF", **frames)
    yield encode(clear, "AVIF", exif=exif, icc_profile=profile)
    yield encode(colour, "TIFF", **frames)
    yield encode(colour, "MPO", save_all=True, append_images=[gray])


def _tiff_compressions():
    for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        yield encode(_drawn(8, "RGB"), "TIFF", compression=name)
    for name in ("group3", "group4", "tiff_ccitt"):
        yield encode(_drawn(9, "1"), "TIFF", compression=name)
    yield encode(_drawn(8, "RGB"), "TIFF", compression="tiff_lzw", tiffinfo={317: 2})  # predictor
    yield _tiled_tiff()


def _tiled_tiff():
    """Pillow writes no tiles: a gray picture of one 32×32 tile, written by hand."""
    tags = {
        256: 24, 257: 20, 258: 8, 259: 1, 262: 1, 277: 1,
        322: 32, 323: 32, 324: 8, 325: 1024,
    }  # fmt: skip
    file = io.BytesIO()
    tile = np.pad(np.asarray(_drawn(2)), ((0, 12), (0, 8)), mode="edge")
    file.write(b"II*\0" + (8 + tile.size).to_bytes(4, "little") + tile.tobytes())
    file.write(len(tags).to_bytes(2, "little"))
    for tag, value in tags.items():
        file.write(np.array([tag, 4], "<u2").tobytes() + np.array([1, value], "<u4").tobytes())
    file.write(bytes(4))
    return file.getvalue()
