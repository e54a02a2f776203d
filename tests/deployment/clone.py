"""A copy of the working tree, and the running of its deployment scripts."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

#: What an operator may set for the scripts, and what a test run sets for its own interpreter.
OPERATOR_VARIABLES = {
    "APACHE",
    "APACHE_MODULES_DIR",
    "BALANCER_BIND",
    "BALANCER_CONFIG",
    "BALANCER_SOCKET",
    "BODIES_DIR",
    "CONFIG_DIR",
    "DEPLOYMENT",
    "HOST",
    "HTTPS_PORT",
    "HTTP_PORT",
    "INSTANCE_DIR",
    "KEEP_RELEASES",
    "LOG_DIR",
    "MOD_WSGI",
    "PORT",
    "PREFIX",
    "PROCESSES",
    "PYVENV",
    "RUN_DIR",
    "SERVER_NAME",
    "SERVICE_USER",
    "STATE_DIR",
    "STATUS_NETWORKS",
    "TEST_PYVENV",
    "TLS_CERT",
    "TLS_KEY",
    "TRUSTED_PROXIES",
}
OPERATOR_PREFIXES = ("DIGIT_CLASSIFIER_", "PYTHON", "COV_", "COVERAGE_")


class Clone:
    """A copy of what git tracks or would track: a fresh clone with the changes at hand."""

    def __init__(self, path):
        self.path = path

    @classmethod
    def of_working_tree(cls, path, source=PROJECT):
        command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"]
        listed = subprocess.run(command, cwd=source, check=True, capture_output=True, text=True)
        for name in listed.stdout.split("\0"):
            if (source / name).is_file():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source / name, path / name)
        return cls(path)

    def link_copy(self, path):
        """Copy the whole folder; the installed packages, which are large, by hard links."""
        shutil.copytree(self.path, path, copy_function=link_packages, symlinks=True)
        return Clone(path)

    def command(self, script, *arguments):
        return ["bash", str(self.path / "deployment_scripts" / script), *arguments]

    def run(self, script, *arguments, cwd=Path("/"), answer="", user=None, **variables):
        """Run a script to its end, from another folder unless given one."""
        return subprocess.run(
            self.command(script, *arguments),
            cwd=cwd,
            env=environment(**variables),
            **as_user(user),
            input=answer,
            capture_output=True,
            text=True,
            check=False,
        )

    def listing(self):
        """Map each path to its size and time of change; folders by name alone."""
        entries = {}
        for path in self.path.rglob("*"):
            stat = path.lstat()
            changed = (0, 0) if path.is_dir() else (stat.st_size, stat.st_mtime_ns)
            entries[str(path.relative_to(self.path))] = changed
        return entries


def as_user(name):
    """Arguments for ``subprocess`` to run something as that user, with its groups alone."""
    return (
        {}
        if name is None
        else {
            "user": name,
            "group": pwd.getpwnam(name).pw_gid,
            "extra_groups": [],
        }
    )


def link_packages(source, target):
    (os.link if "/site-packages/" in source else shutil.copy2)(source, target)


def environment(**variables):
    """Give this process's environment without what the scripts read, and with `variables`."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in OPERATOR_VARIABLES and not name.startswith(OPERATOR_PREFIXES)
    }
    return inherited | variables
