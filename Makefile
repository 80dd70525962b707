# make repro · test · figures · experiments · plan · explain: each sets up .venv itself. PYTHON names the interpreter (3.11 or later).
PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: repro test lint figures experiments plan explain

repro: $(VENV)/ready          ## every figure and table, from raw data; falls back to scale smoke where no data can be had
	@python -m stages.available

test: lint                    ## all tests; sets up everything itself
	OMP_NUM_THREADS=1 python -m pytest -n 2 --dist loadfile   # a file a process, one thread each

lint: $(VENV)/ready           ## ruff: what it finds, and how it would lay the code out
	@ruff check --quiet . && ruff format --check --quiet . || { echo 'run: ruff check --fix . && ruff format .'; exit 1; }

figures: $(VENV)/ready        ## redraw every figure from the committed results, in one process
	@python -m stages.plot --all

experiments: $(VENV)/ready    ## `dvc exp show` without the thousand parameters that no one changed
	@COLUMNS=200 dvc exp show --no-pager --drop '.*' --keep '^(Experiment|scale|width|\w+\.(accuracy|reproduced))$$'

plan: $(VENV)/ready           ## hours, memory and disk of a run: make plan SCALE=paper WIDTH=4
	@python -m stages.price "$(SCALE)" "$(WIDTH)"

explain: $(VENV)/ready        ## what is trained and why: make explain STUDY=nguyen.wide VARIANT=sixteenth SCALE=quick
	@python -m stages.explain "$(STUDY)" "$(VARIANT)" "$(SCALE)"

$(VENV)/ready: requirements.txt
	@"$(PYTHON)" -c 'import sys; sys.exit("error: Python 3.11 or later is needed; name one with make PYTHON=…" if sys.version_info < (3, 11) else 0)'
	"$(PYTHON)" -m venv "$(VENV)"
	"$(VENV)/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@
