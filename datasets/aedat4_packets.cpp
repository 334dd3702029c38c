#include "datasets/aedat4_packets.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <string_view>

#include "aedat4_generated.h"
#include <fmt/format.h>
#include <lz4frame.h>
#include <pugixml.hpp>
#include <zstd.h>

#include "core/error.hpp"
#include "datasets/decoder_input.hpp"

namespace synfire::datasets::aedat4 {

namespace {

std::optional<int> parse_int(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Text of `<attr key="KEY" ...>text</attr>` below `node`.
std::string_view attribute(const pugi::xml_node& node, const char* key) {
  return node.find_child_by_attribute("attr", "key", key).text().get();
}

pugi::xml_node child_node(const pugi::xml_node& node, const char* name) {
  return node.find_child_by_attribute("node", "name", name);
}

std::vector<Stream> parse_streams(std::string_view xml, const std::string& name) {
  pugi::xml_document document;
  const pugi::xml_parse_result result =
      document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!result)
    throw FormatError(name, kMagicBytes, fmt::format("the XML of the header is broken: {}", result.description()));
  // The path to the node differs between recorders, its name does not.
  const pugi::xml_node info = document.find_node(
      [](const pugi::xml_node& node) { return std::string_view(node.attribute("name").value()) == "outInfo"; });
  if (!info) throw FormatError(name, kMagicBytes, "the XML of the header has no node outInfo");
  std::vector<Stream> streams;
  for (const pugi::xml_node& node : info.children("node")) {
    const std::optional<int> id = parse_int(node.attribute("name").value());
    if (!id) continue;
    Stream stream;
    stream.id = *id;
    stream.type = attribute(node, "typeIdentifier");
    const pugi::xml_node details = child_node(node, "info");
    stream.width = parse_int(attribute(details, "sizeX")).value_or(0);
    stream.height = parse_int(attribute(details, "sizeY")).value_or(0);
    stream.source = attribute(details, "source");
    streams.push_back(std::move(stream));
  }
  return streams;
}

}  // namespace

std::span<const std::byte> size_prefixed(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(std::uint32_t)) return {};
  const std::uint64_t size = sizeof(std::uint32_t) + std::uint64_t{load_little<std::uint32_t>(bytes.data())};
  if (size > bytes.size() || size >= FLATBUFFERS_MAX_BUFFER_SIZE) return {};
  return bytes.first(size);
}

Header parse_header(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < kMagicBytes || std::memcmp(bytes.data(), kMagic, kMagicBytes) != 0)
    throw FormatError(name, 0, "not an AEDAT4 file");
  const std::span<const std::byte> in_file = size_prefixed(bytes.subspan(kMagicBytes));
  if (in_file.empty()) throw FormatError(name, kMagicBytes, "the file ends within its header");
  // Flatbuffers align relative to their start, the file does not.
  const EventColumn<std::byte> header(in_file.begin(), in_file.end());
  const auto* data = reinterpret_cast<const std::uint8_t*>(header.data());
  flatbuffers::Verifier verifier(data, header.size());
  if (!verifier.VerifySizePrefixedBuffer<IoHeader>("IOHE"))
    throw FormatError(name, kMagicBytes, "the header is damaged");
  const auto* root = flatbuffers::GetSizePrefixedRoot<IoHeader>(data);
  const int compression = root->compression();
  if (compression < 0 || compression > static_cast<int>(Compression::zstd_high))
    throw FormatError(name, kMagicBytes, fmt::format("the compression {} is unknown", compression));
  Header result{static_cast<Compression>(compression), root->data_table_position(), {}, kMagicBytes + header.size()};
  if (root->info_node() != nullptr)
    result.streams = parse_streams({root->info_node()->c_str(), root->info_node()->size()}, name);
  return result;
}

struct Decompressor::Contexts {
  LZ4F_dctx* lz4 = nullptr;
  ZSTD_DCtx* zstd = nullptr;

  ~Contexts() {
    LZ4F_freeDecompressionContext(lz4);
    ZSTD_freeDCtx(zstd);
  }
};

Decompressor::Decompressor(Compression compression, std::uint64_t budget_bytes)
    : compression_(compression), budget_bytes_(budget_bytes), contexts_(std::make_unique<Contexts>()) {
  if (LZ4F_isError(LZ4F_createDecompressionContext(&contexts_->lz4, LZ4F_VERSION)))
    throw BackendError("[aedat4] cannot create an LZ4 context");
  contexts_->zstd = ZSTD_createDCtx();
  constexpr int kLargestWindowLog = 26;  // what a frame may claim of memory before it has shown anything
  if (contexts_->zstd == nullptr ||
      ZSTD_isError(ZSTD_DCtx_setParameter(contexts_->zstd, ZSTD_d_windowLogMax, kLargestWindowLog)))
    throw BackendError("[aedat4] cannot create a ZSTD context");
}

Decompressor::~Decompressor() = default;

std::optional<std::span<const std::byte>> Decompressor::expand(std::span<const std::byte> content) {
  filled_ = 0;
  bool good = true;
  switch (compression_) {
    case Compression::none:
      plain_.assign(content.begin(), content.end());
      filled_ = content.size();
      break;
    case Compression::lz4:
    case Compression::lz4_high:
      good = expand_lz4(content);
      break;
    case Compression::zstd:
    case Compression::zstd_high:
      good = expand_zstd(content);
      break;
  }
  // A packet that is broken at its end has cost as much as a whole one.
  budget_bytes_ -= std::min<std::uint64_t>(budget_bytes_, filled_);
  if (!good) return std::nullopt;
  return std::span<const std::byte>(plain_).first(filled_);
}

bool Decompressor::fail(const std::string& problem) {
  problem_ = problem;
  return false;
}

bool Decompressor::grow() {
  constexpr std::size_t kLeast = 64 * 1024;
  if (filled_ >= budget_bytes_) return fail("the file expands to far more than its size allows");
  if (filled_ < plain_.size()) return true;
  plain_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(std::max(kLeast, 2 * filled_), budget_bytes_)));
  return true;
}

bool Decompressor::expand_lz4(std::span<const std::byte> content) {
  LZ4F_resetDecompressionContext(contexts_->lz4);
  std::size_t used = 0;
  while (true) {
    if (!grow()) return false;
    std::size_t in = content.size() - used, out = plain_.size() - filled_;
    const std::size_t hint =
        LZ4F_decompress(contexts_->lz4, plain_.data() + filled_, &out, content.data() + used, &in, nullptr);
    if (LZ4F_isError(hint)) return fail(fmt::format("LZ4 says {}", LZ4F_getErrorName(hint)));
    used += in;
    filled_ += out;
    if (hint == 0) break;
    if (in == 0 && out == 0 && filled_ < plain_.size()) return fail("its LZ4 frame is cut short");
  }
  return used == content.size() || fail("there are bytes behind its LZ4 frame");
}

bool Decompressor::expand_zstd(std::span<const std::byte> content) {
  ZSTD_DCtx_reset(contexts_->zstd, ZSTD_reset_session_only);
  ZSTD_inBuffer in{content.data(), content.size(), 0};
  while (true) {
    if (!grow()) return false;
    ZSTD_outBuffer out{plain_.data(), plain_.size(), filled_};
    const std::size_t used_before = in.pos;
    const std::size_t hint = ZSTD_decompressStream(contexts_->zstd, &out, &in);
    if (ZSTD_isError(hint)) return fail(fmt::format("ZSTD says {}", ZSTD_getErrorName(hint)));
    const bool stuck = out.pos == filled_ && in.pos == used_before && out.pos < out.size;
    filled_ = out.pos;
    if (hint == 0) break;
    if (stuck) return fail("its ZSTD frame is cut short");
  }
  return in.pos == in.size || fail("there are bytes behind its ZSTD frame");
}

}  // namespace synfire::datasets::aedat4
