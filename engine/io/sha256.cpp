#include "engine/io/sha256.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "engine/base/error.h"
#include "engine/io/descriptor.h"

namespace graft {

struct Sha256::Context {
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(digest); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  check(context_->digest != nullptr && EVP_DigestInit_ex(context_->digest, EVP_sha256(), nullptr) == 1,
        "[sha256] libcrypto offers no SHA-256 here");
}

Sha256::~Sha256() = default;

Sha256& Sha256::update(std::span<const std::byte> bytes) {
  check(EVP_DigestUpdate(context_->digest, bytes.data(), bytes.size()) == 1, "[sha256] libcrypto refused {} bytes",
        bytes.size());
  return *this;
}

Sha256& Sha256::update(std::string_view text) { return update(std::as_bytes(std::span(text.data(), text.size()))); }

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  check(EVP_DigestFinal_ex(context_->digest, digest.data(), &length) == 1, "[sha256] the digest was already taken");
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::string sha256_hex(std::string_view text) { return Sha256().update(text).hex(); }

std::string sha256_file(const std::filesystem::path& path) {
  const Descriptor descriptor = open_for_reading(path);
  Sha256 sha;
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  for (;;) {
    const ssize_t count = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_system(ErrorKind::data, path, "read", errno);
    if (count == 0) return sha.hex();
    sha.update(std::span<const std::byte>(buffer.data(), static_cast<std::size_t>(count)));
  }
}

}  // namespace graft
