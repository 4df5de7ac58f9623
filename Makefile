# The few commands that everything starts from. Each does its own set-up.
.PHONY: help setup build demo test bench format tidy clean

RELEASE := build/release
GRAFT := $(RELEASE)/bin/graft

help:
	@echo 'make demo    which layers transfer from shoes and bags to clothing: a figure in a few minutes'
	@echo 'make build   the command, $(GRAFT)'
	@echo 'make test    all tests'
	@echo 'make bench   training speed beside PyTorch (installs PyTorch into build/peers)'
	@echo 'make format  clang-format over all sources;  make tidy  clang-tidy'

setup:
	@scripts/install-packages build

build: setup
	@cmake --preset release $(CMAKE_FLAGS) > /dev/null
	@cmake --build --preset release

demo: build
	$(GRAFT) study run studies/fashion-mnist-clothing.yaml
	@echo 'open runs/fashion-mnist-clothing/report.html'

test:
	@scripts/install-packages test
	@cmake --preset test $(CMAKE_FLAGS) > /dev/null
	@cmake --build --preset test
	@ctest --test-dir $(RELEASE) --output-on-failure -j2

bench: build
	@scripts/install-packages bench
	@scripts/install-peers
	build/peers/bin/python bench/training.py --graft $(GRAFT)

format:
	@git ls-files '*.cpp' '*.h' '*.cu' '*.cuh' | xargs clang-format -i

tidy:
	@scripts/tidy $(RELEASE)

clean:
	rm -rf build
