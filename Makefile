# Two commands matter: `make sweep` and `make test`. Everything is installed into .venv on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Ray, torch and MKL otherwise take every core for each of several processes, and where Python may write no bytecode, each
# of a thousand processes compiles rlsweep.
TEST_ENV := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=

.PHONY: sweep test lint bench chaos mutants image-check image-check-short install format clean

sweep: $(VENV)/.installed  ## train the shipped variants side by side and compare them
	$(BIN)/rlsweep submit 'config/agents/ppo_agent_sweep_*.yaml' --episodes 2000

test: $(VENV)/.installed-dev  ## every test
	$(TEST_ENV) $(BIN)/pytest -n 3 --dist loadgroup --durations=25 $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev  ## style, types, and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev  ## the figures that README quotes; more than an hour
	$(TEST_ENV) $(BIN)/pytest tests/benchmarks -s $(PYTEST_ARGS)

chaos: $(VENV)/.installed-dev  ## a sweep whose every part is killed at random, a hundred times; twenty minutes or so
	$(TEST_ENV) RLSWEEP_CHAOS_KILLS=100 $(BIN)/pytest tests/chaos -s $(PYTEST_ARGS)

mutants: $(VENV)/.installed-dev  ## faults made on purpose, one by one: which of them the tests catch; an hour or two
	$(BIN)/python tests/mutants/run.py $(MUTANTS_ARGS)

image-check: $(VENV)/.installed-dev  ## build cluster/Dockerfile, run compose.yaml and the launcher's scripts in containers; as root
	$(BIN)/python -m tests.cluster.image_check $(IMAGE_CHECK_ARGS)

image-check-short: $(VENV)/.installed-dev  ## the image, a head, a worker and one sweep; says so where the machine cannot run it
	$(BIN)/python -m tests.cluster.image_check --short --optional $(IMAGE_CHECK_ARGS)

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: $(VENV)/.installed

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "rlsweep needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml .constraints.txt
	@echo "Installing rlsweep and what it needs into $(VENV) (a few minutes the first time)"
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint .constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint .constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
