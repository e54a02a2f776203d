import bz2
import contextlib
import gzip
import lzma
import os
import re
import shutil
import tarfile
import zipfile

import fsspec
import numpy as np
import pytest

from digit_classifier.bulk.shards import build_manifest, close_handles, list_shards
from digit_classifier.bulk.sources import find_source
from digit_classifier.bulk.sources.idx import Idx
from digit_classifier.bulk.sources.image_files import Folder, Tar, Zip
from digit_classifier.bulk.sources.tables import PathList
from digit_classifier.errors import BulkError, InputError, MissingPackageError
from tests.bulk import inputs
from tests.datasets.drawn import to_idx

MAX_BYTES = 100_000
SIZES = [1, 3, 10, 1000]


def items_of(source, size):
    return [item for shard in list_shards([source], size) for item in shard.read_items(MAX_BYTES)]


def codes_of(source, size=1000):
    return [
        item.content.code if isinstance(item.content, InputError) else None
        for item in items_of(source, size)
    ]


def _listed(write, name):
    def write_all(path, images):
        inputs.write_folder(path / "files", images)
        return write(path / name, [f"files/{image}" for image in images])

    return write_all


def _compressed(pack, name):
    def write_all(path, images):
        plain = inputs.write_tar(path / "plain", images)
        (path / name).write_bytes(pack(plain.read_bytes()))
        return path / name

    return write_all


KINDS = {
    "folder": (Folder, lambda path, images: inputs.write_folder(path / "folder", images)),
    "zip": (Zip, lambda path, images: inputs.write_zip(path / "a.zip", images)),
    "stored zip": (Zip, lambda path, images: inputs.write_zip(path / "a", images, 0)),
    "tar": (Tar, lambda path, images: inputs.write_tar(path / "a.tar", images)),
    "ustar": (
        Tar,
        lambda path, images: inputs.write_tar(path / "a", images, format=tarfile.USTAR_FORMAT),
    ),
    "tar.gz": (Tar, _compressed(gzip.compress, "a.tar.gz")),
    "tar.bz2": (Tar, _compressed(bz2.compress, "a.tbz")),
    "tar.xz": (Tar, _compressed(lzma.compress, "a.txz")),
    "text": (PathList, _listed(inputs.write_text, "list.txt")),
    "csv": (PathList, _listed(inputs.write_csv, "list.csv")),
    "jsonl": (PathList, _listed(inputs.write_jsonl, "list.jsonl")),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_its_images_in_order_however_it_is_cut(kind, size, tmp_path, digit_files):
    expected, write = KINDS[kind]

    source = find_source(str(write(tmp_path, digit_files)))

    assert type(source) is expected
    items = items_of(source, size)
    assert [item.content for item in items] == list(digit_files.values())
    assert [item.name.removeprefix("files/") for item in items if item.name] == list(digit_files)
    manifest = build_manifest([source], size)
    assert (manifest.n_images, manifest.n_shards) == (10, -(-10 // size))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_idx_gives_its_digits_by_number(size, pack, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (10, 28, 28), np.uint8)
    path = tmp_path / "images"
    path.write_bytes(pack(to_idx(images)))

    source = find_source(str(path))

    assert type(source) is Idx
    items = items_of(source, size)
    assert [item.name for item in items] == [str(number) for number in range(10)]
    np.testing.assert_array_equal([item.content for item in items], images)


@pytest.mark.parametrize(
    "content",
    [to_idx(np.zeros(5, np.uint8)), b"\0\0\x08\3ab"],
    ids=["labels", "in header"],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_broken_idx_file_is_one_row(content, pack, tmp_path):
    (tmp_path / "images").write_bytes(pack(content))

    assert codes_of(find_source(str(tmp_path / "images"))) == ["bad_batch"]


def test_a_folder_or_archive_gives_what_is_named_like_an_image(tmp_path):
    some = {"README.md": b"a", "a.zip": b"a", "B.JPG": b"a", "c": b"a", "__MACOSX/x.txt": b"a"}
    for source in (
        find_source(str(inputs.write_folder(tmp_path / "folder", some))),
        find_source(str(inputs.write_zip(tmp_path / "a.zip", some))),
        find_source(str(inputs.write_tar(tmp_path / "a.tar", some))),
    ):
        assert [item.name for item in items_of(source, 10)] == ["B.JPG"]


def test_links_within_an_archive_are_no_images(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            member = tarfile.TarInfo(f"{kind!r}.png")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)

    assert items_of(find_source(str(tmp_path / "a.tar")), 10) == []


def test_unreadable_files_of_a_list_are_reported(tmp_path):
    (tmp_path / "here.png").write_bytes(b"content")
    (tmp_path / "link.png").symlink_to("nowhere")
    names = ["here.png", "", "gone.png", ".", "x" * 5000, "link.png", "what://is/this.png"]
    source = find_source(str(inputs.write_text(tmp_path / "list", names)))

    assert codes_of(source) == [None] + 5 * ["no_file"]


def test_a_pipe_is_not_waited_for(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "pipe.png")

    assert codes_of(find_source(str(tmp_path / "folder"))) == ["no_file"]


@pytest.mark.parametrize(
    ("name", "text", "paths"),
    [
        ("list.csv", "path\na.png\n\nb.png\n", ["a.png", "b.png"]),
        ("list.csv", "a.png,7\nb.png,8\n", ["a.png", "b.png"]),
        ("list.csv", 'x,File\n1,"a,\n1.png"\n2\n', ["a,\n1.png", ""]),
        ("list.csv", "", []),
        ("list.ndjson", '"a.png"\n{"file": "b.png"}\n', ["a.png", "b.png"]),
        ("list.jsonl", '{"path": 1}\n[1\n{}\n', ['{"path": 1}', "[1", "{}"]),
        ("list.txt", "\ufeffa.png\r\n  b.png  \n\nc d.png", ["a.png", "b.png", "c d.png"]),
    ],
)
def test_lists_are_read_line_by_line(name, text, paths, tmp_path):
    (tmp_path / name).write_bytes(text.encode())
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(text.encode()))

    for source in (find_source(str(tmp_path / name)), find_source(str(tmp_path / f"{name}.gz"))):
        assert [item.name for item in items_of(source, 10)] == paths
        assert [item.name for item in items_of(source, 1)] == paths


def test_names_that_are_no_text_are_found(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.png")).write_bytes(b"content")

    (item,) = items_of(find_source(str(tmp_path)), 10)
    assert item.content == b"content"
    assert build_manifest([find_source(str(tmp_path))], 10).n_images == 1


@pytest.mark.parametrize(
    "content", [b"\x89png\r\n", b"\xff\xfe", b"a\0b", gzip.compress(b"a" * 99, mtime=0)[:20]]
)
def test_what_is_no_input_is_refused(content, tmp_path):
    (tmp_path / "what").write_bytes(content)

    with pytest.raises(BulkError, match="what"):
        find_source(str(tmp_path / "what"))


def test_an_input_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BulkError, match=r"There is no .*gone"):
        find_source(str(tmp_path / "gone"))


def test_a_store_that_is_not_known_is_refused():
    with pytest.raises(BulkError, match="Protocol not known"):
        find_source("what://bucket/a.zip")


def test_a_store_whose_package_is_missing_names_it():
    with pytest.raises(MissingPackageError, match="s3fs"):
        find_source("s3://bucket/a.zip")


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz", "text"])
@pytest.mark.parametrize("store", ["memory://", "file://"])
def test_inputs_in_a_store_give_the_same(kind, store, tmp_path, digit_files):
    local = KINDS[kind][1](tmp_path, digit_files)
    url = f"{store}{local}"
    if store == "memory://":
        fsspec.filesystem("memory").put(str(tmp_path), str(tmp_path), recursive=True)

    items = items_of(find_source(url), 3)

    assert [item.content for item in items] == list(digit_files.values())
    assert [item.name for item in items] == [
        item.name for item in items_of(find_source(str(local)), 3)
    ]


def damaged_zip(path, digit_files):
    """The second member's content is altered; the third is encrypted, by its flag."""
    content = bytearray(inputs.write_zip(path / "a.zip", digit_files, 0).read_bytes())
    names = [name.encode() for name in digit_files]
    content[content.index(names[1]) + len(names[1]) + 60] ^= 0xFF
    content[content.rindex(names[2]) - 46 + 8] |= 1  # in the directory
    content[content.index(names[2]) - 30 + 6] |= 1
    (path / "a.zip").write_bytes(content)
    return path / "a.zip"


def test_broken_members_of_a_zip_spoil_no_others(tmp_path, digit_files):
    source = find_source(str(damaged_zip(tmp_path, digit_files)))

    assert codes_of(source) == [None, "broken_image", "broken_image"] + 7 * [None]


def test_members_that_unpack_to_too_much_are_not_unpacked(tmp_path):
    bombs = {"bomb.png": bytes(MAX_BYTES + 1), "a.png": bytes(MAX_BYTES)}
    for path in (
        inputs.write_zip(tmp_path / "a.zip", bombs),
        inputs.write_tar(tmp_path / "a.tar.gz", bombs, "w:gz"),
    ):
        assert codes_of(find_source(str(path))) == ["file_too_large", None]


def test_a_zip_that_understates_a_size_is_read_no_further(tmp_path):
    content = bytearray(
        inputs.write_zip(tmp_path / "a.zip", {"a.png": bytes(9 * MAX_BYTES)}).read_bytes()
    )
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = (50).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(content)

    (item,) = items_of(find_source(str(tmp_path / "a.zip")), 10)

    assert isinstance(item.content, InputError) or len(item.content) <= MAX_BYTES + 1


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_that_ask_for_memory_are_refused(compression, tmp_path):
    path = inputs.write_zip(tmp_path / "a.zip", {"a.png": b"content"}, compression)

    assert codes_of(find_source(str(path))) == ["broken_image"]


def test_a_zip_without_its_directory_is_one_row(tmp_path, digit_files):
    path = inputs.write_zip(tmp_path / "a.zip", digit_files)
    path.write_bytes(path.read_bytes()[:-30])

    assert codes_of(find_source(str(path))) == ["bad_batch"]


@pytest.mark.parametrize("size", [2, 1000])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_tar_is_read_up_to_where_it_is_damaged(size, pack, tmp_path, digit_files):
    content = bytearray(inputs.write_tar(tmp_path / "plain", digit_files).read_bytes())
    content[content.index(b"second/5.png") + 150] ^= 0xFF  # its checksum is wrong
    (tmp_path / "a.tar").write_bytes(pack(bytes(content)))

    assert codes_of(find_source(str(tmp_path / "a.tar")), size) == 5 * [None] + ["bad_batch"]


@pytest.mark.parametrize(
    ("cut", "codes"),
    [
        ("in a member", 5 * [None] + ["broken_image", "bad_batch"]),
        ("between", 6 * [None] + ["bad_batch"]),
    ],
)
def test_a_tar_that_is_cut_off_says_so(cut, codes, tmp_path, digit_files):
    content = inputs.write_tar(tmp_path / "plain", digit_files).read_bytes()
    end = content.index(b"second/6.png")
    last = content.index(b"second/5.png") + 512 + 10
    (tmp_path / "a.tar").write_bytes(content[: last if cut == "in a member" else end])

    assert codes_of(find_source(str(tmp_path / "a.tar"))) == codes


def test_a_compressed_tar_that_is_cut_off_says_so(tmp_path, digit_files):
    path = inputs.write_tar(tmp_path / "a.tar.gz", digit_files, "w:gz")
    path.write_bytes(path.read_bytes()[:-200])

    assert codes_of(find_source(str(path)))[-1] == "bad_batch"


def test_a_tar_header_without_end_is_not_read(tmp_path):
    member = tarfile.TarInfo("a.png")
    member.type, member.size = tarfile.XHDTYPE, 1 << 40
    (tmp_path / "a.tar").write_bytes(member.tobuf() + bytes(10 * MAX_BYTES))

    assert codes_of(find_source(str(tmp_path / "a.tar"))) == ["bad_batch"]


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize("n_blocks", [-1, -3, -(1 << 54)])
def test_a_tar_member_of_negative_size_ends_the_listing(kind, n_blocks, tmp_path, digit_files):
    content = inputs.write_tar(tmp_path / "plain", digit_files).read_bytes()
    member = tarfile.TarInfo("a.png")
    member.type, member.size = kind, n_blocks * tarfile.BLOCKSIZE
    end = content.index(b"first/1.png")
    header = member.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "a.tar").write_bytes(content[:end] + header + content[end:])

    assert codes_of(find_source(str(tmp_path / "a.tar"))) == [None, "bad_batch"]


@pytest.mark.parametrize(
    ("field", "value", "codes"),
    [
        (42, b"\xff\xff\xff\xff", [None, "broken_image", None]),  # the offset, past the end
        (28, b"\0\0", [None, None]),  # the name's length
    ],
)
def test_a_directory_of_a_zip_may_say_anything(field, value, codes, tmp_path):
    images = dict.fromkeys(["a.png", "b.png", "c.png"], b"content")
    content = bytearray(inputs.write_zip(tmp_path / "a.zip", images).read_bytes())
    entry = content.rindex(b"b.png") - 46
    content[entry + field : entry + field + len(value)] = value
    if field == 28:  # the name becomes the extra field's
        content[entry + 30 : entry + 32] = (5).to_bytes(2, "little")
        content[entry + 46 : entry + 51] = b"\xfe\xca\1\0\0"
    (tmp_path / "a.zip").write_bytes(content)

    assert codes_of(find_source(str(tmp_path / "a.zip"))) == codes


KINDS_OF_DAMAGE = ("zip", "stored zip", "tar", "ustar", "tar.gz", "csv", "jsonl")


@pytest.mark.parametrize("kind", KINDS_OF_DAMAGE)
def test_damage_anywhere_costs_images_and_no_run(kind, tmp_path, digit_files):
    rng = np.random.default_rng(0)
    path = KINDS[kind][1](tmp_path, digit_files)
    whole = path.read_bytes()
    for _ in range(100):
        damaged = bytearray(whole)
        for index in rng.integers(0, len(whole), rng.integers(1, 6)):
            damaged[index] = rng.choice([0, 255, ord("7"), ord("x"), rng.integers(256)])
        path.write_bytes(damaged)
        with contextlib.suppress(BulkError):  # reported in a sentence
            codes_of(find_source(str(path)), 3)
        close_handles()


def test_a_member_over_a_mebibyte_is_read(tmp_path):
    content = np.random.default_rng(0).bytes(3 * 1024 * 1024 + 1)
    (source,) = [find_source(str(inputs.write_tar(tmp_path / "a.tar", {"a.png": content})))]

    (shard,) = list_shards([source], 10)

    assert [item.content for item in shard.read_items(len(content))] == [content]


def test_a_list_whose_compression_breaks_off_gives_what_comes_before(tmp_path):
    names = [f"{np.random.default_rng(n).bytes(20).hex()}.png" for n in range(2000)]
    (tmp_path / "list.gz").write_bytes(gzip.compress("\n".join(names).encode())[:-100])

    codes = codes_of(find_source(str(tmp_path / "list.gz")))

    assert codes[-1] == "bad_batch"
    assert len(codes) > 1000


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_list_whose_compression_is_damaged_gives_what_comes_before(pack, tmp_path):
    lines = "\n".join(f"{np.random.default_rng(n).bytes(40).hex()}.png" for n in range(15_000))
    packed = bytearray(pack(lines.encode()))
    packed[-len(packed) // 8] ^= 0xFF
    (tmp_path / "list").write_bytes(packed)

    codes = codes_of(find_source(str(tmp_path / "list")))

    assert codes[-1] == "bad_batch"
    assert len(codes) > 1000


def test_a_compressed_picture_or_archive_is_refused(tmp_path, digit_files):
    archive = inputs.write_zip(tmp_path / "a.zip", digit_files).read_bytes()
    for content in (next(iter(digit_files.values())), archive):
        (tmp_path / "packed").write_bytes(gzip.compress(content))
        with pytest.raises(BulkError, match="decompress it first"):
            find_source(str(tmp_path / "packed"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_fingerprint_changes_with_the_input(kind, tmp_path, digit_files):
    path = KINDS[kind][1](tmp_path, digit_files)
    before = build_manifest([find_source(str(path))], 3).fingerprint
    assert build_manifest([find_source(str(path))], 3).fingerprint == before

    KINDS[kind][1](tmp_path, {**digit_files, "third/1.png": digit_files["first/1.png"]})

    assert build_manifest([find_source(str(path))], 3).fingerprint != before


def test_the_fingerprint_changes_with_a_file_of_a_folder(tmp_path, digit_files):
    folder = inputs.write_folder(tmp_path / "folder", digit_files)
    before = build_manifest([find_source(str(folder))], 3).fingerprint

    (folder / "first/1.png").write_bytes(b"another")

    assert build_manifest([find_source(str(folder))], 3).fingerprint != before


def test_shards_are_numbered_over_all_inputs(tmp_path, digit_files):
    sources = [
        find_source(str(inputs.write_zip(tmp_path / name, digit_files))) for name in ("a", "b")
    ]

    shards = list(list_shards(sources, 4))

    assert [shard.index for shard in shards] == list(range(6))
    assert [shard.chunk.count for shard in shards] == [4, 4, 2, 4, 4, 2]


def test_a_folder_that_cannot_be_listed_to_its_end_is_reported(tmp_path, digit_files):
    source = find_source(str(inputs.write_folder(tmp_path / "folder", digit_files)))
    chunks = source.list_chunks(1, lambda: None)
    next(chunks)  # of the first subfolder

    shutil.rmtree(tmp_path / "folder" / "second")

    *_, last = chunks
    assert (last.count, last.names) == (1, ())
    assert re.search(r"second cannot be listed: No such file", str(last.error))


def test_an_input_that_shrank_since_it_was_listed_stops_the_run(tmp_path, digit_files):
    path = inputs.write_zip(tmp_path / "a.zip", digit_files)
    (shard,) = list_shards([find_source(str(path))], 10)
    inputs.write_zip(path, dict(list(digit_files.items())[:5]))

    with pytest.raises(BulkError, match="changed since it was listed"):
        list(shard.read_items(MAX_BYTES))
