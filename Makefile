# Every target makes its own environment: Python 3.11+ and git are all it needs.
PYTHON ?= python3
BIN := .venv/bin
JOBS ?= auto

.PHONY: demo test test-slow test-gpu test-lowest lint docs linkcheck bench clean

.venv/.installed: setup.cfg constraints.txt
	$(PYTHON) -c "import sys; sys.exit('emclassify needs Python 3.11 or newer: make PYTHON=python3.11' if sys.version_info < (3, 11) else 0)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[test]"
	touch $@

.venv/.installed-docs: .venv/.installed
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[test,docs]"
	touch $@

demo: .venv/.installed  ## CNN against SVM on simulated liposomes; writes benchmark.html
	$(BIN)/emclassify benchmark --samples 420 --weights 0.6,0.3,0.1 --cv 4 \
		--models lipnet4,svm --image-size 28 --time-limit 4 --out benchmark.html

test: .venv/.installed  ## everything but the slow tests
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow"

test-slow: .venv/.installed
	$(BIN)/python -m pytest -n $(JOBS) -m slow --timeout 3600

test-gpu: .venv/.installed  ## the tests that need a GPU; without one it fails
	@$(BIN)/python -c "import sys, torch; sys.exit(None if torch.cuda.is_available() else f'make test-gpu: torch {torch.__version__} finds no CUDA device here')"
	$(BIN)/python -m pytest -m gpu

test-lowest:  ## with the lowest versions that setup.cfg allows, in .venv-lowest
	$(PYTHON) -m venv --clear .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --upgrade pip
	.venv-lowest/bin/python -m pip install --quiet -c constraints-lowest.txt -e ".[test]"
	# Old packages beside new ones of theirs: what they warn of is not ours.
	.venv-lowest/bin/python -m pytest -n $(JOBS) -m "not slow" -W ignore::DeprecationWarning

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

docs: .venv/.installed-docs  ## the site, in docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -j auto -b html docs docs/_build/html

linkcheck: .venv/.installed-docs  ## whether the addresses in the site answer
	# Sphinx fails on what can't be reached, too; links.py tells that from dead links.
	-$(BIN)/python -m sphinx -q -b linkcheck -D plot_gallery=0 docs docs/_build/linkcheck
	$(BIN)/python docs/links.py docs/_build/linkcheck/output.json

bench: .venv/.installed  ## speed, each against a named opponent
	for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf .venv .venv-lowest build dist *.egg-info docs/_build docs/auto_examples docs/api/generated docs/api/backreferences
