"""Inputs of every kind that hold the same images."""

import csv
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path


def write_folder(path: Path, images: Mapping[str, bytes]) -> Path:
    for name, content in images.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def write_zip(path: Path, images: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in images.items():
            archive.writestr(name, content)
    return path


def write_tar(path: Path, images: Mapping[str, bytes], mode: str = "w", **options: object) -> Path:
    with tarfile.open(path, mode, **options) as archive:
        for name, content in images.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_text(path: Path, names: list[str]) -> Path:
    path.write_text("".join(f"{name}\n" for name in names))
    return path


def write_csv(path: Path, names: list[str]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["label", "path"], *((0, name) for name in names)])
    return path


def write_jsonl(path: Path, names: list[str]) -> Path:
    return write_text(path, [json.dumps({"path": name}) for name in names])
