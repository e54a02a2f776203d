"""The checks of ``digit-classifier doctor``, from the interpreter to the model."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

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
class CheckResult:
    """The outcome of one check."""

    check: str
    detail: str
    failed: bool = False


def diagnose() -> Iterator[CheckResult]:
    """Run all checks; invalid settings end them, since the others need settings."""
    yield _run_check("Python", check_interpreter)
    yield _run_check("packages", _check_packages)
    try:
        settings = load_settings()
    except SettingsError as exc:
        yield CheckResult("settings", str(exc), failed=True)
        return
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    yield CheckResult("settings", f"serving on http://{host}:{settings.port}/")
    yield _run_check("secret key", lambda: _check_secret_key(settings))
    yield _run_check("model", lambda: _check_model(settings))
    yield _run_check("linear algebra", check_blas)
    if settings.read_only:
        yield _run_check(
            "rights", lambda: check_read_only(find_model(settings.model, settings.models_dir))
        )
    yield _run_check("MNIST", lambda: _check_mnist(settings))


def _run_check(check: str, run: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(check, run())
    except DigitClassifierError as exc:
        return CheckResult(check, str(exc), failed=True)


def _check_packages() -> str:
    """Check that every requirement of the package is installed in a valid version."""
    try:
        requirements = [Requirement(line) for line in requires("digit-classifier") or []]
    except PackageNotFoundError as exc:
        raise UnsoundError("digit-classifier is not installed in this environment.") from exc
    # an empty extra: the requirements of extras do not apply
    needed = [r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    wrong = []
    for requirement in needed:
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
        else:
            if found not in requirement.specifier:
                wrong.append(f"{requirement} is needed, {found} is installed")
    if wrong:
        raise UnsoundError("; ".join(wrong))
    return "all required packages are installed"


def _check_secret_key(settings: Settings) -> str:
    if not settings.secret_key:
        raise UnsoundError(
            "not set; deployment_scripts/build_all_local.sh generates one, or set "
            "DIGIT_CLASSIFIER_SECRET_KEY."
        )
    return "set"


def _check_model(settings: Settings) -> str:
    classifier = DigitClassifier.from_settings(settings)
    classifier.self_test()
    model = classifier.model
    return f"{model.name} {model.version} reads the self-test's digit"


def _check_mnist(settings: Settings) -> str:
    """Check MNIST. Serving does not need it, so missing files are not a failure."""
    try:
        load_mnist(settings.data_dir)
    except DatasetMissingError as exc:
        return f"absent, needed for training and evaluation alone. {exc}"
    return f"all four files in {settings.data_dir} are intact"
