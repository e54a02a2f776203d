import sys

import pytest

from digit_classifier.environment.checks import diagnose


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGIT_CLASSIFIER_SECRET_KEY", "for this test")
    monkeypatch.setenv("DIGIT_CLASSIFIER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def failures():
    return {finding.check: finding.detail for finding in diagnose() if finding.failed}


def test_nothing_fails_where_all_is_in_place():
    findings = list(diagnose())

    assert [f for f in findings if f.failed] == []
    assert {f.check for f in findings} == {
        "Python", "packages", "settings", "secret key", "model", "linear algebra", "MNIST",
    }  # fmt: skip


def test_a_missing_secret_is_found(monkeypatch):
    monkeypatch.delenv("DIGIT_CLASSIFIER_SECRET_KEY")

    assert "build_all_local.sh" in failures()["secret key"]


def test_a_missing_model_is_found(monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_MODEL", "nope")

    assert "'nope'" in failures()["model"]


def test_settings_that_cannot_be_read_end_the_checks(monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_PORT", "high")

    assert "port" in failures()["settings"]
    assert list(diagnose())[-1].check == "settings"


def test_a_foreign_standard_library_is_found(monkeypatch):
    monkeypatch.setattr(sys, "base_prefix", "/nowhere")

    assert "standard library" in failures()["Python"]


def test_rights_are_looked_at_where_the_settings_say_so(monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_READ_ONLY", "true")
    monkeypatch.setattr("os.access", lambda _path, _mode: True)

    assert "this process can write" in failures()["rights"]


def test_altered_data_fails_and_absent_data_does_not(place):
    (place / "data").mkdir()
    assert "MNIST" not in failures()

    (place / "data" / "train-images-idx3-ubyte").write_bytes(b"something else")
    assert "truncated or altered" in failures()["MNIST"]


def test_a_package_of_another_version_is_found(monkeypatch):
    monkeypatch.setattr(
        "digit_classifier.environment.checks.requires", lambda _name: ["flask>=999", "nope"]
    )

    assert failures()["packages"].startswith("flask>=999 is needed, ")
    assert failures()["packages"].endswith("nope is missing")
