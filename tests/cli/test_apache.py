def test_what_apache_must_know_is_written_and_the_changed_files_are_named(run, place, monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_SECRET_KEY", "long and random enough for a test")
    folder = place / "apache"

    first, second = run("apache", folder), run("apache", folder)

    assert first.exit_code == 0
    assert first.output.split() == [
        f"{folder}/{name}" for name in ("limits.conf", "headers.conf", "errors")
    ]
    assert (second.exit_code, second.output) == (0, "")
    assert "Define DC_MAX_BODY 1064960" in (folder / "limits.conf").read_text()
