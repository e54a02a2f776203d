"""What an AVIF file asks of its decoder, judged before any of it is decoded.

The size in an AVIF's header is not what its AV1 data declare: a file of 3 kB that says 64×64 may
hold a frame of 16,384×16,384 pixels, or a thousand frames that are never shown. The boxes are those
of ISO 14496-12 and 23008-12, the data units (OBU) those of the AV1 bitstream specification, 5.3 to
5.5.
"""

from collections.abc import Iterable, Iterator

_BRANDS = (b"avif", b"avis", b"mif1", b"msf1")
#: Boxes that contain the boxes of an image sequence.
_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
_REPEATED = (b"trak", b"free", b"skip", b"uuid", b"sgpd", b"sbgp", b"udta")
#: Frames of a sequence: its table of them is built when the file is opened.
_MAX_SAMPLES = 10_000
#: Data units of one image: a picture has a header and a frame, with a few of tiles.
_MAX_UNITS = 1000
_SEQUENCE_HEADER, _FRAME_HEADER, _FRAME = 1, 3, 6


def is_avif(content: bytes) -> bool:
    """Return whether a file begins as an AVIF does; some HEIC files do as well."""
    return content[4:8] == b"ftyp" and content[8:12] in _BRANDS


def count_frame_pixels(content: bytes) -> int:
    """Count the pixels of all frames that the AV1 data of a file's images declare.

    Of a sequence, the first frame counts, which alone is decoded.

    Raises
    ------
    ValueError
        The file is damaged, or made in a way that no common program uses.
    """
    n_pixels = 0
    for kind, body in _boxes(content):
        if kind == b"meta":
            n_pixels += sum(map(_pixels_of, _items(_unique(_boxes(body[4:])), content)))
        elif kind == b"moov":
            n_pixels += sum(map(_pixels_of, _first_samples(body, content)))
    return n_pixels


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and the body of each box."""
    start = 0
    while start + 8 <= len(content):
        fields, n_head = _Fields(content[start : start + 16]), 8
        size, kind = fields.take(32), fields.take(32).to_bytes(4, "big")
        # ISO 14496-12, 4.2: 1 announces a size of 8 bytes, and 0 is all that is left of the file
        if size == 1:
            size, n_head = fields.take(64), 16
        elif size == 0:
            size = len(content) - start
        if size < n_head:
            raise ValueError("a box is smaller than its head")
        yield kind, content[start + n_head : start + size]
        start += size


def _unique(boxes: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return boxes by their type: readers differ in which of two they take."""
    found: dict[bytes, bytes] = {}
    for kind, body in boxes:
        if kind in found and kind not in _REPEATED:
            raise ValueError("a box comes twice")
        found[kind] = body
    return found


class _Fields:
    """Reads the fields of a box or of a header, unsigned numbers, one after the other."""

    def __init__(self, content: bytes) -> None:
        self._content, self._n_taken = content, 0

    def take(self, n_bits: int) -> int:
        start, end = self._n_taken, self._n_taken + n_bits
        if end > 8 * len(self._content):
            raise ValueError("a box or a header breaks off")
        self._n_taken = end
        n_unused = -end % 8  # of the last byte
        touched = int.from_bytes(self._content[start // 8 : (end + n_unused) // 8], "big")
        return touched >> n_unused & (1 << n_bits) - 1


def _items(meta: dict[bytes, bytes], content: bytes) -> Iterator[bytes]:
    """Yield the AV1 data of the items, as the box ``iloc`` says where they are."""
    coded = set(_coded_item_ids(meta.get(b"iinf", b"")))
    fields = _Fields(meta.get(b"iloc", b""))
    version = fields.take(8)
    fields.take(24)  # flags
    # the widths, in bytes, of fields that follow (ISO 14496-12, 8.11.3)
    offset_bits, length_bits, base_bits, index_bits = (8 * fields.take(4) for _ in range(4))
    id_bits = 32 if version == 2 else 16
    for _ in range(fields.take(id_bits)):
        item_id = fields.take(id_bits)
        method = fields.take(16) & 15 if version else 0
        fields.take(16)  # data_reference_index
        base, data = fields.take(base_bits), b""
        source = {0: content, 1: meta.get(b"idat", b"")}.get(method)
        if source is None:
            raise ValueError("an item is made of other items")
        for _ in range(fields.take(16)):
            fields.take(index_bits if version else 0)
            start, length = base + fields.take(offset_bits), fields.take(length_bits)
            if item_id in coded:
                data += source[start : start + length if length else None]
                # a file of a few kilobytes could name the same bytes a million times
                if len(data) > len(content):
                    raise ValueError("the parts of an item lie over one another")
        if item_id in coded:
            yield data


def _coded_item_ids(iinf: bytes) -> Iterator[int]:
    """Yield the numbers of the items that are AV1 images."""
    fields = _Fields(iinf)
    # the count of entries has 2 or 4 bytes behind version and flags
    head = 8 if fields.take(8) else 6
    for kind, body in _boxes(iinf[head:]):
        entry = _Fields(body)
        # older versions do not name the type of an item
        if kind != b"infe" or (version := entry.take(8)) < 2:
            continue
        entry.take(24)  # flags
        item_id = entry.take(32 if version == 3 else 16)
        entry.take(16)  # its protection
        if entry.take(32).to_bytes(4, "big") == b"av01":
            yield item_id


def _first_samples(moov: bytes, content: bytes) -> Iterator[bytes]:
    """Yield the first frame of each track."""
    boxes = [*_boxes(moov)]
    for kind, body in boxes:
        if kind in _CONTAINERS:
            yield from _first_samples(body, content)
    tables = _unique(boxes)
    if b"stsz" not in tables:
        return
    sizes = _Fields(tables[b"stsz"])
    sizes.take(32)  # version and flags
    size, count = sizes.take(32), sizes.take(32)
    if count > _MAX_SAMPLES:
        raise ValueError("a sequence has too many frames")
    size = size or sizes.take(32)  # 0 where a table has the size of each
    is_wide = b"co64" in tables  # offsets of 8 bytes; else of 4
    if is_wide and b"stco" in tables:
        raise ValueError("a track has two tables of offsets")
    offsets = _Fields(tables.get(b"co64" if is_wide else b"stco", b""))
    offsets.take(64)  # version and flags, and how many there are
    start = offsets.take(64 if is_wide else 32)
    yield content[start : start + size]


def _pixels_of(data: bytes) -> int:
    """Multiply the frames of one coded image by the size that its sequence headers declare."""
    largest = n_frames = 0
    for number, (kind, body) in enumerate(_units(data)):
        if number == _MAX_UNITS:
            raise ValueError("an image has too many parts")
        if kind == _SEQUENCE_HEADER:
            largest = max(largest, _frame_pixels(body))
        n_frames += kind in {_FRAME_HEADER, _FRAME}
    return largest * n_frames


def _units(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the type and the body of each data unit of AV1."""
    start = 0
    while start < len(data):
        head = data[start]
        # a second byte where the unit has an extension; without a size it goes to the end
        start += 2 if head & 4 else 1
        size = len(data) - start
        if head & 2:
            size = 0
            for shift in range(0, 56, 7):  # LEB128
                byte = _Fields(data[start : start + 1]).take(8)
                start += 1
                size |= (byte & 127) << shift
                if byte < 128:
                    break
        yield head >> 3 & 15, data[start : start + size]
        start += size


def _frame_pixels(header: bytes) -> int:
    """Return the largest width times the largest height of a sequence header."""
    bits = _Fields(header)
    bits.take(4)  # profile, and whether it is a still picture
    if bits.take(1):  # the short form for still pictures
        bits.take(5)
    else:
        if bits.take(1):
            raise ValueError("an image has a clock")
        has_delays = bits.take(1)
        for _ in range(bits.take(5) + 1):
            bits.take(12)  # operating_point_idc
            if bits.take(5) > 7:  # seq_level_idx: from level 4.0 on there is a tier
                bits.take(1)
            if has_delays and bits.take(1):  # initial_display_delay
                bits.take(4)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return (bits.take(width_bits) + 1) * (bits.take(height_bits) + 1)
