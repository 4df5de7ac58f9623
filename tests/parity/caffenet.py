"""CaffeNet from its published layer description (BVLC's bvlc_reference_caffenet/train_val.prototxt), layer by layer.

Pools take Caffe's extents, rounded up. Dropout is left out: the comparison runs without."""
from torch import nn


class CaffeNet(nn.Module):
    def __init__(self, classes, extent=6):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=2)
        self.fc6 = nn.Linear(256 * extent * extent, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, classes)
        self.relu = nn.ReLU()
        self.pool1, self.pool2, self.pool5 = (nn.MaxPool2d(3, 2, ceil_mode=True) for _ in range(3))
        self.norm1, self.norm2 = (nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0) for _ in range(2))
        # Named so that their outputs can be looked at.
        self.relu3, self.relu4, self.relu6, self.relu7 = (nn.ReLU() for _ in range(4))

    def forward(self, x):
        x = self.norm1(self.pool1(self.relu(self.conv1(x))))
        x = self.norm2(self.pool2(self.relu(self.conv2(x))))
        x = self.relu4(self.conv4(self.relu3(self.conv3(x))))
        x = self.pool5(self.relu(self.conv5(x))).flatten(1)
        return self.fc8(self.relu7(self.fc7(self.relu6(self.fc6(x)))))


STAGES = [("conv1", "norm1"), ("conv2", "norm2"), ("conv3", "relu3"), ("conv4", "relu4"), ("conv5", "pool5"),
          ("fc6", "relu6"), ("fc7", "relu7")]
