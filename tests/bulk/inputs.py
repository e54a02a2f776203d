"""Inputs of every kind that hold the same images."""

import csv
import io
import json
import tarfile
import zipfile


def write_folder(path, images):
    for name, content in images.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def write_zip(path, images, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in images.items():
            archive.writestr(name, content)
    return path


def write_tar(path, images, mode="w", **options):
    with tarfile.open(path, mode, **options) as archive:
        for name, content in images.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_text(path, names):
    path.write_text("".join(f"{name}\n" for name in names))
    return path


def write_csv(path, names):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["label", "path"], *((0, name) for name in names)])
    return path


def write_jsonl(path, names):
    return write_text(path, [json.dumps({"path": name}) for name in names])
