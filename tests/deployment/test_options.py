"""What every script does with its arguments and with the names in the environment."""

import os
import subprocess

import pytest

from tests.deployment.clone import PROJECT, Clone, environment

SCRIPTS = [
    "build_all_EC2.sh",
    "build_all_local.sh",
    "build_apache.sh",
    "build_balancer.sh",
    "cleanup.sh",
    "install_pyvenv.sh",
    "install_release.sh",
    "reload.sh",
    "run_tests.sh",
    "set_permissions.sh",
    "smoke_test.sh",
    "trial.sh",
    "upgrade_instance.sh",
]
PROFILE = """
source "$1/deployment_scripts/config_profile.sh"
echo "$PYVENV|$SETTINGS_FILE|$DIGIT_CLASSIFIER_DATA_DIR|$DIGIT_CLASSIFIER_HOST|$PORT"
"""


def read_profile(cwd, **variables):
    finished = subprocess.run(
        ["bash", "-euc", PROFILE, "bash", str(PROJECT)],
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout.rstrip("\n").split("|")


@pytest.mark.parametrize("script", SCRIPTS)
def test_unknown_option_is_refused_with_the_usage(script):
    finished = Clone(PROJECT).run(script, "--bogus")
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert "Error: unknown option --bogus" in finished.stderr
    assert f"Usage: {script}" in finished.stderr


@pytest.mark.parametrize("script", [*SCRIPTS, "train_model.sh"])
def test_help_goes_to_standard_output(script):
    finished = Clone(PROJECT).run(script, "--help")
    assert finished.returncode == 0
    assert finished.stdout.startswith(f"Usage: {script}")
    assert finished.stderr == ""


@pytest.mark.parametrize("script", [*SCRIPTS, "train_model.sh"])
def test_script_can_be_executed_directly(script):
    assert os.access(PROJECT / "deployment_scripts" / script, os.X_OK)


def test_profile_defaults_lie_in_the_clone(tmp_path):
    assert read_profile(tmp_path) == [
        f"{PROJECT}/.venv",
        f"{PROJECT}/instance/settings.toml",
        f"{PROJECT}/data",
        "127.0.0.1",
        "5000",
    ]


def test_profile_takes_relative_paths_from_the_working_folder(tmp_path):
    folder = tmp_path / "a folder"
    folder.mkdir()
    profile = read_profile(
        folder,
        PYVENV="env",
        INSTANCE_DIR="./own",
        DIGIT_CLASSIFIER_DATA_DIR="../mnist",
        HOST="0.0.0.0",
        DIGIT_CLASSIFIER_PORT="8000",
    )
    assert profile == [
        f"{folder}/env",
        f"{folder}/own/settings.toml",
        f"{tmp_path}/mnist",
        "0.0.0.0",
        "8000",
    ]
