"""The folder of a run's output: begun, resumed, finished; ``_manifest.json`` tells which."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from digit_classifier.bulk import storage
from digit_classifier.bulk.shards import Census
from digit_classifier.bulk.worker import MODEL_FOLDER, Job, Record
from digit_classifier.errors import BulkError

FORMAT_VERSION = 1
MANIFEST = "_manifest.json"
CHECKSUMS = "_SHA256SUMS"


@dataclass
class Totals:
    """What the finished shards hold together.

    Attributes
    ----------
    n_images, n_accepted, n_bytes : int
    errors : Counter
        How many images have each code.
    checksums : dict of int to str
        The SHA-256 of each shard's file.
    """

    n_images: int = 0
    n_accepted: int = 0
    n_bytes: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    checksums: dict[int, str] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Count a shard."""
        self.n_images += record.n_images
        self.n_accepted += record.n_accepted
        self.n_bytes += record.n_bytes
        self.errors.update(record.errors)
        self.checksums[record.index] = record.sha256

    def as_json(self) -> dict[str, Any]:
        """Return the counts in JSON's types."""
        return {
            "images": self.n_images,
            "read": self.n_images - self.errors.total(),
            "accepted": self.n_accepted,
            "errors": dict(sorted(self.errors.items())),
            "bytes": self.n_bytes,
        }


class Output:
    """The output of one run.

    Parameters
    ----------
    job : Job
    options : dict
        All that a shard's bytes depend on besides the input, in JSON's types.
    """

    def __init__(self, job: Job, options: Mapping[str, Any]) -> None:
        self.job = job
        self.options = dict(options)
        self._former: dict[str, Any] | None = None

    def open(self, *, resume: bool) -> None:
        """Look for a former run, before time is spent on the input.

        Raises
        ------
        BulkError
            There is one, and it is not to be resumed; or it is another one; or there is something
            else.
        """
        names = storage.names_in(self.job.out)
        if MANIFEST not in names:
            if set(names) - {MODEL_FOLDER}:
                raise BulkError(f"{self.job.out} is not empty, and holds no run of ours.")
            return
        if not resume:
            raise BulkError(
                f"{self.job.out} holds a run already: go on with it by --resume, or name another "
                "folder."
            )
        self._former = self._read()
        self._compare(self._former)

    def begin(self, census: Census, model: bytes) -> None:
        """Write the model's file and the manifest, or compare the input with the former run's.

        Raises
        ------
        BulkError
            The input has changed.
        """
        self.options |= {
            "images": census.n_images,
            "shards": census.n_shards,
            "fingerprint": census.fingerprint,
        }
        if self._former is not None:
            self._compare(self._former)
            return
        storage.make_folder(storage.join(self.job.out, MODEL_FOLDER))
        storage.write_whole(self.job.model_url, model)
        self._write(complete=False)

    def finish(self, totals: Totals) -> None:
        """Write the checksums and the counts.

        Raises
        ------
        BulkError
            The workers have written somewhere else.
        """
        names = {self.job.shard_name(index) for index in totals.checksums}
        storage.remove_partials(self.job.out)
        missing = names - set(storage.names_in(self.job.out))
        if missing:
            raise BulkError(
                f"{len(missing)} files of the output are not in {self.job.out}, such as "
                f"{min(missing)}: do the workers see the same folder?"
            )
        storage.write_whole(storage.join(self.job.out, CHECKSUMS), self._checksums(totals).encode())
        self._write(complete=True, counts=totals.as_json())

    def _checksums(self, totals: Totals) -> str:
        """List them as sha256sum does, which checks them."""
        return "".join(
            f"{digest}  {self.job.shard_name(index)}\n"
            for index, digest in sorted(totals.checksums.items())
        )

    def _write(self, **more: Any) -> None:
        document = {"format_version": FORMAT_VERSION, "run": self.options, **more}
        content = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        storage.write_whole(storage.join(self.job.out, MANIFEST), content.encode())

    def _read(self) -> dict[str, Any]:
        fs, path = storage.locate(storage.join(self.job.out, MANIFEST))
        try:
            document = json.loads(fs.cat_file(path))
            version, run = document["format_version"], dict(document["run"])
        except (ValueError, KeyError, TypeError) as exc:
            raise BulkError(f"{self.job.out}/{MANIFEST} is damaged: {exc!r}.") from exc
        if version != FORMAT_VERSION:
            raise BulkError(f"{self.job.out} holds a run that this release cannot resume.")
        return run

    def _compare(self, former: Mapping[str, Any]) -> None:
        changed = [name for name in self.options if self.options[name] != former.get(name)]
        if changed:
            raise BulkError(
                f"{self.job.out} holds another run; these differ: {', '.join(changed)}. Name "
                "another folder, or resume that run as it was."
            )
