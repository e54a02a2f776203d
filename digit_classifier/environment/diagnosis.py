"""What ``digit-classifier doctor`` checks: this installation, from the interpreter to the model."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from digit_classifier.datasets import load_mnist
from digit_classifier.environment.checks import check_blas, check_interpreter, check_read_only
from digit_classifier.errors import (
    DatasetMissingError,
    DigitClassifierError,
    SettingsError,
    UnsoundError,
)
from digit_classifier.inference import DigitClassifier
from digit_classifier.models.store import find_model
from digit_classifier.settings import Settings, load_settings


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    check: str
    detail: str
    failed: bool = False


def diagnose() -> Iterator[Finding]:
    """Run every check; those that need settings end with the first that cannot be read."""
    yield _finding("Python", check_interpreter)
    yield _finding("packages", _packages)
    try:
        settings = load_settings()
    except SettingsError as exc:
        yield Finding("settings", str(exc), failed=True)
        return
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    yield Finding("settings", f"serving on http://{host}:{settings.port}/")
    yield _finding("secret key", lambda: _secret(settings))
    yield _finding("model", lambda: _model(settings))
    yield _finding("linear algebra", check_blas)
    if settings.read_only:
        yield _finding("rights", lambda: check_read_only(_model_file(settings)))
    yield _finding("MNIST", lambda: _mnist(settings))


def _finding(check: str, run: Callable[[], str]) -> Finding:
    try:
        return Finding(check, run())
    except DigitClassifierError as exc:
        return Finding(check, str(exc), failed=True)


def _packages() -> str:
    """Check that every requirement of the package is installed in a version that it allows."""
    try:
        requirements = [Requirement(line) for line in requires("digit-classifier") or []]
    except PackageNotFoundError as exc:
        raise UnsoundError("digit-classifier is not installed in this environment.") from exc
    needed = [r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    wrong = [problem for r in needed if (problem := _problem(r))]
    if wrong:
        raise UnsoundError("; ".join(wrong))
    return "all required packages are installed"


def _problem(requirement: Requirement) -> str | None:
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is missing"
    return None if found in requirement.specifier else f"{requirement} is needed, {found} is there"


def _secret(settings: Settings) -> str:
    if not settings.secret_key:
        raise UnsoundError(
            "there is none; deployment_scripts/build_all_local.sh makes one, or set "
            "DIGIT_CLASSIFIER_SECRET_KEY."
        )
    return "set"


def _model_file(settings: Settings) -> Path:
    return find_model(settings.model, settings.models_dir)


def _model(settings: Settings) -> str:
    classifier = DigitClassifier.from_settings(settings)
    classifier.self_test()
    model = classifier.model
    return f"{model.name} {model.version} reads the self-test's digit"


def _mnist(settings: Settings) -> str:
    """Check MNIST where it is; serving does not need it, so its absence is no failure."""
    try:
        load_mnist(settings.data_dir)
    except DatasetMissingError as exc:
        return f"absent, needed for training and evaluation alone. {exc}"
    return f"all four files in {settings.data_dir} are intact"
