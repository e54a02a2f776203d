import json

import pytest

from digit_classifier.bulk.output import Output, RunSummary
from digit_classifier.bulk.shards import Manifest
from digit_classifier.bulk.worker import N_EXAMPLES, Job, ShardResult
from digit_classifier.errors import BulkError


def shard(index, **examples):
    counts = {code: len(names) for code, names in examples.items()}
    return ShardResult(index, 9, 0, 99, "0" * 64, counts, examples)


def test_each_kind_of_error_is_named_by_its_first_images():
    summary = RunSummary()
    for index in reversed(range(200)):  # shards finish in any order
        summary.add(shard(index, no_ink=(f"{index}.png",)))
    summary.add(shard(200, too_complex=("last.png",)))

    assert summary.first_names("no_ink") == ["0.png", "1.png", "2.png"][:N_EXAMPLES]
    assert summary.first_names("too_complex") == ["last.png"]
    assert summary.first_names("broken_image") == []


@pytest.fixture
def job(tmp_path):
    return Job(str(tmp_path / "out"), "csv", "mlp", "1", "1.0", "auto", 9999, 9999, False)


def test_a_run_that_is_resumed_is_incomplete_until_it_ends(job, tmp_path):
    manifest = Manifest()
    options = {"inputs": ["in\udcff"]}  # the name of a file may be in any encoding
    output = Output(job, options)
    output.check(resume=False)
    output.start(manifest, b"model")
    output.complete(RunSummary())
    resumed = Output(job, options)
    resumed.check(resume=True)
    resumed.start(manifest, b"model")

    document = json.loads((tmp_path / "out" / "_manifest.json").read_text())
    assert document["complete"] is False
    assert document["run"]["inputs"] == options["inputs"]


def test_a_manifest_that_is_nested_too_deeply_is_damaged(job, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "_manifest.json").write_text("[" * 100_000)
    with pytest.raises(BulkError, match="is damaged"):
        Output(job, {}).check(resume=True)
