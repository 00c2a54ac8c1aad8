# `make demo` and `make test` set up all they need: virtual environments and the packages in them.
PYTHON ?= python3
# For stylising alone; $(VENV)-test holds everything.
VENV ?= .venv
BACKBONE ?= mobilenet
# Other weights than those in ckpts/: a student's .onnx.zip, or what needs the packages of requirements.txt.
CHECKPOINT ?=
CONTENT ?= notebooks/photos/summer_palace.jpg
STYLE ?= notebooks/photos/rocket_launch.jpg
OUT ?= demo.jpg

.PHONY: demo test test-all lint web

demo: $(VENV)/installed
	$(VENV)/bin/pcakd stylize $(CONTENT) $(STYLE) -o $(OUT) --backbone $(BACKBONE) \
		$(if $(filter demo.jpg,$(OUT)),--overwrite) $(if $(CHECKPOINT),--checkpoint $(CHECKPOINT))

# For every change: minutes on two cores.
test: $(VENV)-test/installed
	$(VENV)-test/bin/python -m pytest --numprocesses 2 --dist worksteal -m "not slow"

# Everything: trainings on either backend, notebooks, mangled files.
test-all: $(VENV)-test/installed
	$(VENV)-test/bin/python -m pytest --numprocesses 2 --dist worksteal

lint: $(VENV)-test/installed
	$(VENV)-test/bin/ruff check .
	$(VENV)-test/bin/ruff format --check .

# The page: builds it, serves it, says the address. Needs Node.js 20.19 or later.
web: web/node_modules/.package-lock.json
	npm --prefix web run build
	npm --prefix web run preview

web/node_modules/.package-lock.json: web/package-lock.json
	npm --prefix web ci --no-audit --no-fund

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --editable .
	touch $@

$(VENV)-test/installed: requirements.txt requirements-test.txt
	$(PYTHON) -m venv $(VENV)-test
	$(VENV)-test/bin/pip install --quiet -r requirements-test.txt
	touch $@
