# Short names for the deployment scripts and the daily tools.
TEST_PYVENV ?= .venv-test
export TEST_PYVENV

.DEFAULT_GOAL := help
.PHONY: help install service debug test lint format schemathesis openapi-examples fuzz \
	mutation-test bench-check audit sbom train fast-train model-cards screenshots lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Make the virtual environment, the settings and a trained model
	@bash deployment_scripts/build_all_local.sh --no-serve

service: ## The same, and serve on this machine
	@bash deployment_scripts/build_all_local.sh

debug: ## Serve in the development environment: a debugger, and a new start when the code changes
	@DIGIT_CLASSIFIER_ENVIRONMENT=development bash deployment_scripts/build_all_local.sh

test: ## Run the whole gate
	@bash deployment_scripts/run_tests.sh

lint: ## Run the gate without the tests
	@bash deployment_scripts/run_tests.sh --lint

format: test-pyvenv ## Format the code and fix what the linter can fix
	@"$(TEST_PYVENV)/bin/ruff" format .
	@"$(TEST_PYVENV)/bin/ruff" check --fix .

schemathesis: test-pyvenv ## Try the API with some hundred requests an operation, made from its document
	@SCHEMATHESIS_EXAMPLES=200 "$(TEST_PYVENV)/bin/pytest" -s tests/web/api/test_schemathesis.py

openapi-examples: test-pyvenv ## Record again the answers that the API's document shows
	@"$(TEST_PYVENV)/bin/python" -m tests.web.openapi_examples

fuzz: test-pyvenv ## Try a million damaged images, 100,000 of them for numbers, and 100,000 hostile requests
	@"$(TEST_PYVENV)/bin/python" -m tests.fuzz.campaign --images 1000000 --numbers 100000 \
		--requests 100000

# The tool is for this alone: it is laid over the test environment, and no part of it.
MUTMUT = mutmut==3.8.1
MUTANTS ?= 100
mutation-test: test-pyvenv ## Change the code in 100 places a package and see whether tests fail (hours)
	@"$(TEST_PYVENV)/bin/uv" run --quiet --no-project --python "$(TEST_PYVENV)/bin/python" \
		--with "$(MUTMUT)" python -m tests.mutants "$(MUTANTS)"

bench-check: test-pyvenv ## Fail if a request costs more instructions than recorded (needs valgrind)
	@"$(TEST_PYVENV)/bin/python" -m benchmarks.gate

audit: test-pyvenv ## Ask the package index whether a pinned package has a known vulnerability
	@for file in requirements.txt requirements-dev.txt; do \
		"$(TEST_PYVENV)/bin/pip-audit" --vulnerability-service pypi --disable-pip \
			--requirement "$$file" || exit; \
	done

# As mutmut, the tool is for this alone.
CYCLONEDX = cyclonedx-bom==7.5.0
sbom: test-pyvenv ## Write dist/sbom.json, the parts list of what the service installs (CycloneDX)
	@mkdir -p dist
	@"$(TEST_PYVENV)/bin/uv" tool run --quiet --from "$(CYCLONEDX)" cyclonedx-py requirements \
		--output-reproducible --output-file dist/sbom.json requirements.txt
	@echo "dist/sbom.json lists $$(grep -c '"bom-ref": ' dist/sbom.json) parts."

train: ## Train the default model on MNIST
	@bash deployment_scripts/train_model.sh

fast-train: ## Train one epoch, into models/fast
	@bash deployment_scripts/train_model.sh --classifier mlp --name fast --epochs 1

# An empty folder of models: a model trained here must not hide the shipped one of its name.
model-cards: test-pyvenv ## Measure the shipped models (a quarter of an hour) and write their cards
	@set -e; reports="$$(mktemp -d)"; trap 'rm -rf -- "$$reports"' EXIT; trap 'exit 130' INT TERM; \
	for name in softmax mlp cnn; do \
		DIGIT_CLASSIFIER_MODELS_DIR="$$reports/none" "$(TEST_PYVENV)/bin/digit-classifier" \
			evaluate --model "$$name" --corruptions --report "$$reports/$$name"; \
		cp -- "$$reports/$$name/MODEL_CARD.md" "$$reports/$$name/figures.json" \
			"digit_classifier/pretrained/$$name/"; \
	done

screenshots: test-pyvenv ## Take the pictures of the documents again
	@"$(TEST_PYVENV)/bin/python" -m tests.browser.ready_pictures
	@"$(TEST_PYVENV)/bin/python" -m tests.browser.screenshots
	@"$(TEST_PYVENV)/bin/python" -m tests.browser.recording

LOCK = "$(TEST_PYVENV)/bin/uv" pip compile --quiet setup.py --universal --python-version 3.11 \
	--fork-strategy fewest --no-strip-extras --generate-hashes --custom-compile-command "make lock"

lock: test-pyvenv ## Pin the requirements of setup.py again
	@$(LOCK) --extra build --extra redis --output-file requirements.txt
	@$(LOCK) --extra build --extra redis --extra train \
		--constraints requirements.txt --output-file requirements-train.txt
	@$(LOCK) --extra build --extra redis --extra train --extra dev --extra distributed --extra onnx \
		--extra plots --constraints requirements-train.txt --output-file requirements-dev.txt
	@echo 'mod_wsgi>=5' | "$(TEST_PYVENV)/bin/uv" pip compile --quiet - --python-version 3.11 \
		--generate-hashes --custom-compile-command "make lock" --output-file requirements-apache.txt

clean: ## Remove what the scripts made; asks first
	@bash deployment_scripts/cleanup.sh

.PHONY: test-pyvenv
test-pyvenv:
	@bash deployment_scripts/install_pyvenv.sh --test
