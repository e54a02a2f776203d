from tests.cli.conftest import Run


def test_the_shipped_models_are_listed_with_their_figures(run: Run) -> None:
    result = run("models", "list")

    assert result.exit_code == 0
    cnn, mlp, softmax = result.output.splitlines()
    assert cnn.startswith("cnn  ")
    assert "MNIST test accuracy 99." in cnn
    assert mlp.startswith("mlp  ")
    assert "1,462,538 parameters" in mlp
    assert "MNIST test accuracy 99." in mlp
    assert softmax.startswith("softmax  ")
    assert "MNIST test accuracy 92." in softmax
