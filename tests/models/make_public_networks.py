#!/usr/bin/env python3
"""Writes public_networks.txt: for every network that tests/parity compares, its number of parameters and the SHA-256 of
the sorted names, kinds and shapes of its state_dict, as torchvision and timm have them with 1000 classes."""
import hashlib
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "parity"))
import cases  # noqa: E402


def line_of(name, model):
    learned = {key for key, _ in model.named_parameters()}
    lines = sorted(
        " ".join(["parameter" if key in learned else "buffer", key, *map(str, tensor.shape)]) + "\n"
        for key, tensor in model.state_dict().items())
    count = sum(parameter.numel() for parameter in model.parameters())
    return f"{name} {count} {hashlib.sha256(''.join(lines).encode()).hexdigest()}\n"


if __name__ == "__main__":
    builds = {}
    for case in cases.all_cases():
        builds.setdefault(case.name, case.build)  # the first is the one of the published input size
    with open(os.path.join(HERE, "public_networks.txt"), "w") as file, torch.device("meta"):
        file.writelines(line_of(name, build(1000)) for name, build in builds.items())
