#!/usr/bin/env python3
"""Frozen prefixes of EfficientNet-Lite0 in plain PyTorch: the peer of bench/frozen_prefix.py, one process on all cores.

For each cut and seed the stages before the cut keep their ImageNet weights (requires_grad=False) and run in eval mode
under no_grad at every step. What follows is trained: --arm probe, a linear head on their pooled outputs; --arm AnB, the
later stages from new weights, and the head. Images lie in memory, resized, normalised and channels_last, before the
clock starts. Prints one JSON object with, of each network, the seconds (of the clock and of the processors) of an epoch,
its median step times their number, and of the test, and top-1 accuracy.
"""
import argparse
import json
import os
import resource
import time

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

MEAN, DEVIATION = 127 / 255, 128 / 255
# kernel, stride, expansion, channels, blocks
STAGES = [(3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3), (5, 2, 6, 192, 4),
          (3, 1, 6, 320, 1)]


class SameConv(nn.Conv2d):
    """TensorFlow's padding: with stride 1 the convolution's own, with stride 2 one more below and to the right."""

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1):
        super().__init__(inputs, outputs, kernel, stride, kernel // 2 if stride == 1 else 0, groups=groups, bias=False)

    def forward(self, x):
        if self.stride[0] == 2:
            whole = self.kernel_size[0] - 2  # of images with even sides
            x = F.pad(x, [whole // 2, whole - whole // 2, whole // 2, whole - whole // 2])
        return super().forward(x)


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.1)


class Stem(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride):
        super().__init__()
        self.conv, self.bn = SameConv(inputs, outputs, kernel, stride), norm(outputs)

    def forward(self, x):
        return F.relu6(self.bn(self.conv(x)), inplace=True)


class Block(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, expansion):
        super().__init__()
        inner = inputs * expansion
        if expansion != 1:
            self._expand_conv, self._bn0 = SameConv(inputs, inner, 1), norm(inner)
        self._depthwise_conv, self._bn1 = SameConv(inner, inner, kernel, stride, groups=inner), norm(inner)
        self._project_conv, self._bn2 = SameConv(inner, outputs, 1), norm(outputs)
        self.expands, self.residual = expansion != 1, stride == 1 and inputs == outputs

    def forward(self, x):
        y = F.relu6(self._bn0(self._expand_conv(x)), inplace=True) if self.expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)), inplace=True)
        y = self._bn2(self._project_conv(y))
        return y + x if self.residual else y


def make_stages():
    """The nine stages that the network can be cut after: stem, seven of blocks, last convolution."""
    stages, channels = [Stem(3, 32, 3, 2)], 32
    for kernel, stride, expansion, outputs, count in STAGES:
        blocks = []
        for index in range(count):
            blocks.append(Block(channels, outputs, kernel, stride if index == 0 else 1, expansion))
            channels = outputs
        stages.append(nn.Sequential(*blocks))
    return stages + [Stem(channels, 1280, 1, 1)]


def load_published(stages, file):
    """The file's names are those of the efficientnet-lite-pytorch package."""
    published = torch.load(file, weights_only=True)
    blocks = [block for stage in stages[1:-1] for block in stage]

    def part(*prefixes):
        state = {}
        for prefix, name in prefixes:
            state.update({name + key[len(prefix):]: value for key, value in published.items() if key.startswith(prefix)})
        return state

    stages[0].load_state_dict(part(("_conv_stem.", "conv."), ("_bn0.", "bn.")))
    stages[-1].load_state_dict(part(("_conv_head.", "conv."), ("_bn1.", "bn.")))
    for index, block in enumerate(blocks):
        block.load_state_dict(part((f"_blocks.{index}.", "")))


def renew(module):
    for each in module.modules():
        if isinstance(each, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(each.weight)
            if each.bias is not None:
                nn.init.zeros_(each.bias)
        elif isinstance(each, nn.BatchNorm2d):
            each.reset_running_stats()
            each.reset_parameters()


def read_idx(path):
    raw = open(path, "rb").read()
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(raw[3])]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def load(folder, part, size):
    pixels = read_idx(os.path.join(folder, f"{part}-images-idx3-ubyte"))
    labels = torch.from_numpy(read_idx(os.path.join(folder, f"{part}-labels-idx1-ubyte")).astype(np.int64))
    images = torch.empty(len(pixels), 3, size, size, memory_format=torch.channels_last)
    for into, image in zip(images, pixels):
        resized = Image.fromarray(image).convert("RGB").resize((size, size), Image.BICUBIC)
        into.copy_(torch.from_numpy(np.array(resized)).permute(2, 0, 1).float().div_(255).sub_(MEAN).div_(DEVIATION))
    return images, labels


class Pooled(nn.Sequential):
    """Later stages, then pooling, dropout where the network has it, and the linear head."""

    def __init__(self, stages, channels, classes, dropout):
        super().__init__(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels, classes))


def now():
    """Seconds of the clock and of the processors."""
    return np.array([time.perf_counter(), time.process_time()])


def train(options, data, cut, seed):
    images, labels, test_images, test_labels = data
    torch.manual_seed(seed)
    stages = make_stages()
    load_published(stages, options.weights)
    prefix = nn.Sequential(*stages[:cut]).requires_grad_(False).eval().to(memory_format=torch.channels_last)
    later = [] if options.arm == "probe" else stages[cut:]
    with torch.no_grad():
        channels = 1280 if later else prefix(images[:1]).shape[1]
    rest = Pooled(later, channels, 10, 0.2 if later else 0.0)
    renew(rest)
    rest = rest.to(memory_format=torch.channels_last).train()
    steps = len(images) // options.batch
    optimizer = torch.optim.SGD(rest.parameters(), lr=options.lr, momentum=0.9, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps * options.epochs)
    taken = []
    for _ in range(options.epochs):
        order = torch.randperm(len(images))
        for step in range(steps):
            began = now()
            batch = order[step * options.batch : (step + 1) * options.batch]
            with torch.no_grad():
                features = prefix(images[batch])
            loss = F.cross_entropy(rest(features), labels[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            taken.append(now() - began)
    rest.eval()
    right = 0
    began = now()
    with torch.no_grad():
        for start in range(0, len(test_images), options.batch):
            answers = rest(prefix(test_images[start : start + options.batch])).argmax(1)
            right += int((answers == test_labels[start : start + options.batch]).sum())
    epoch, test = steps * np.median(taken, axis=0), now() - began
    return {"cut": cut, "seed": seed, "epoch_seconds": epoch[0], "epoch_cpu": epoch[1], "test_seconds": test[0],
            "test_cpu": test[1], "top1": right / len(test_images)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with Fashion-MNIST's four files, not compressed")
    parser.add_argument("--weights", required=True, help="the published file")
    parser.add_argument("--arm", choices=["probe", "AnB"], required=True)
    parser.add_argument("--cuts", type=int, nargs="+", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    data = (*load(options.data, "train", options.size), *load(options.data, "t10k", options.size))
    networks = [train(options, data, cut, seed) for seed in options.seeds for cut in options.cuts]
    print(json.dumps({"program": f"PyTorch {torch.__version__}", "threads": torch.get_num_threads(),
                      "networks": networks,
                      "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
