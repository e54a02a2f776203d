"""Small files that ask for much time or memory; most could only be written by hand."""

import io
import struct
import zipfile
import zlib

import numpy as np
from PIL import Image

from digit_classifier.preprocessing.decode.guards import START_OF_SCAN
from tests.strokes import encode

MIB = 1024 * 1024
GRAY, SIDE = 0, 64
_LARGEST, _LARGEST_COLOUR = (6300, 6300), (3650, 3650)


def chunk(kind, body):
    """Write a chunk of a PNG."""
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def png(width=SIDE, height=SIDE, *, extra=b"", pixels=b""):
    """Write a gray PNG; by default without any pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, GRAY, 0, 0, 0)
    parts = (
        chunk(b"IHDR", header),
        extra,
        chunk(b"IDAT", zlib.compress(pixels)),
        chunk(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff(tags, data=bytes(100)):
    """Write a TIFF with the data at byte 8; `tags` add to those of a small gray picture."""
    small = {256: SIDE, 257: SIDE, 258: 8, 259: 1, 262: 1, 277: 1}
    small |= {} if 322 in tags else {273: 8, 278: SIDE, 279: len(data)}
    entries = [struct.pack("<HHII", tag, 4, 1, n) for tag, n in sorted((small | tags).items())]
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory


def _fax(height):
    """Rows that cannot be read, each worth a line of libtiff's to the log."""
    noise = np.random.default_rng(0).bytes(100)
    return tiff({256: 8, 257: height, 258: 1, 259: 3, 262: 0, 278: height}, noise)


def scans(size, n):
    """A progressive JPEG that passes over its pixels so many times."""
    picture = encode(Image.new("L", size), "JPEG", progressive=True)
    start = picture.index(START_OF_SCAN)
    scan = picture[start : picture.index(START_OF_SCAN, start + 2)]
    header = scan[: 2 + int.from_bytes(scan[2:4], "big")]
    return picture[:-2] + header * (n - picture.count(START_OF_SCAN)) + b"\xff\xd9"


def _webp():
    """An animation on a canvas of 30,000 pixels a side."""
    red = Image.new("RGB", (SIDE, SIDE), "red")
    file = bytearray(encode(red, "WEBP", save_all=True, append_images=[Image.new("RGB", red.size)]))
    start = file.index(b"VP8X") + 12
    file[start : start + 6] = (30_000).to_bytes(3, "little") * 2
    return bytes(file)


def _gif(width, height):
    """One frame larger than the screen it is for."""
    file = bytearray(encode(Image.new("L", (SIDE, SIDE)), "GIF"))
    start = file.index(b",", 13) + 5
    file[start : start + 4] = struct.pack("<HH", width, height)
    return bytes(file)


def _frames():
    """Ten thousands of frames."""
    file = encode(Image.new("P", (16, 16)), "GIF")
    frame = file[file.index(b",", 13) : -1]
    return file[:-1] + frame * (MIB // len(frame) - 20) + b";"


def _bmp(side):
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header


def run_lengths(side, *, bits=8):
    """A BMP that has only the first pixel of each row."""
    rows = b"\1\1\0\0" * side
    kind = {8: 1, 4: 2}[bits]
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, bits, kind, 0, 0, 0, 2, 0)
    start = 14 + len(header) + 8
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + bytes(8) + rows


def _text(kind, n_bytes, n=1):
    body = b"a\0\0" + zlib.compress(bytes(n_bytes), 9)
    return png(extra=chunk(kind, body) * n, pixels=bytes(SIDE * (SIDE + 1)))


def avif_of_size(width, height, side):
    """An AVIF that declares a size in its header, and another in its data."""
    file = bytearray(encode(Image.new("L", (side, side), 255), "AVIF", speed=10))
    start = file.index(b"ispe") + 8
    file[start : start + 8] = struct.pack(">II", width, height)
    return bytes(file)


def avif_of_frames(side, n):
    """An AVIF whose one image has many frames in its data, as a video has."""
    file = encode(Image.new("L", (side, side), 255), "AVIF", speed=10)
    start = file.index(b"mdat") + 4
    data, frame = file[start:], file[start + len(_sequence_header(file[start:])) :]
    longer = data + frame * n
    return (
        file[: start - 8].replace(struct.pack(">I", len(data)), struct.pack(">I", len(longer)))
        + struct.pack(">I", len(longer) + 8)
        + b"mdat"
        + longer
    )


def _sequence_header(data):
    """What stands before the frame in an image's data: its delimiter and its sequence header."""
    end = 0
    while data[end] >> 3 & 15 != 6:
        end += 2 + data[end + 1]
    return data[:end]


#: Each with the error that it is refused by, or "no_ink" where it is read as the blank paper it is.
FILES = {
    "PNG of 30,000×30,000": (lambda: png(30_000, 30_000), "too_many_pixels"),
    "PNG of 2³¹×2³¹": (lambda: png(2**31 - 1, 2**31 - 1), "too_many_pixels"),
    "PNG of 6400×6400, unpacked to 41 MB": (
        lambda: png(6400, 6400, pixels=bytes(6401 * 6400)),
        "too_many_pixels",
    ),
    "PNG with a text of 200 MB": (lambda: _text(b"zTXt", 200_000_000), "no_ink"),
    "PNG with 900 texts of 1 MB": (lambda: _text(b"zTXt", 1_000_000, 900), "no_ink"),
    "PNG with 900 profiles of 1 MB": (lambda: _text(b"iCCP", 1_000_000, 900), "no_ink"),
    "PNG of 64×64 with 300 MB of pixels": (lambda: png(pixels=bytes(300_000_000)), "no_ink"),
    "JPEG of 65,500×65,500": (
        lambda: _sized_jpeg(65_500),
        "too_many_pixels",
    ),
    "JPEG of 6300×6300 in 89,000 scans": (lambda: scans(_LARGEST, 89_000), "broken_image"),
    "GIF with a frame of 65,535×65,535": (lambda: _gif(65_535, 65_535), "too_many_pixels"),
    "GIF of 6,000 frames": (_frames, "no_ink"),
    "BMP of 30,000×30,000": (lambda: _bmp(30_000), "too_many_pixels"),
    "BMP of 6300×6300 in run lengths": (lambda: run_lengths(6300), "too_many_pixels"),
    "PNG of 6300×6300 in colour": (
        lambda: encode(Image.new("RGBA", _LARGEST), "PNG"),
        "too_many_pixels",
    ),
    "TIFF of 2³¹×2³¹": (lambda: tiff({256: 2**31 - 1, 257: 2**31 - 1}), "too_many_pixels"),
    "TIFF of 64×64 in a tile of 40,000×40,000": (
        lambda: tiff({259: 5, 322: 40_000, 323: 40_000, 324: 8, 325: 100}),
        "broken_image",
    ),
    "TIFF of five million rows that are none": (lambda: _fax(5_000_000), "too_many_pixels"),
    "TIFF of 65,000 rows that are none": (lambda: _fax(65_000), "no_ink"),
    "TIFF of 1,027 samples a pixel": (lambda: tiff({277: 1027}), "unsupported_image"),
    "WebP of 30,000×30,000": (_webp, "too_many_pixels"),
    "WebP of 6300×6300": (
        lambda: encode(Image.new("RGBA", _LARGEST), "WEBP", lossless=True, method=0),
        "too_many_pixels",
    ),
    "AVIF of 30,000×30,000": (lambda: avif_of_size(30_000, 30_000, SIDE), "unsupported_image"),
    "AVIF of 10,000×10,000": (lambda: avif_of_size(10_000, 10_000, SIDE), "too_many_pixels"),
    "AVIF of 64×64 with a frame of 3000×3000": (
        lambda: avif_of_size(SIDE, SIDE, 3000),
        "broken_image",
    ),
    "AVIF of 3600×3600 in 900 frames": (lambda: avif_of_frames(3600, 900), "broken_image"),
}


#: Within the limits: what they let a small file cost.
COSTLY = {
    "AVIF of 3650×3650, transparent": lambda: encode(
        Image.new("RGBA", _LARGEST_COLOUR), "AVIF", speed=10
    ),
    "WebP of 3650×3650, without loss": lambda: encode(
        Image.new("RGBA", _LARGEST_COLOUR), "WEBP", lossless=True, method=0
    ),
    "PNG of 6300×6300": lambda: encode(Image.new("L", _LARGEST), "PNG"),
    "PNG of 6300×6300, palette, transparent": lambda: encode(
        Image.new("P", _LARGEST), "PNG", transparency=0
    ),
    "PNG of 3650×3650, transparent": lambda: encode(Image.new("RGBA", _LARGEST_COLOUR), "PNG"),
    "TIFF of 6300×6300": lambda: encode(
        Image.new("L", _LARGEST), "TIFF", compression="tiff_adobe_deflate"
    ),
    "TIFF of 3650×3650, transparent": lambda: encode(
        Image.new("RGBA", _LARGEST_COLOUR), "TIFF", compression="tiff_adobe_deflate"
    ),
    "GIF of 4470×4470": lambda: encode(Image.new("L", (4470, 4470)), "GIF"),
    "BMP of 1000×1000 in run lengths": lambda: run_lengths(1000),
    "JPEG of 6300×6300": lambda: encode(Image.new("L", _LARGEST), "JPEG"),
    "JPEG of 6300×6300 in 10 scans": lambda: scans(_LARGEST, 10),
    "JPEG of 3650×3650 in 30 scans": lambda: scans(_LARGEST_COLOUR, 30),
    "PNG of 320×320 with 6,400 dots": lambda: _dots(320),
}


def _dots(side):
    """A print's raster, each of its dots a part for itself."""
    rows, columns = np.indices((side, side)) % 4 // 2
    return encode(Image.fromarray(255 * (rows | columns).astype(np.uint8)), "PNG")


def _sized_jpeg(side):
    file = bytearray(encode(Image.new("L", (SIDE, SIDE)), "JPEG"))
    start = file.index(b"\xff\xc0") + 5
    file[start : start + 4] = struct.pack(">HH", side, side)
    return bytes(file)


def _zip(content, n):
    """An archive of n files of the same content, which is compressed once."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("00000.png", content)
    one = file.getvalue()
    start, end = one.rindex(b"PK\1\2"), one.rindex(b"PK\5\6")
    entry, record = one[:start], one[start:end]
    names = [b"%05d.png" % number for number in range(n)]
    entries = b"".join(entry.replace(b"00000.png", name) for name in names)
    directory = b"".join(
        record[:42] + struct.pack("<I", number * len(entry)) + name  # where its entry begins
        for number, name in enumerate(names)
    )
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, n, n, len(directory), len(entries), 0)
    return entries + directory + tail


#: For the batch endpoint, each with the error that it is refused by, or each of its files.
ARCHIVES = {
    "ZIP of 40 files of 100 MB": (lambda: _zip(bytes(100_000_000), 40), "file_too_large"),
    "ZIP of 60,000 files": (lambda: _zip(b"", 60_000), "bad_batch"),
}
