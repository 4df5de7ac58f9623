#!/usr/bin/env python3
"""Writes optimizer_expectations.h: what PyTorch's optimizers make of two small parameters in five f64 steps.

Run it with PyTorch installed: python3 optimizer_expectations.py > optimizer_expectations.h
The tests repeat the same steps and compare; they need neither Python nor PyTorch.
"""
import math

import torch

STEPS = 5
SHAPES = [(3,), (2, 2)]
CASES = {
    "kSgd": (torch.optim.SGD, {}, 0.0),
    "kSgdMomentum": (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.01}, 0.0),
    "kSgdNesterov": (torch.optim.SGD, {"momentum": 0.8, "weight_decay": 0.02, "nesterov": True}, 0.0),
    "kSgdClipped": (torch.optim.SGD, {"momentum": 0.9}, 0.5),
    "kAdamW": (torch.optim.AdamW, {}, 0.0),
    "kAdamWDecay": (torch.optim.AdamW, {"betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.1}, 0.0),
    "kAdamWClipped": (torch.optim.AdamW, {}, 0.5),
}


def start(shape):
    count = math.prod(shape)
    return torch.tensor([0.1 * (i + 1) for i in range(count)], dtype=torch.float64).reshape(shape)


def gradient(step, number, shape):
    count = math.prod(shape)
    values = [math.cos(0.7 * step + 0.3 * i + number) for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def run(kind, options, max_norm):
    parameters = [torch.nn.Parameter(start(shape)) for shape in SHAPES]
    optimizer = kind(parameters, lr=1.0, **options)
    for step in range(STEPS):
        for number, parameter in enumerate(parameters):
            parameter.grad = gradient(step, number, parameter.shape)
        if max_norm > 0:
            torch.nn.utils.clip_grad_norm_(parameters, max_norm)
        optimizer.param_groups[0]["lr"] = 0.1 / (step + 1)
        optimizer.step()
    return [value for parameter in parameters for value in parameter.detach().flatten().tolist()]


def main():
    print("#pragma once\n")
    print("#include <vector>\n")
    print(f"// Made by optimizer_expectations.py with PyTorch {torch.__version__.split('+')[0]}; not to be edited.")
    print("namespace graft::testing {\n")
    for name, (kind, options, max_norm) in CASES.items():
        values = run(kind, options, max_norm)
        print(f"inline const std::vector<double> {name}{{")
        print("    " + ",\n    ".join(float(value).hex() for value in values) + "};\n")
    print("}  // namespace graft::testing")


if __name__ == "__main__":
    main()
