#!/usr/bin/env python3
"""One training step of a network in PyTorch, timed: the peer of `graft bench step`.

Plain PyTorch as its documentation has it: channels_last, SGD with momentum, torch.autocast for bf16, synthetic data; eager
or by torch.compile. On a GPU cuDNN's algorithms are measured first, and f32 is IEEE f32, no tf32. Prints one JSON object: median milliseconds a step, images a second, peak resident memory.
"""
import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F


class BasicBlock(nn.Module):
    """The two-convolution block of He et al. 2016 for CIFAR, with the parameter-free shortcut (option A)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.pad = stride, (outputs - inputs) // 2

    def forward(self, x):
        shortcut = x
        if self.stride != 1 or self.pad:
            shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad))
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(y)) + shortcut, inplace=True)


def cifar_resnet(depth):
    blocks = (depth - 2) // 6
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    width = 16
    for stage, outputs in enumerate((16, 32, 64)):
        for block in range(blocks):
            layers.append(BasicBlock(width, outputs, 2 if stage and block == 0 else 1))
            width = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def build(name):
    import torchvision

    if name == "cifar_resnet20":
        return cifar_resnet(20), 10
    if name == "resnet18_cifar":
        model = torchvision.models.resnet18(num_classes=10)
        model.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        model.maxpool = nn.Identity()
        return model, 10
    return getattr(torchvision.models, name)(), 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--compile", action="store_true", help="torch.compile the network")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False

    model, classes = build(options.model)
    model = model.to(options.device, memory_format=torch.channels_last).train()
    if options.compile:
        model = torch.compile(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    images = torch.randn(options.batch, 3, options.size, options.size)
    images = images.to(options.device, memory_format=torch.channels_last)
    labels = torch.randint(classes, (options.batch,), device=options.device)
    wait = torch.cuda.synchronize if options.device == "cuda" else lambda: None

    seconds = []
    for _ in range(options.warmup + options.steps):
        start = time.perf_counter()
        with torch.autocast(options.device, dtype=torch.bfloat16, enabled=options.dtype == "bf16"):
            loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        wait()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds[options.warmup :])
    print(json.dumps({
        "program": f"PyTorch {torch.__version__}", "model": options.model, "batch": options.batch, "size": options.size,
        "device": options.device, "compile": options.compile, "dtype": options.dtype, "threads": torch.get_num_threads(), "steps": options.steps, "ms_per_step": median * 1e3,
        "images_per_second": options.batch / median,
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))


if __name__ == "__main__":
    main()
