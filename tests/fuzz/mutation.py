"""Damage to files, as accidents and attackers do it: a valid file in, a worse one out."""

import struct
import zlib

#: Numbers on which readers of lengths and sizes stumble.
_NUMBERS = (0, 1, 7, 8, 127, 128, 255, 256, 4096, 32767, 32768, 40_000, 65535, 65536, 10**6)
_LARGE = (2**31 - 1, 2**31, 2**32 - 1, 2**32 - 16, 10**8)
_MARK = 12  # bytes of the longest one, that of WebP
_PNG = b"\x89PNG\r\n\x1a\n"


def mutate(rng, corpus):
    """Take a file of the corpus, damage it one to four times, and often mend PNG's checksums."""
    content = bytearray(rng.choice(corpus))
    for _ in range(rng.randint(1, 4)):
        if content:
            rng.choice(_DAMAGES)(rng, content, corpus)
    if content.startswith(_PNG) and rng.random() < 0.7:
        return mend_checksums(bytes(content))
    return bytes(content)


def _flip_bits(rng, content, _):
    for _ in range(rng.randint(1, 8)):
        content[_place(rng, content)] ^= 1 << rng.randrange(8)


def _set_bytes(rng, content, _):
    for _ in range(rng.randint(1, 8)):
        content[_place(rng, content)] = rng.randrange(256)


def _set_number(rng, content, _):
    """Where a length, a count, an offset or a size may stand, put another."""
    order = rng.choice("<>")
    kind, numbers = rng.choice((("H", _NUMBERS[:-2]), ("I", _NUMBERS + _LARGE)))
    packed = struct.pack(order + kind, rng.choice(numbers))
    start = _place(rng, content)
    content[start : start + len(packed)] = packed


def _truncate(rng, content, _):
    del content[rng.randrange(len(content)) :]


def _remove(rng, content, _):
    start = _place(rng, content)
    del content[start : start + rng.randint(1, 64)]


def _repeat(rng, content, _):
    start, length = _place(rng, content), rng.randint(1, 64)
    content[start:start] = content[start : start + length] * rng.randint(1, 16)


def _insert(rng, content, _):
    start = _place(rng, content)
    content[start:start] = rng.randbytes(rng.randint(1, 64))


def _splice(rng, content, corpus):
    """Put a part of another file over a part of this one."""
    other = rng.choice(corpus)
    start, length = rng.randrange(len(other)), rng.randint(4, 256)
    place = _place(rng, content)
    content[place : place + length] = other[start : start + length]


def _cross(rng, content, corpus):
    """End as another file does."""
    other = rng.choice(corpus)
    content[rng.randrange(len(content)) :] = other[rng.randrange(len(other)) :]


_DAMAGES = (
    _flip_bits,
    _flip_bits,
    _set_bytes,
    _set_number,
    _set_number,
    _set_number,
    _truncate,
    _remove,
    _repeat,
    _insert,
    _splice,
    _cross,
)


def _place(rng, content):
    """Anywhere, but half of the time in the header, and seldom in the mark of the format."""
    end = min(len(content), 80) if rng.random() < 0.5 else len(content)
    start = 0 if rng.random() < 0.1 else min(_MARK, end - 1)
    return rng.randrange(start, end)


def mend_checksums(content):
    """Give each of a PNG's chunks the checksum of what it holds, so that damage gets further."""
    mended = bytearray(content)
    start = len(_PNG)
    while start + 12 <= len(mended):
        end = start + 8 + int.from_bytes(mended[start : start + 4], "big")
        if end + 4 > len(mended):
            break
        mended[end : end + 4] = zlib.crc32(mended[start + 4 : end]).to_bytes(4, "big")
        start = end + 4
    return bytes(mended)
