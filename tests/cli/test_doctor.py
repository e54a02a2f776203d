def test_doctor_passes_where_all_is_in_place(run, monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_SECRET_KEY", "for this test")

    result = run("doctor")

    assert result.exit_code == 0
    assert "FAILED" not in result.output
    assert "read the self-test's digit" in result.output


def test_doctor_fails_and_says_what_is_missing(run):
    result = run("doctor")

    assert result.exit_code == 1
    assert "FAILED  secret key: not set" in result.output
