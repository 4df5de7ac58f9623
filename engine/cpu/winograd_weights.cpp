#include "engine/cpu/winograd_kernels.h"
#include "engine/cpu/winograd_vector.h"

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,fma")

namespace graft::winograd {
namespace {

constexpr int kTaps = 9;

/// rows[i][j] becomes rows[j][i], by exchanging blocks of 1, 2, 4 and 8 lanes.
inline void transpose(Vector rows[16]) {
  Vector a[16], b[16];
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
    a[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    for (int j = 0; j < 2; ++j) {
      const __m512d upper = _mm512_castps_pd(a[i + j]), lower = _mm512_castps_pd(a[i + j + 2]);
      b[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(upper, lower));
      b[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(upper, lower));
    }
  }
  // b[4 q + c] holds column 4 l + c of rows 4 q ... 4 q + 3 in its lane quarter l.
  for (int c = 0; c < 4; ++c) {
    const Vector even_low = _mm512_shuffle_f32x4(b[c], b[4 + c], 0x88);
    const Vector odd_low = _mm512_shuffle_f32x4(b[c], b[4 + c], 0xdd);
    const Vector even_high = _mm512_shuffle_f32x4(b[8 + c], b[12 + c], 0x88);
    const Vector odd_high = _mm512_shuffle_f32x4(b[8 + c], b[12 + c], 0xdd);
    rows[c] = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
    rows[4 + c] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
    rows[8 + c] = _mm512_shuffle_f32x4(even_low, even_high, 0xdd);
    rows[12 + c] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xdd);
  }
}

/// G w G^T of one vector of filters.
inline void store_points(const Vector taps[kTaps], float* u, std::int64_t stride) {
  Vector columns[6][3];
  for (int j = 0; j < 3; ++j) {
    const Vector column[3] = {taps[j], taps[3 + j], taps[6 + j]};
    Vector point[6];
    weight_points(column, point);
    for (int i = 0; i < 6; ++i) columns[i][j] = point[i];
  }
  for (int i = 0; i < 6; ++i) {
    Vector point[6];
    weight_points(columns[i], point);
    for (int j = 0; j < 6; ++j) _mm512_storeu_ps(u + (i * 6 + j) * stride, point[j]);
  }
}

/// Where U has (input channel, output block): output blocks stand in pairs, the last one alone if their number is odd.
struct WeightLayout {
  BlockRange blocks;
  std::int64_t inputs;  ///< padded to whole blocks

  float* at(float* u, std::int64_t input, std::int64_t block) const {
    const std::int64_t index = block - blocks.begin;
    const std::int64_t first = index / 2 * 2;
    const std::int64_t width = first + 1 < blocks.end - blocks.begin ? 2 : 1;
    return u + (first * inputs + input * width + index - first) * kLanes;
  }
};

template <class T>
void forward_weights(const T* w, const WeightShape& shape, const BlockRange& blocks, std::int64_t stride, float* u) {
  const WeightLayout layout{blocks, blocks_of(shape.inputs) * kLanes};
  alignas(64) float taps[kTaps][16][16];  // [tap][input][output]
  for (std::int64_t block = blocks.begin; block < blocks.end; ++block) {
    for (std::int64_t input = 0; input < layout.inputs; input += kLanes) {
      const __mmask16 mask = lanes(shape.inputs - input);
      for (int tap = 0; tap < kTaps; ++tap) {
        Vector rows[16];
        for (int i = 0; i < 16; ++i) {
          const std::int64_t output = block * kLanes + i;
          rows[i] = output < shape.outputs ? load(w + (output * kTaps + tap) * shape.inputs + input, mask)
                                           : _mm512_setzero_ps();
        }
        transpose(rows);
        for (int i = 0; i < 16; ++i) _mm512_store_ps(taps[tap][i], rows[i]);
      }
      for (int i = 0; i < 16; ++i) {
        Vector filter[kTaps];
        for (int tap = 0; tap < kTaps; ++tap) filter[tap] = _mm512_load_ps(taps[tap][i]);
        store_points(filter, layout.at(u, input + i, block), stride);
      }
    }
  }
}

template <class T>
void turned_weights(const T* w, const WeightShape& shape, const BlockRange& blocks, std::int64_t stride, float* u) {
  const WeightLayout layout{blocks, blocks_of(shape.outputs) * kLanes};
  for (std::int64_t block = blocks.begin; block < blocks.end; ++block) {
    const __mmask16 mask = lanes(shape.inputs - block * kLanes);
    for (std::int64_t k = 0; k < layout.inputs; ++k) {
      Vector filter[kTaps];
      for (int tap = 0; tap < kTaps; ++tap) {
        filter[kTaps - 1 - tap] =
            k < shape.outputs ? load(w + (k * kTaps + tap) * shape.inputs + block * kLanes, mask) : _mm512_setzero_ps();
      }
      store_points(filter, layout.at(u, k, block), stride);
    }
  }
}

}  // namespace

void transform_weights(const void* w, DType dtype, const WeightShape& shape, const BlockRange& blocks,
                       std::int64_t stride, float* u) {
  if (dtype == DType::bf16) {
    forward_weights(static_cast<const bfloat16*>(w), shape, blocks, stride, u);
  } else {
    forward_weights(static_cast<const float*>(w), shape, blocks, stride, u);
  }
}

void transform_weights_turned(const void* w, DType dtype, const WeightShape& shape, const BlockRange& blocks,
                              std::int64_t stride, float* u) {
  if (dtype == DType::bf16) {
    turned_weights(static_cast<const bfloat16*>(w), shape, blocks, stride, u);
  } else {
    turned_weights(static_cast<const float*>(w), shape, blocks, stride, u);
  }
}

void transform_weight_gradient(const float* du, const WeightShape& shape, const BlockRange& outputs,
                               std::int64_t stride, float* dw) {
  const std::int64_t in_blocks = blocks_of(shape.inputs);
  for (std::int64_t output = outputs.begin * kLanes; output < outputs.end * kLanes && output < shape.outputs;
       ++output) {
    for (std::int64_t block = 0; block < in_blocks; ++block) {
      const __mmask16 mask = lanes(shape.inputs - block * kLanes);
      const float* in = du + ((output - outputs.begin * kLanes) * in_blocks + block) * kLanes;
      Vector columns[3][6];
      for (int j = 0; j < 6; ++j) {
        Vector point[6], tap[3];
        for (int i = 0; i < 6; ++i) point[i] = _mm512_loadu_ps(in + (i * 6 + j) * stride);
        gradient_taps(point, tap);
        for (int i = 0; i < 3; ++i) columns[i][j] = tap[i];
      }
      for (int i = 0; i < 3; ++i) {
        Vector tap[3];
        gradient_taps(columns[i], tap);
        for (int j = 0; j < 3; ++j) {
          store(dw + (output * kTaps + i * 3 + j) * shape.inputs + block * kLanes, mask, tap[j]);
        }
      }
    }
  }
}

}  // namespace graft::winograd

#pragma GCC pop_options
