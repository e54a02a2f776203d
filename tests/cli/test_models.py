from tests.cli.conftest import Run


def test_the_shipped_model_is_listed_with_its_figures(run: Run) -> None:
    result = run("models", "list")

    assert result.exit_code == 0
    assert result.output.startswith("mlp  ")
    assert "1,462,538 parameters" in result.output
    assert "MNIST test accuracy 99." in result.output
