#include "cuda/emulator/checked/static_shared.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>

namespace graft::cuda::emulator::checked {

namespace {

/// The program itself is the first module that the loader names.
template <class Visit>
void visit_program(Visit visit) {
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        (*static_cast<Visit*>(data))(*info);
        return 1;
      },
      &visit);
}

std::vector<char> program_bytes() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

template <class T>
const T* at(const std::vector<char>& bytes, std::size_t offset, std::size_t count = 1) {
  return offset + count * sizeof(T) <= bytes.size() ? reinterpret_cast<const T*>(bytes.data() + offset) : nullptr;
}

std::vector<ThreadLocalVariable> thread_local_variables() {
  std::vector<ThreadLocalVariable> found;
  const std::vector<char> bytes = program_bytes();
  const auto* header = at<ElfW(Ehdr)>(bytes, 0);
  if (header == nullptr) return found;
  const auto* sections = at<ElfW(Shdr)>(bytes, header->e_shoff, header->e_shnum);
  for (std::size_t i = 0; sections != nullptr && i < header->e_shnum; ++i) {
    if (sections[i].sh_type != SHT_SYMTAB || sections[i].sh_link >= header->e_shnum) continue;
    const std::size_t count = sections[i].sh_size / sizeof(ElfW(Sym));
    const auto* symbols = at<ElfW(Sym)>(bytes, sections[i].sh_offset, count);
    const ElfW(Shdr)& names = sections[sections[i].sh_link];
    for (std::size_t s = 0; symbols != nullptr && s < count; ++s) {
      if (ELF64_ST_TYPE(symbols[s].st_info) != STT_TLS || symbols[s].st_shndx == SHN_UNDEF) continue;
      const char* name = at<char>(bytes, names.sh_offset + symbols[s].st_name);
      if (name != nullptr) found.push_back({name, symbols[s].st_value, symbols[s].st_size});
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  return found;
}

StaticShared read_program() {
  StaticShared result;
  visit_program([&](const dl_phdr_info& info) {
    for (int i = 0; i < info.dlpi_phnum; ++i) {
      if (info.dlpi_phdr[i].p_type == PT_TLS) result.bytes = info.dlpi_phdr[i].p_memsz;
    }
  });
  for (ThreadLocalVariable& variable : thread_local_variables()) {
    const std::string_view name = variable.name;
    const bool built_in = name == "threadIdx" || name == "blockIdx" || name == "blockDim" || name == "gridDim";
    if (built_in || name.find("5graft4cuda8emulator") != std::string_view::npos) {
      result.language.push_back(std::move(variable));
    } else if (name.starts_with("_ZZN5graft4cuda")) {  // local to a function
      result.shared.push_back(std::move(variable));
    }
  }
  return result;
}

}  // namespace

const StaticShared& StaticShared::of_program() {
  static const StaticShared result = read_program();
  return result;
}

std::byte* StaticShared::begin() {
  void* data = nullptr;
  visit_program([&](const dl_phdr_info& info) { data = info.dlpi_tls_data; });
  return static_cast<std::byte*>(data);
}

}  // namespace graft::cuda::emulator::checked
