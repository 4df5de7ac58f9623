#include "engine/io/pickle_builder.h"

#include <charconv>

#include "engine/io/format_fault.h"
#include "engine/io/pickle_globals.h"

namespace graft {
namespace {

using Kind = PickleNode::Kind;

// A state dict of a thousand tensors has some 20000 values; the caps bound what a hostile file can make of its bytes.
constexpr std::size_t kMaxNodes = 2'000'000;
constexpr std::size_t kMaxCopiedItems = 8'000'000;

}  // namespace

PickleBuilder::PickleBuilder(std::deque<PickleNode>& nodes, std::vector<const PickleNode*>& globals,
                             std::vector<const PickleNode*>& persistents)
    : nodes_(nodes), globals_(globals), persistents_(persistents) {
  none_ = make(Kind::none);
  true_ = make(Kind::boolean);
  true_->integer = 1;
  false_ = make(Kind::boolean);
  empty_ = make(Kind::list);
}

PickleNode* PickleBuilder::make(Kind kind) {
  if (nodes_.size() >= kMaxNodes)
    refused("save the state_dict alone", "its pickle holds more than {} values", kMaxNodes);
  nodes_.emplace_back().kind = kind;
  return &nodes_.back();
}

PickleNode* PickleBuilder::integer(std::int64_t value) {
  PickleNode* node = make(Kind::integer);
  node->integer = value;
  return node;
}

PickleNode* PickleBuilder::long_integer(std::string_view digits) {
  if (digits.size() > sizeof(std::int64_t)) return text(Kind::big, digits);
  std::uint64_t value = !digits.empty() && static_cast<signed char>(digits.back()) < 0 ? ~std::uint64_t{0} : 0;
  for (std::size_t i = digits.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(digits[i]);
  return integer(static_cast<std::int64_t>(value));
}

PickleNode* PickleBuilder::decimal(std::string_view line) {
  if (line == "00" || line == "01") return boolean(line == "01");
  if (line.ends_with('L')) line.remove_suffix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc() || end != line.data() + line.size()) damaged("its pickle has a number that is none");
  return integer(value);
}

PickleNode* PickleBuilder::real(double value) {
  PickleNode* node = make(Kind::real);
  node->real = value;
  return node;
}

PickleNode* PickleBuilder::text(Kind kind, std::string_view text) {
  PickleNode* node = make(kind);
  node->text = text;
  return node;
}

PickleNode* PickleBuilder::container(Kind kind, std::vector<const PickleNode*> items) {
  if (kind == Kind::dict && items.size() % 2 != 0) damaged("its pickle has a dict with a key without a value");
  PickleNode* node = make(kind);
  node->items = std::move(items);
  return node;
}

PickleNode* PickleBuilder::global(std::string_view module, std::string_view name) {
  if (classify_pickle_global(module, name) == PickleGlobal::dangerous) {
    refused("do not load it in Python; get the weights from a source you trust, as safetensors",
            "its pickle asks for {}.{}, which runs code; nothing in it was run", printable(module), printable(name));
  }
  PickleNode* node = text(Kind::global, module);
  node->name = name;
  if (global_names_.emplace(module, name).second) globals_.push_back(node);
  return node;
}

PickleNode* PickleBuilder::persistent(const PickleNode* id) {
  PickleNode* node = make(Kind::persistent);
  node->arguments = id;
  persistents_.push_back(node);
  return node;
}

PickleNode* PickleBuilder::converted(Kind kind, const PickleNode* source) {
  if (source == nullptr) return make(kind);
  // One list may be copied any number of times, a few bytes of pickle each.
  copied_items_ += source->items.size();
  if (copied_items_ > kMaxCopiedItems) damaged("its pickle copies more than {} values", kMaxCopiedItems);
  if (source->kind == kind) return container(kind, source->items);
  if (kind != Kind::dict || !source->is(Kind::list)) damaged("its pickle makes a container of what is none");
  PickleNode* node = make(kind);
  for (const PickleNode* pair : source->items) {
    if (!pair->is(Kind::list) || pair->items.size() != 2) damaged("its pickle makes a dict of what are no pairs");
    node->items.insert(node->items.end(), pair->items.begin(), pair->items.end());
  }
  return node;
}

PickleNode* PickleBuilder::call(const PickleNode* callee, const PickleNode* arguments) {
  if (callee->is(Kind::global) && arguments->is(Kind::list)) {
    const auto& given = arguments->items;
    switch (classify_pickle_global(callee->text, callee->name)) {
      case PickleGlobal::dict:
        return converted(Kind::dict, given.empty() ? nullptr : given[0]);
      case PickleGlobal::default_dict:
        return converted(Kind::dict, given.size() < 2 ? nullptr : given[1]);
      case PickleGlobal::list:
        return converted(Kind::list, given.empty() ? nullptr : given[0]);
      case PickleGlobal::encode:
        if (!given.empty() && given[0]->is(Kind::text)) return text(Kind::bytes, given[0]->text);
        break;
      default:
        break;
    }
  }
  PickleNode* node = make(Kind::call);
  node->callee = callee;
  node->arguments = arguments;
  return node;
}

const PickleNode* PickleNode::find(std::string_view key) const {
  const PickleNode* found = nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (!items[i]->is(Kind::text) || items[i]->text != key) continue;
    if (found != nullptr) damaged("a dict of its pickle has the key '{}' twice", printable(key));
    found = items[i + 1];
  }
  return found;
}

std::string global_name(const PickleNode& global) {
  return printable(std::string(global.text) + "." + std::string(global.name));
}

}  // namespace graft
