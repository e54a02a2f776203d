"""The output directory of a run: start it, resume it, complete it."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from digit_classifier.bulk import storage
from digit_classifier.bulk.shards import Manifest
from digit_classifier.bulk.worker import MODEL_DIRECTORY, N_EXAMPLES, Job, ShardResult
from digit_classifier.errors import BulkError

FORMAT_VERSION = 1
_MANIFEST_FILE = "_manifest.json"
_CHECKSUMS_FILE = "_SHA256SUMS"


@dataclass
class RunSummary:
    """Totals over the finished shards.

    Attributes
    ----------
    n_images, n_accepted, n_bytes : int
    errors : Counter
        Number of images by error code.
    checksums : dict of int to str
        The SHA-256 of each shard's file.
    examples : dict of str to dict
        The first names of images of the first shards, by error code.
    n_skipped : int
        Files that were not read, since they are not named like images.
    """

    n_images: int = 0
    n_accepted: int = 0
    n_bytes: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    checksums: dict[int, str] = field(default_factory=dict)
    examples: dict[str, dict[int, tuple[str, ...]]] = field(default_factory=dict)
    n_skipped: int = 0

    def add(self, result: ShardResult) -> None:
        """Add a shard."""
        self.n_images += result.n_images
        self.n_accepted += result.n_accepted
        self.n_bytes += result.n_bytes
        self.errors.update(result.errors)
        self.checksums[result.index] = result.sha256
        for code, names in result.examples.items():
            by_shard = self.examples.setdefault(code, {})
            by_shard[result.index] = names
            # the first ones stay, in the inputs' order, whichever shards finish first
            if len(by_shard) > N_EXAMPLES:
                del by_shard[max(by_shard)]

    def first_names(self, code: str) -> list[str]:
        """Return the first images with an error, in the inputs' order."""
        by_shard = self.examples.get(code, {})
        return [name for index in sorted(by_shard) for name in by_shard[index]][:N_EXAMPLES]

    def as_json(self) -> dict[str, Any]:
        """Return the counts in JSON's types."""
        return {
            "images": self.n_images,
            "read": self.n_images - self.errors.total(),
            "accepted": self.n_accepted,
            "errors": dict(sorted(self.errors.items())),
            "skipped": self.n_skipped,
            "bytes": self.n_bytes,
        }


class Output:
    """The output of one run.

    Parameters
    ----------
    job : Job
    options : dict
        Everything that a shard's bytes depend on besides the input, in JSON's types.
    """

    def __init__(self, job: Job, options: Mapping[str, Any]) -> None:
        self.job = job
        self.options = dict(options)
        self._previous: dict[str, Any] | None = None

    def check(self, *, resume: bool) -> None:
        """Look for a previous run, before the input is listed.

        Raises
        ------
        BulkError
            There is a previous run that is not to be resumed or has other options, or the
            directory holds other files.
        """
        names = storage.list_names(self.job.out)
        if _MANIFEST_FILE not in names:
            # the model is written before the manifest: a run that died between them left it
            if set(names) - {MODEL_DIRECTORY}:
                raise BulkError(f"{self.job.out} is not empty, and is not the output of a run.")
            return
        if not resume:
            raise BulkError(
                f"{self.job.out} holds a run already: go on with it by --resume, or name another "
                "folder."
            )
        fs, path = storage.locate(storage.join(self.job.out, _MANIFEST_FILE))
        try:
            document = json.loads(fs.cat_file(path))
            version, self._previous = document["format_version"], dict(document["run"])
        except (ValueError, KeyError, TypeError, RecursionError) as exc:
            raise BulkError(f"{self.job.out}/{_MANIFEST_FILE} is damaged: {exc!r}.") from exc
        if version != FORMAT_VERSION:
            raise BulkError(f"{self.job.out} holds a run that this release cannot resume.")
        self._check_unchanged(self._previous)

    def start(self, manifest: Manifest, model: bytes) -> None:
        """Write the model file and the manifest, or compare the input with the previous run's.

        Raises
        ------
        BulkError
            The input has changed.
        """
        self.options |= {
            "images": manifest.n_images,
            "shards": manifest.n_shards,
            "fingerprint": manifest.fingerprint,
        }
        if self._previous is not None:
            self._check_unchanged(self._previous)
            self._write_manifest(complete=False)  # files of a complete run may be lost
            return
        storage.make_directory(storage.join(self.job.out, MODEL_DIRECTORY))
        storage.write_atomic(self.job.model_url, model)
        self._write_manifest(complete=False)

    def complete(self, summary: RunSummary) -> None:
        """Write the checksums and the counts.

        Raises
        ------
        BulkError
            Files are missing: the workers wrote to another directory.
        """
        names = {index: self.job.shard_name(index) for index in sorted(summary.checksums)}
        # workers that died left them; their shards were written again, under other names
        storage.remove_partials(self.job.out)
        missing = set(names.values()) - set(storage.list_names(self.job.out))
        if missing:
            raise BulkError(
                f"{len(missing)} files of the output are not in {self.job.out}, such as "
                f"{min(missing)}: do the workers see the same folder?"
            )
        # in the format of sha256sum, which can check them
        checksums = "".join(f"{summary.checksums[i]}  {name}\n" for i, name in names.items())
        storage.write_atomic(storage.join(self.job.out, _CHECKSUMS_FILE), checksums.encode())
        # last: until then, the manifest marks the output as incomplete
        self._write_manifest(complete=True, counts=summary.as_json())

    def _write_manifest(self, **more: Any) -> None:
        document = {"format_version": FORMAT_VERSION, "run": self.options, **more}
        # in ASCII: the name of an input may be in any encoding
        content = json.dumps(document, indent=2) + "\n"
        storage.write_atomic(storage.join(self.job.out, _MANIFEST_FILE), content.encode())

    def _check_unchanged(self, previous: Mapping[str, Any]) -> None:
        changed = [name for name in self.options if self.options[name] != previous.get(name)]
        if changed:
            raise BulkError(
                f"{self.job.out} holds another run; these differ: {', '.join(changed)}. Name "
                "another folder, or resume that run as it was."
            )
