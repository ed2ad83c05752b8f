# Two recipes matter most: `just demo` and `just test`. Each makes .venv by itself.

export PATH := justfile_directory() + "/.venv/bin:" + env_var("PATH")
# Where this is set, as in many containers, each of the many processes of the tests would compile every module anew.
export PYTHONDONTWRITEBYTECODE := ""

# list the recipes
default:
    @"{{ just_executable() }}" --list --unsorted

# make .venv with the tested versions; at once where nothing changed
setup:
    @python3 scripts/environment.py

# walk through all stages on the sample, with progress, to a table and six answers (4 to 7 minutes)
demo: setup
    @python scripts/demo.py

# everything that CI runs (about 12 minutes on two cores)
[parallel]
test: check test-all

[no-exit-message, private]
test-all: setup
    @python3 scripts/environment.py --compile
    pytest -n auto --dist worksteal

# the tests that need neither torch nor another process (under 60 seconds)
[no-exit-message]
test-fast: setup
    pytest -n auto --dist worksteal -m "not slow"

# look for input that breaks a reader: as many damaged files for each as you say (`just fuzz 20000`)
fuzz examples="2000": setup
    FUZZ_EXAMPLES={{ examples }} pytest -n auto tests/fuzz

# the fast part of it: lint, format, types, import rules, docs
[parallel]
check: check-style check-types check-imports check-docs

[private]
check-style: setup
    ruff check
    ruff format --check

[private]
check-types: setup
    mypy

[private]
check-imports: setup
    lint-imports --no-cache

[private]
check-docs: setup
    python scripts/cli_docs.py --check

# rewrite docs/cli.md from every command's --help
docs: setup
    python scripts/cli_docs.py

# draw docs/terminal.svg, the session at the top of the README
picture: setup
    python scripts/terminal_picture.py

# measure start-up: --help of every command, and a cold search
bench: setup
    python benchmarks/cold_start.py

# rebuild the workspace that ships with the package, from its articles and the starter retriever
sample: setup
    python scripts/sample.py
