#include "models/published_weights.h"

#include <array>
#include <string_view>

namespace graft {
namespace {

/// What a pixel in [0, 1] is normalised by.
struct Normalisation {
  std::array<double, 3> mean;
  std::array<double, 3> std;
};
constexpr Normalisation kImagenet{{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
constexpr Normalisation kHalf{{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}};
// Caffe subtracts the mean pixel of ILSVRC 2012 and keeps the scale of 0 to 255.
constexpr Normalisation kCaffe{{122.67891434 / 255, 116.66876762 / 255, 104.00698793 / 255},
                               {1.0 / 255, 1.0 / 255, 1.0 / 255}};

struct Row {
  std::string_view name;  ///< architecture.tag
  int size;
  const Normalisation& normalisation;
  const char* interpolation;
  double crop_pct;
};
// As the configurations of timm 1.0.31 have them, at the size and crop they are tested at; alexnet and mobilenet_v2 as
// torchvision's weights, caffenet as Caffe's reference network. TensorFlow's own builder has lite3 and lite4 at 280 and
// 300, timm tests the same weights at 300 and 380.
constexpr Row kRows[] = {
    {"alexnet.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"caffenet.bvlc_in1k", 227, kCaffe, "bilinear", 227.0 / 256.0},
    {"resnet18.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"resnet18.a1_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet18.a2_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet18.a3_in1k", 224, kImagenet, "bicubic", 0.95},
    {"resnet18.gluon_in1k", 224, kImagenet, "bicubic", 0.875},
    {"resnet34.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"resnet34.a1_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet34.a2_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet34.a3_in1k", 224, kImagenet, "bicubic", 0.95},
    {"resnet34.bt_in1k", 288, kImagenet, "bicubic", 0.95},
    {"resnet34.gluon_in1k", 224, kImagenet, "bicubic", 0.875},
    {"resnet34.ra4_e3600_r224_in1k", 288, kHalf, "bicubic", 1.0},
    {"resnet50.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"resnet50.a1_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet50.a1h_in1k", 224, kImagenet, "bicubic", 1.0},
    {"resnet50.a2_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet50.a3_in1k", 224, kImagenet, "bicubic", 0.95},
    {"resnet50.am_in1k", 224, kImagenet, "bicubic", 0.875},
    {"resnet50.b1k_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet50.b2k_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet50.bt_in1k", 288, kImagenet, "bicubic", 0.95},
    {"resnet50.c1_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet50.c2_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet50.d_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet50.gluon_in1k", 224, kImagenet, "bicubic", 0.875},
    {"resnet50.ra_in1k", 288, kImagenet, "bicubic", 0.95},
    {"resnet50.ram_in1k", 288, kImagenet, "bicubic", 0.95},
    {"resnet50.tv2_in1k", 224, kImagenet, "bilinear", 0.965},
    {"resnet101.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"resnet101.a1_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet101.a1h_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet101.a2_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet101.a3_in1k", 224, kImagenet, "bicubic", 0.95},
    {"resnet101.gluon_in1k", 224, kImagenet, "bicubic", 0.875},
    {"resnet101.tv2_in1k", 224, kImagenet, "bilinear", 0.965},
    {"resnet152.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"resnet152.a1_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet152.a1h_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet152.a2_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnet152.a3_in1k", 224, kImagenet, "bicubic", 0.95},
    {"resnet152.gluon_in1k", 224, kImagenet, "bicubic", 0.875},
    {"resnet152.tv2_in1k", 224, kImagenet, "bilinear", 0.965},
    {"resnext50_32x4d.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"resnext50_32x4d.a1_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnext50_32x4d.a1h_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnext50_32x4d.a2_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnext50_32x4d.a3_in1k", 224, kImagenet, "bicubic", 0.95},
    {"resnext50_32x4d.gluon_in1k", 224, kImagenet, "bicubic", 0.875},
    {"resnext50_32x4d.ra_in1k", 288, kImagenet, "bicubic", 0.95},
    {"resnext50_32x4d.tv2_in1k", 224, kImagenet, "bilinear", 0.965},
    {"resnext101_32x8d.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"resnext101_32x8d.tv2_in1k", 224, kImagenet, "bilinear", 0.965},
    {"resnext101_64x4d.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"resnext101_64x4d.c1_in1k", 288, kImagenet, "bicubic", 1.0},
    {"resnext101_64x4d.gluon_in1k", 224, kImagenet, "bicubic", 0.875},
    {"wide_resnet50_2.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"wide_resnet50_2.racm_in1k", 288, kImagenet, "bicubic", 0.95},
    {"wide_resnet50_2.tv2_in1k", 224, kImagenet, "bilinear", 0.965},
    {"wide_resnet101_2.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"wide_resnet101_2.tv2_in1k", 224, kImagenet, "bilinear", 0.965},
    {"vgg11.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"vgg11_bn.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"vgg13.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"vgg13_bn.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"vgg16.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"vgg16_bn.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"vgg19.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"vgg19_bn.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"densenet121.tv_in1k", 224, kImagenet, "bicubic", 0.875},
    {"densenet121.ra_in1k", 288, kImagenet, "bicubic", 0.95},
    {"densenet161.tv_in1k", 224, kImagenet, "bicubic", 0.875},
    {"densenet169.tv_in1k", 224, kImagenet, "bicubic", 0.875},
    {"densenet201.tv_in1k", 224, kImagenet, "bicubic", 0.875},
    {"efficientnet_b0.ra_in1k", 224, kImagenet, "bicubic", 0.875},
    {"efficientnet_b0.ra4_e3600_r224_in1k", 256, kHalf, "bicubic", 1.0},
    {"efficientnet_b1.ft_in1k", 256, kImagenet, "bicubic", 1.0},
    {"efficientnet_b1.ra4_e3600_r240_in1k", 288, kHalf, "bicubic", 1.0},
    {"efficientnet_b2.ra_in1k", 288, kImagenet, "bicubic", 1.0},
    {"efficientnet_b3.ra2_in1k", 320, kImagenet, "bicubic", 1.0},
    {"efficientnet_b4.ra2_in1k", 384, kImagenet, "bicubic", 1.0},
    {"efficientnet_b5.sw_in12k_ft_in1k", 448, kImagenet, "bicubic", 1.0},
    {"tf_efficientnet_b0.aa_in1k", 224, kImagenet, "bicubic", 0.875},
    {"tf_efficientnet_b0.ap_in1k", 224, kHalf, "bicubic", 0.875},
    {"tf_efficientnet_b0.in1k", 224, kImagenet, "bicubic", 0.875},
    {"tf_efficientnet_b0.ns_jft_in1k", 224, kImagenet, "bicubic", 0.875},
    {"tf_efficientnet_b1.aa_in1k", 240, kImagenet, "bicubic", 0.882},
    {"tf_efficientnet_b1.ap_in1k", 240, kHalf, "bicubic", 0.882},
    {"tf_efficientnet_b1.in1k", 240, kImagenet, "bicubic", 0.882},
    {"tf_efficientnet_b1.ns_jft_in1k", 240, kImagenet, "bicubic", 0.882},
    {"tf_efficientnet_b2.aa_in1k", 260, kImagenet, "bicubic", 0.89},
    {"tf_efficientnet_b2.ap_in1k", 260, kHalf, "bicubic", 0.89},
    {"tf_efficientnet_b2.in1k", 260, kImagenet, "bicubic", 0.89},
    {"tf_efficientnet_b2.ns_jft_in1k", 260, kImagenet, "bicubic", 0.89},
    {"tf_efficientnet_b3.aa_in1k", 300, kImagenet, "bicubic", 0.904},
    {"tf_efficientnet_b3.ap_in1k", 300, kHalf, "bicubic", 0.904},
    {"tf_efficientnet_b3.in1k", 300, kImagenet, "bicubic", 0.904},
    {"tf_efficientnet_b3.ns_jft_in1k", 300, kImagenet, "bicubic", 0.904},
    {"tf_efficientnet_b4.aa_in1k", 380, kImagenet, "bicubic", 0.922},
    {"tf_efficientnet_b4.ap_in1k", 380, kHalf, "bicubic", 0.922},
    {"tf_efficientnet_b4.in1k", 380, kImagenet, "bicubic", 0.922},
    {"tf_efficientnet_b4.ns_jft_in1k", 380, kImagenet, "bicubic", 0.922},
    {"tf_efficientnet_b5.aa_in1k", 456, kImagenet, "bicubic", 0.934},
    {"tf_efficientnet_b5.ap_in1k", 456, kHalf, "bicubic", 0.934},
    {"tf_efficientnet_b5.in1k", 456, kImagenet, "bicubic", 0.934},
    {"tf_efficientnet_b5.ns_jft_in1k", 456, kImagenet, "bicubic", 0.934},
    {"tf_efficientnet_b5.ra_in1k", 456, kImagenet, "bicubic", 0.934},
    {"tf_efficientnet_b6.aa_in1k", 528, kImagenet, "bicubic", 0.942},
    {"tf_efficientnet_b6.ap_in1k", 528, kHalf, "bicubic", 0.942},
    {"tf_efficientnet_b6.ns_jft_in1k", 528, kImagenet, "bicubic", 0.942},
    {"tf_efficientnet_b7.aa_in1k", 600, kImagenet, "bicubic", 0.949},
    {"tf_efficientnet_b7.ap_in1k", 600, kHalf, "bicubic", 0.949},
    {"tf_efficientnet_b7.ns_jft_in1k", 600, kImagenet, "bicubic", 0.949},
    {"tf_efficientnet_b7.ra_in1k", 600, kImagenet, "bicubic", 0.949},
    {"tf_efficientnet_lite0.in1k", 224, kHalf, "bicubic", 0.875},
    {"tf_efficientnet_lite1.in1k", 240, kHalf, "bicubic", 0.882},
    {"tf_efficientnet_lite2.in1k", 260, kHalf, "bicubic", 0.89},
    {"tf_efficientnet_lite3.in1k", 300, kHalf, "bilinear", 0.904},
    {"tf_efficientnet_lite4.in1k", 380, kHalf, "bilinear", 0.92},
    {"mobilenet_v2.tv_in1k", 224, kImagenet, "bilinear", 0.875},
    {"mobilenet_v2.tv2_in1k", 224, kImagenet, "bilinear", 0.965},
    {"chexnet.cxr14", 224, kImagenet, "bilinear", 1.0},
};

}  // namespace

std::vector<PublishedWeights> published_weights(const std::string& architecture) {
  std::vector<PublishedWeights> found;
  for (const Row& row : kRows) {
    const std::size_t dot = row.name.find('.');
    if (row.name.substr(0, dot) != architecture) continue;
    found.push_back({.tag = std::string(row.name.substr(dot + 1)),
                     .image = {.size = row.size,
                               .mean = row.normalisation.mean,
                               .std = row.normalisation.std,
                               .interpolation = row.interpolation,
                               .crop_pct = row.crop_pct}});
  }
  return found;
}

}  // namespace graft
