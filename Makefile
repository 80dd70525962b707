# make repro · make test · make figures: each sets up .venv itself. PYTHON names the interpreter to build it from (3.11 or later).
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)

.PHONY: repro test figures plan

repro: $(VENV)/ready          ## every figure and table, from raw data; falls back to scale smoke where no data can be had
	@python -m stages.available

test: $(VENV)/ready           ## all tests; sets up everything itself
	python -m pytest

figures: $(VENV)/ready        ## redraw every figure from the committed results, in one process
	@python -m stages.plot --all

plan: $(VENV)/ready           ## what each training would cost at the present scale and width
	@python -m stages.plan

$(VENV)/ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("error: Python 3.11 or later is needed; name one with make PYTHON=…" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@
