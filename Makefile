# The few commands that everything starts from. Each does its own set-up.
.PHONY: help setup build demo test parity bench gpu-bundle gpu-check sass-check format tidy clean

RELEASE := build/release
GRAFT := $(RELEASE)/bin/graft
# PyTorch would take hours for all of it: parts of its time are measured and multiplied, see bench/frozen_prefix.py.
FROZEN_FLAGS ?= --peer-seeds 1 --peer-epochs 3 --anb-seeds 0

help:
	@echo 'make demo    which layers transfer from shoes and bags to clothing: a figure in a few minutes'
	@echo 'make build   the command, $(GRAFT)'
	@echo 'make test    all tests'
	@echo 'make parity  every backbone beside PyTorch, stage by stage (installs PyTorch into build/parity)'
	@echo 'make bench   training, inference and frozen studies beside PyTorch (installs PyTorch into build/peers)'
	@echo 'make gpu-bundle [ARCH=90]  what the checks on a GPU need, on a machine that can compile'
	@echo 'make gpu-check STAGE=tests|sanitize|study|bench  the checks, on the machine with the GPU'
	@echo 'make sass-check  what can be read off the kernels of gpu-bundle without a GPU'
	@echo 'make format  clang-format over all sources;  make tidy  clang-tidy'

setup:
	@scripts/install-packages build

build: setup
	@cmake --preset release $(CMAKE_FLAGS) > /dev/null
	@cmake --build --preset release

# Where there is no GPU, or no nvcc, a first demo leaves the CUDA kernels to `make build`.
demo: setup
	@preset=release; { [ -e /dev/nvidia0 ] && command -v $${CUDACXX:-nvcc} > /dev/null; } || \
	  { [ -e $(RELEASE)/CMakeCache.txt ] && ! grep -q '^GRAFT_CUDA:.*=OFF' $(RELEASE)/CMakeCache.txt; } || preset=demo; \
	cmake --preset $$preset $(CMAKE_FLAGS) > /dev/null
	@cmake --build --preset release
	$(GRAFT) study run studies/fashion-mnist-clothing.yaml
	@echo 'open runs/fashion-mnist-clothing/report.html'

test:
	@scripts/install-packages test
	@cmake --preset test $(CMAKE_FLAGS) > /dev/null
	@cmake --build --preset test
	@ctest --test-dir $(RELEASE) --output-on-failure -j2

parity:
	@scripts/install-packages parity
	@scripts/install-parity
	@cmake --preset test $(CMAKE_FLAGS) > /dev/null
	@cmake --build --preset test --target graft parity_run image_dump
	build/parity/bin/python tests/parity/lite0.py --graft $(GRAFT)
	build/parity/bin/python tests/parity/models.py --program $(RELEASE)/bin/parity_run $(PARITY_FLAGS)
	build/parity/bin/python tests/parity/images.py --dump $(RELEASE)/bin/image_dump
	build/parity/bin/python tests/parity/contrasts.py --graft $(GRAFT)
	build/parity/bin/python tests/parity/compare.py --graft $(GRAFT)

bench: build
	@scripts/install-packages bench
	@scripts/install-peers
	build/peers/bin/python bench/training.py --graft $(GRAFT)
	build/peers/bin/python bench/inference.py --graft $(GRAFT)
	build/peers/bin/python bench/loader.py --graft $(GRAFT)
	build/peers/bin/python bench/checkpoint_files.py --graft $(GRAFT)
	build/peers/bin/python bench/frozen_prefix.py --graft $(GRAFT) $(FROZEN_FLAGS)

gpu-bundle:
	@scripts/gpu-bundle $(ARCH)

gpu-check:
	@scripts/gpu-check $(STAGE) $(CHECK_FLAGS)

sass-check:
	@scripts/sass-check build/gpu

format:
	@git ls-files '*.cpp' '*.h' '*.cu' '*.cuh' | xargs clang-format -i

tidy:
	@scripts/tidy test

clean:
	rm -rf build
