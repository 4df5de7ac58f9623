#!/usr/bin/env python3
"""Writes the expectations that the model tests compare with. Needs PyTorch and torchvision; the tests do not.

torchvision_resnet_parameters.txt  names and shapes of torchvision's ResNets, in the order of state_dict
pytorch_outputs.txt                logits and one gradient of each family, computed by PyTorch in float64

Weights and inputs are a formula of name and index that expectations.cpp repeats, so no numbers need to be kept."""
import os

import numpy
import torch
import torchvision
from torch import nn
from torch.nn import functional

EPSILON = 2.0**-23  # of float32
HERE = os.path.dirname(os.path.abspath(__file__))


def uniform(name, count):
    """`count` numbers in [-1, 1): the upper 24 bits of splitmix64 over FNV-1a of the name plus the index."""
    stream = 0xCBF29CE484222325
    for byte in name.encode():
        stream = ((stream ^ byte) * 0x100000001B3) % 2**64
    with numpy.errstate(over="ignore"):
        z = numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15) + numpy.uint64(stream)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    return (z >> numpy.uint64(40)).astype(numpy.float64) * 2.0**-23 - 1.0


def fill(name, tensor):
    """What a state_dict's tensor of this name and shape is filled with; rounded to float32."""
    count = tensor.numel()
    values = uniform(name, count)
    if tensor.dim() >= 2:
        values = values * numpy.sqrt(6.0 / (count // tensor.shape[0]))
    elif name.endswith("running_var") or name.endswith("weight"):
        values = 1.0 + 0.5 * values
    else:
        values = 0.25 * values
    with torch.no_grad():
        tensor.copy_(torch.from_numpy(values.astype(numpy.float32)).reshape(tensor.shape))


class ConvNet6(nn.Module):
    def __init__(self, classes):
        super().__init__()
        for i, (a, b) in enumerate([(1, 16), (16, 32), (32, 32), (32, 64), (64, 64)]):
            setattr(self, f"conv{i + 1}", nn.Conv2d(a, b, 3, padding=1))
        self.fc6 = nn.Linear(64 * 7 * 7, 128)
        self.head = nn.Linear(128, classes)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
        x = functional.relu(self.conv2(x))
        x = functional.max_pool2d(functional.relu(self.conv3(x)), 2)
        x = functional.relu(self.conv5(functional.relu(self.conv4(x))))
        return self.head(functional.relu(self.fc6(torch.flatten(x, 1))))


class CifarBlock(nn.Module):
    def __init__(self, channels, width, stride, option):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.pad = (width - channels) // 2 if option == "A" else None
        changes = stride != 1 or channels != width
        self.shortcut = nn.Sequential()
        if changes and option == "B":
            self.shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        self.subsample = changes and option == "A"

    def forward(self, x):
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        if self.subsample:
            return functional.relu(y + functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad)))
        return functional.relu(y + self.shortcut(x))


class CifarResNet(nn.Module):
    def __init__(self, depth, option, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        channels = 16
        for i, width in enumerate([16, 32, 64]):
            blocks = []
            for block in range((depth - 2) // 6):
                blocks.append(CifarBlock(channels, width, 2 if i > 0 and block == 0 else 1, option))
                channels = width
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(64, classes)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def small_stem(model):
    model.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    model.maxpool = nn.Identity()
    return model


# name, module, input [N, C, H, W], parameter whose gradient is kept
CASES = [
    ("convnet6", lambda: ConvNet6(7), (3, 1, 28, 28), "conv2.weight"),
    ("cifar_resnet20", lambda: CifarResNet(20, "A", 7), (4, 3, 16, 16), "layer1.0.conv1.weight"),
    ("cifar_resnet20_b", lambda: CifarResNet(20, "B", 7), (4, 3, 18, 14), "layer2.0.shortcut.0.weight"),
    ("resnet18_cifar", lambda: small_stem(torchvision.models.resnet18(num_classes=7)), (2, 3, 16, 16), "bn1.weight"),
    ("resnet18", lambda: torchvision.models.resnet18(num_classes=7), (4, 3, 64, 64), "conv1.weight"),
    ("resnet50", lambda: torchvision.models.resnet50(num_classes=7), (4, 3, 64, 48), "layer2.0.conv2.weight"),
]


def numbers(values):
    return " ".join(repr(float(v)) for v in values)


def run(make, shape, parameter, draw=0):
    """Logits in eval and in training mode, the loss, and the gradient of a parameter. `draw` > 0: with every weight
    moved at random by up to four units of float32's epsilon."""
    model = make().double()
    random = torch.Generator().manual_seed(draw)
    for key, tensor in model.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        fill(key, tensor)
        if draw > 0:
            tensor.mul_(1 + (torch.rand(tensor.shape, generator=random, dtype=torch.float64) * 2 - 1) * 4 * EPSILON)
    x = torch.from_numpy(uniform("input", int(numpy.prod(shape)))).reshape(shape)
    model.eval()
    eval_logits = model(x)
    model.train()
    logits = model(x)
    loss = functional.cross_entropy(logits, torch.arange(shape[0]) % 7)
    loss.backward()
    gradient = dict(model.named_parameters())[parameter].grad
    return [t.detach().flatten() for t in (eval_logits, logits, loss, gradient)]


def conditioning(exact, moved):
    """How far the numbers go when the weights move within rounding, in units of epsilon: values, and the gradient.
    Values move smoothly. A gradient jumps where a ReLU or a maximum goes over to its other side."""
    errors = [float((a - b).abs().max() / a.norm()) / EPSILON for a, b in zip(exact, moved)]
    norm_error = float((exact[3].norm() - moved[3].norm()).abs() / exact[3].norm()) / EPSILON
    return max(errors[:3]), max(errors[3], norm_error)


def write_outputs(file):
    for name, make, shape, parameter in CASES:
        exact = run(make, shape, parameter)
        moves = [conditioning(exact, run(make, shape, parameter, draw)) for draw in range(1, 17)]
        eval_logits, logits, loss, gradient = exact
        step = max(1, gradient.numel() // 24)
        print("case", name, *shape, file=file)
        print("conditioning", *[f"{max(column):.0f}" for column in zip(*moves)], file=file)
        print("eval_logits", numbers(eval_logits), file=file)
        print("train_logits", numbers(logits), file=file)
        print("loss", numbers(loss), file=file)
        print("gradient", parameter, step, numbers([gradient.norm()]), numbers(gradient[::step]), file=file)


def write_parameters(file):
    for depth in (18, 34, 50, 101, 152):
        model = getattr(torchvision.models, f"resnet{depth}")()
        learned = {name for name, _ in model.named_parameters()}
        for key, tensor in model.state_dict().items():
            kind = "parameter" if key in learned else "buffer"
            print(f"resnet{depth}", kind, key, *tensor.shape, file=file)


if __name__ == "__main__":
    torch.manual_seed(0)
    with open(os.path.join(HERE, "pytorch_outputs.txt"), "w") as file:
        write_outputs(file)
    with open(os.path.join(HERE, "torchvision_resnet_parameters.txt"), "w") as file:
        write_parameters(file)
