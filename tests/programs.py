"""Programs that some tests need beside Python."""

import os
import shutil

import pytest


def require(*packages):
    """Skip without the programs of these Debian packages, or fail where every test is to run."""
    missing = [name for name in packages if shutil.which(name) is None]
    if missing and os.environ.get("TEST_SYSTEM_DEPLOYMENT") == "1":
        pytest.fail(f"There is no {' and no '.join(missing)}, which .ci/run installs.")
    if missing:
        pytest.skip(f"apt-get install {' '.join(missing)}")
