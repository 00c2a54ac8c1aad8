# `make demo` and `make test` set up all they need: a virtual environment and the packages in it.
PYTHON ?= python3
VENV ?= .venv
BACKBONE ?= mobilenet
# Other weights than those in ckpts/.
CHECKPOINT ?=
CONTENT ?= notebooks/photos/summer_palace.jpg
STYLE ?= notebooks/photos/rocket_launch.jpg
OUT ?= demo.jpg

.PHONY: demo test lint

demo: $(VENV)/installed
	$(VENV)/bin/python -m $(BACKBONE)_backbone.stylize $(CONTENT) $(STYLE) -o $(OUT) \
		$(if $(filter demo.jpg,$(OUT)),--overwrite) $(if $(CHECKPOINT),--checkpoint $(CHECKPOINT))

test: $(VENV)/installed-test
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist worksteal

lint: $(VENV)/installed-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet -r requirements.txt
	touch $@

$(VENV)/installed-test: requirements-test.txt $(VENV)/installed
	$(VENV)/bin/pip install --quiet -r requirements-test.txt
	touch $@
