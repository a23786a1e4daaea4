# `make` alone prints what there is. Each target but help and lock sets up whatever is missing first; when nothing is, that costs a moment.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help lab teach desk test browser refresh figures bench slides site handout lint lock setup

# The first Python that starts runs the set-up; the set-up then looks for one that suits the course.
SETUP = for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$p -I -c '' 2>/dev/null; then exec $$p -I .ci/setup.py $$options; fi; done; \
	echo 'set-up: no Python 3 found. Install Python 3.12 (from your package manager, or conda) and run make again' >&2; exit 1
# A recipe becomes the environment's Python. Its path is a value of the shell: blanks, quotes and dollars in it are kept.
COURSE_PYTHON = python="$$(options=--python; $(SETUP))" && exec "$$python"

# What the user has set for other work would reach notebooks, kernels and tests. As to the last: thirty kernels import
# the helpers; whatever the shell says, they are compiled once and not thirty times.
unexport $(filter PYTHON% JUPYTER% MPL% MATPLOTLIBRC PYTEST_%,$(.VARIABLES))
# In a terminal within R, such as RStudio's, R's libraries would be loaded in place of Python's own.
ifdef R_SESSION_TMPDIR
unexport LD_LIBRARY_PATH DYLD_FALLBACK_LIBRARY_PATH
endif

help:  ## print this list
	@sed -n 's/^\([a-z]*\):.*## /\1  /p' Makefile | while read -r name text; do printf 'make %-8s %s\n' "$$name" "$$text"; done

lab: setup  ## open your desk in JupyterLab: the chapters, to work in (more options: LAB_ARGS=--no-browser)
	@$(COURSE_PYTHON) -m helpers.authoring.desk lab $(LAB_ARGS)

desk: setup  ## lay a fresh copy of a chapter beside yours (CHAPTER=03)
	@$(COURSE_PYTHON) -m helpers.authoring.desk fresh $(CHAPTER)

teach: setup  ## open the chapters with outputs, notes and slides in JupyterLab (options as for lab)
	@$(COURSE_PYTHON) -m helpers.authoring.lab $(LAB_ARGS)

# Two workers, each with whole files and one thread, keep two cores busy: about half the time of one after the other.
# In the order of the command: the long notebooks first, so that neither worker is left alone with one at the end.
TWO_AT_A_TIME = -n 2 --dist loadfile --no-loadscope-reorder

# One thread for each worker.
test browser: export OMP_NUM_THREADS = 1

# COURSE_NEEDS_R makes a silently absent R an error; COURSE_WITHOUT_R=1 says that R is absent on purpose.
test: setup  ## run every notebook against its stored outputs, and every test but those in a browser
	@compare=--nbval; \
	if [ -n "$(COURSE_WITHOUT_R)" ] && [ "$(COURSE_WITHOUT_R)" != 0 ]; then \
		compare=--nbval-lax; \
		echo 'Without R: the notebooks are run, their outputs, which hold R'\''s answers, are not compared.'; \
	else \
		COURSE_NEEDS_R=1; export COURSE_NEEDS_R; \
		if [ "$$(uname -m)" != x86_64 ]; then \
			compare=--nbval-lax; \
			echo 'The outputs were stored on x86-64, whose last digits differ: here the notebooks are run, not compared.'; \
		fi; \
	fi; \
	$(COURSE_PYTHON) -m pytest $(TWO_AT_A_TIME) -m 'not browser' $$compare --nbval-current-env \
		--nbval-cell-timeout 120 --nbval-sanitize-with tests/nbval_sanitize.cfg notebooks tests $(TEST_ARGS)

browser: setup  ## try the course in a real browser, which is installed if missing (only some: BROWSER_ARGS='-k slides')
	@$(COURSE_PYTHON) tests/system_browser.py
	@: the longest groups first, so that neither worker is left alone with one at the end
	@$(COURSE_PYTHON) -m pytest -n 2 --dist loadgroup -m browser \
		tests/browser/test_site.py tests/authoring tests/browser $(BROWSER_ARGS)

refresh: setup  ## run the notebooks from clean kernels and store their outputs (only some: NOTEBOOKS=path)
	@$(COURSE_PYTHON) -m helpers.authoring.refresh $(NOTEBOOKS)

figures: setup  ## draw the diagrams in images/ anew
	@$(COURSE_PYTHON) -m helpers.authoring.diagrams

bench: setup  ## measure speed and memory side by side, as ratios (only some: PARTS="peers map")
	@$(COURSE_PYTHON) tests/bench/bench.py $(PARTS)

slides: setup  ## write the chapters as slides into _build/slides
	@$(COURSE_PYTHON) -m helpers.authoring.slides

SITE = _build/site
site: setup  ## write the chapters with their outputs as a web site into _build/site
	@rm -rf "$(SITE)"
	@$(COURSE_PYTHON) -m sphinx -j auto -qW --keep-going -c helpers/authoring/site -d _build/.doctrees . "$(SITE)"
	@echo "open $(SITE)/index.html"

handout: setup  ## pack a desk without solutions for a class into _build/handout
	@$(COURSE_PYTHON) -m helpers.authoring.desk handout

lint: setup  ## check the style of the code
	@$(COURSE_PYTHON) -m ruff check .

lock:  ## choose anew what pyproject.toml leaves open and write constraints.txt
	@options=--lock; $(SETUP)

setup:
	@options=; $(SETUP)
